import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Webhook } from 'standardwebhooks';
import { minutes } from '#kernel';
import type { ChannelRevision, Revision } from '#fleet';
import { DEFAULT_POLICY } from '#promotion';
import { startTestApi, type Answer, type TestApi } from '../support/api.js';
import { PREFIXED, verifyHmac } from '../../apps/api/src/webhooks/verify-webhook.js';
import { account, cluster } from '../support/records.js';

const WHSEC = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
let api: TestApi;
const tokens: Record<string, string> = {};

const revision = (commit: string, treeDigest: string): Revision => ({
  id: `repo@${commit}`,
  repository: '',
  commit,
  treeDigest,
  author: 'Ada <ada@example.org>',
  subject: 'image 2',
  committedAt: '2026-06-01T07:59:00Z',
});
const entry = (channel: string, of: Revision, more: Partial<ChannelRevision> = {}): ChannelRevision => ({
  channel,
  revisionId: of.id,
  phase: 'eligible',
  wave: 1,
  waves: 1,
  enteredAt: 1,
  admitted: true,
  reasons: [],
  ...more,
});
const [OLD, NEW, HAND] = [
  revision('a'.repeat(40), 't1'),
  revision('b'.repeat(40), 't2'),
  revision('c'.repeat(40), 't3'),
];

const send = (
  role: string,
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> =>
  api.send(method, path, { token: tokens[role] ?? null, headers, ...(body !== undefined && { body }) });
const text = (answer: Answer): string => answer.text;

beforeAll(async () => {
  api = await startTestApi({
    FAIRWAY_GITHUB_WEBHOOK_SECRET: 'gh',
    FAIRWAY_GITLAB_WEBHOOK_TOKEN: 'gl',
    FAIRWAY_GITLAB_WEBHOOK_SIGNING_SECRET: WHSEC,
    FAIRWAY_BITBUCKET_WEBHOOK_SECRET: 'bb',
    FAIRWAY_GITEA_WEBHOOK_SECRET: 'gt',
  });
  for (const role of ['viewer', 'operator', 'approver', 'admin'] as const)
    tokens[role] = await api.tokenFor(role);
  const { channels, leases, registry, decisions, settings } = api.running.runtime;
  const repository = settings.FAIRWAY_REPOSITORY;
  await channels.syncChannels(
    ['dev', 'alpha', 'beta', 'stable'].map((name, position, all) => ({
      name,
      repository,
      branch: name,
      position,
      ...(position > 0 && { from: all[position - 1] as string }),
    })),
  );
  await registry.createAccount(account(), { actor: 'test' });
  await registry.createCluster(cluster('beta-1', { channel: 'beta' }), { actor: 'test' });
  const lease = await leases.acquire('channel/test', minutes(5));
  if (!lease) throw new Error('no lease');
  const policy = {
    ...DEFAULT_POLICY,
    channels: DEFAULT_POLICY.channels.map((one) =>
      one.name === 'stable'
        ? {
            ...one,
            gates: {
              approvals: { required: 1, roles: ['approver'], authorMayApprove: true },
              backup: { maxAge: 86_400_000 },
            },
          }
        : one,
    ),
  };
  for (const [name, of] of [
    ['beta', OLD],
    ['beta', NEW],
    ['stable', OLD],
  ] as const) {
    await channels.recordHead(
      lease,
      {
        channel: name,
        revision: { ...of, repository },
        entry: entry(name, of, { convergedAt: 2, verifiedAt: 3 }),
      },
      [],
    );
    await decisions.savePolicy(lease, { channel: name, commit: of.commit, policy, readAt: 1 }, []);
  }
});
afterAll(() => api.close());

describe('promotion by API', () => {
  it('tells all gates at once, and refuses a promotion with the same reasons', async () => {
    const gates = await send('viewer', 'GET', '/api/v1/channels/stable/gates');
    expect(gates.body).toMatchObject({
      channel: 'stable',
      from: 'beta',
      commit: NEW.commit,
      eligible: false,
      promotion: 'manual',
    });
    const closed = (gates.body as { gates: { gate: string; state: string; message: string }[] }).gates.filter(
      (one) => one.state !== 'pass',
    );
    expect(closed.map((one) => one.gate)).toEqual(['backup', 'approvals']);
    const refused = await send('operator', 'POST', '/api/v1/channels/stable/promotions', { reason: 'now' });
    expect(refused.status).toBe(409);
    for (const { message } of closed) expect((refused.body as { detail: string }).detail).toContain(message);
    expect((await send('viewer', 'POST', '/api/v1/channels/stable/promotions', { reason: 'x' })).status).toBe(
      403,
    );
    expect((await send('operator', 'POST', '/api/v1/channels/stable/promotions', {})).status).toBe(400);
    expect((await send('viewer', 'GET', '/api/v1/channels/dev/gates')).status).toBe(409);
  });

  it('takes approvals of approvers, for the evidence that they saw, and a report of the backup', async () => {
    expect(
      (await send('operator', 'POST', '/api/v1/channels/stable/approvals', { decision: 'approve' })).status,
    ).toBe(403);
    const stale = await send('approver', 'POST', '/api/v1/channels/stable/approvals', {
      decision: 'approve',
      evidence_digest: 'other',
    });
    expect([stale.status, text(stale)]).toEqual([409, expect.stringContaining('evidence-changed')]);
    const backup = { gate: 'backup', name: 'etcd', state: 'pass', message: 'done' };
    expect((await send('operator', 'POST', '/api/v1/channels/stable/gate-answers', backup)).status).toBe(201);
    expect(
      (
        await send('approver', 'POST', '/api/v1/channels/stable/approvals', {
          decision: 'reject',
          reason: 'no',
        })
      ).status,
    ).toBe(201);
    expect(
      text(await send('operator', 'POST', '/api/v1/channels/stable/promotions', { reason: 'go' })),
    ).toContain('rejected by');
    const approved = await send('approver', 'POST', '/api/v1/channels/stable/approvals', {
      decision: 'approve',
      reason: 'looked',
    });
    expect(approved.body).toMatchObject({ decision: 'approve', gates: { eligible: true } });
    const listed = await send('viewer', 'GET', '/api/v1/channels/stable/approvals');
    expect((listed.body as { items: unknown[] }).items).toHaveLength(2);
  });

  it('records a wish once per Idempotency-Key, and says how it goes on', async () => {
    const ask = () =>
      send(
        'operator',
        'POST',
        '/api/v1/channels/stable/promotions',
        { reason: 'go' },
        { 'Idempotency-Key': 'k1' },
      );
    const [first, second] = [await ask(), await ask()];
    expect(first.status).toBe(202);
    expect(second.body).toEqual(first.body);
    const { id } = first.body as { id: string };
    expect((await send('viewer', 'GET', `/api/v1/requests/${id}`)).body).toMatchObject({
      kind: 'promote',
      channel: 'stable',
      state: 'open',
    });
    const audit = await send('admin', 'GET', '/api/v1/audit');
    const actions = (audit.body as { items: { action: string; data: { evidence?: unknown } }[] }).items;
    expect(actions.map((one) => one.action)).toEqual(
      expect.arrayContaining(['promote.requested', 'promotion.approve', 'promotion.reject', 'gate.answered']),
    );
    expect(actions.find((one) => one.action === 'promote.requested')?.data.evidence).toBeDefined();
  });

  it('rolls back to the last content that ran well', async () => {
    const asked = await send('operator', 'POST', '/api/v1/channels/beta/rollback', { reason: 'bad' });
    expect(asked.body).toMatchObject({ kind: 'rollback', channel: 'beta', revision: OLD.id, state: 'open' });
    expect(
      (await send('operator', 'POST', '/api/v1/channels/stable/rollback', { reason: 'bad' })).status,
    ).toBe(409);
    expect(
      (await send('operator', 'POST', '/api/v1/clusters/beta-1/rollback', { reason: 'bad' })).status,
    ).toBe(409);
    const one = await send('operator', 'POST', '/api/v1/clusters/beta-1/rollback', {
      reason: 'bad',
      to: OLD.commit,
    });
    expect(one.body).toMatchObject({ kind: 'rollback-cluster', revision: OLD.id });
  });

  it('breaks glass for admins only, for what is held, loudly', async () => {
    const { channels, leases, outbox } = api.running.runtime;
    const wish = { reason: 'fire', expires_in: '1h' };
    expect((await send('admin', 'POST', '/api/v1/channels/stable/break-glass', wish)).status).toBe(409);
    const lease = await leases.acquire('channel/hand', minutes(5));
    if (!lease) throw new Error('no lease');
    const held = entry('stable', HAND, {
      phase: 'held',
      admitted: false,
      reasons: [{ gate: 'soak', state: 'pending', message: '71h left' }],
    });
    await channels.recordHead(
      lease,
      {
        channel: 'stable',
        revision: { ...HAND, repository: api.running.runtime.settings.FAIRWAY_REPOSITORY },
        entry: held,
      },
      [],
    );
    for (const role of ['viewer', 'operator', 'approver'])
      expect((await send(role, 'POST', '/api/v1/channels/stable/break-glass', wish)).status).toBe(403);
    expect(
      (await send('admin', 'POST', '/api/v1/channels/stable/break-glass', { ...wish, expires_in: '30d' }))
        .status,
    ).toBe(400);
    expect((await send('admin', 'POST', '/api/v1/channels/stable/break-glass', wish)).status).toBe(201);
    const said = (await outbox.eventsAfter(0, 100)).find((one) => one.type === 'glass.broken');
    expect(said).toMatchObject({
      severity: 'critical',
      channel: 'stable',
      data: { reason: 'fire', evidence: held.reasons },
    });
  });

  it('sends a test of the notifications and shows the log', async () => {
    expect((await send('operator', 'POST', '/api/v1/notifications/test', {})).body).toEqual({ routes: [] });
    expect((await send('viewer', 'GET', '/api/v1/notifications/deliveries')).body).toEqual({ items: [] });
    expect((await send('operator', 'POST', '/api/v1/notifications/replay', {})).status).toBe(400);
    expect((await send('operator', 'POST', '/api/v1/notifications/replay', { id: 'none' })).status).toBe(404);
  });
});

describe('webhooks of Git hosts', () => {
  const hex = (secret: string, body: string): string =>
    createHmac('sha256', secret).update(body).digest('hex');
  const hook = (host: string, raw: string, headers: Record<string, string>): Promise<Answer> =>
    api.send('POST', `/webhooks/git/${host}`, { token: null, raw, headers });
  const standard = (body: string, at = new Date()): Record<string, string> => ({
    'webhook-id': 'msg_1',
    'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
    'webhook-signature': new Webhook(WHSEC).sign('msg_1', at, body),
  });
  const good: [string, (body: string) => Record<string, string>][] = [
    ['github', (body) => ({ 'X-Hub-Signature-256': `sha256=${hex('gh', body)}` })],
    ['gitlab', () => ({ 'X-Gitlab-Token': 'gl' })],
    ['gitlab', (body) => standard(body)],
    ['bitbucket', (body) => ({ 'X-Hub-Signature': `sha256=${hex('bb', body)}` })],
    ['gitea', (body) => ({ 'X-Gitea-Signature': hex('gt', body) })],
  ];

  it.each(good)('%s proves itself', async (host, headers) => {
    const body = JSON.stringify({ ref: 'refs/heads/dev', host, n: Math.random() });
    expect([(await hook(host, body, headers(body))).status]).toEqual([202]);
    expect((await hook(host, `${body} `, {})).status).toBe(401);
  });

  it.each<[string, Record<string, string>]>([
    ['github', { 'X-Hub-Signature-256': `sha256=${hex('other', '{}')}` }],
    ['gitlab', { 'X-Gitlab-Token': 'gl2' }],
    ['gitlab', { 'X-Gitlab-Token': '' }],
    ['gitlab', standard('{}', new Date(Date.now() - 600_000))],
    ['gitlab', { ...standard('{"other":1}') }],
    ['bitbucket', { 'X-Hub-Signature': `sha1=${hex('bb', '{}')}` }],
    ['gitea', { 'X-Gitea-Signature': 'zz' }],
  ])('%s without proof is refused', async (host, headers) => {
    expect((await hook(host, '{}', headers)).status).toBe(401);
  });

  it('verifies the example of GitHub’s documentation', () => {
    // docs.github.com, "Validating webhook deliveries", "Testing the webhook payload validation".
    const signature = 'sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17';
    const verify = verifyHmac("It's a Secret to Everybody", ['x-hub-signature-256'], PREFIXED);
    const body = Buffer.from('Hello, World!');
    expect(verify({ headers: { 'x-hub-signature-256': signature }, body })).toBe(true);
    expect(
      verify({ headers: { 'x-hub-signature-256': signature }, body: Buffer.from('Hello, World?') }),
    ).toBe(false);
  });

  it('rings once for a recorded delivery that is sent again', async () => {
    const body = JSON.stringify({ n: Math.random() });
    const headers = { 'X-Hub-Signature-256': `sha256=${hex('gh', body)}` };
    expect(text(await hook('github', body, headers))).toBe('{"accepted":true}');
    expect(text(await hook('github', body, headers))).toBe('{"accepted":true,"repeated":true}');
    expect((await hook('svn', '{}', {})).status).toBe(404);
  });
});
