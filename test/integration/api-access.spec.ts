import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestApi, type TestApi } from '../support/api.js';
import { withClient } from '../support/database.js';
import { eventually } from '../support/eventually.js';
import { wireAccount, wireCluster, ACCOUNT_ID } from '../support/wire-records.js';

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
  await api.send('POST', '/infrastructure-accounts', { body: wireAccount() });
  await api.send('POST', '/kubernetes-clusters', { body: wireCluster('kube-1') });
});
afterAll(() => api.close());

interface Token {
  readonly id: string;
  readonly token: string;
}
const create = async (body: object): Promise<Token> =>
  (await api.send('POST', '/api/v1/tokens', { body })).body as Token;
const audit = async (): Promise<Record<string, unknown>[]> =>
  ((await api.send('GET', '/api/v1/audit?limit=500')).body as { items: Record<string, unknown>[] }).items;
const KUBE = wireCluster('kube-1').id;

describe('tokens', () => {
  it('show their secret once and are stored as a hash', async () => {
    const made = await create({ name: 'ci', role: 'operator', expires_in: '90d' });
    expect(made.token).toMatch(/^fwy_[\w-]{43}$/);
    const listed = await api.send('GET', '/api/v1/tokens');
    expect(listed.text).not.toContain(made.token);
    const entry = (listed.body as { items: Record<string, string>[] }).items.find(({ id }) => id === made.id);
    expect(Object.keys(entry ?? {}).sort()).toEqual(['created_at', 'expires_at', 'id', 'name', 'role']);
    expect(Date.parse(entry?.['expires_at'] as string) - Date.parse(entry?.['created_at'] as string)).toBe(
      90 * 86_400_000,
    );
    const hash = createHash('sha256').update(made.token).digest('hex');
    const dump = await withClient(api.databaseUrl, async (sql) => {
      const rows = await sql.query('SELECT * FROM api_tokens');
      const all = await sql.query(
        'SELECT (SELECT json_agg(a) FROM audit_log a)::text || (SELECT json_agg(e) FROM events e)::text AS all',
      );
      return { tokens: JSON.stringify(rows.rows), rest: JSON.stringify(all.rows) };
    });
    expect(dump.tokens).toContain(hash);
    for (const text of Object.values(dump)) expect(text).not.toContain(made.token);
    expect(dump.rest).not.toContain(hash);
  });

  it('are of use until revoked or expired', async () => {
    const made = await create({ name: 'short', role: 'viewer' });
    const brief = await create({ name: 'brief', role: 'viewer', expires_in: '1s' });
    const read = (token: string) => api.send('GET', '/api/v1/channels', { token });
    expect((await read(made.token)).status).toBe(200);
    expect((await api.send('DELETE', `/api/v1/tokens/${made.id}`)).status).toBe(204);
    await eventually(async () => (await read(made.token)).status === 401, 'the revocation');
    await eventually(async () => (await read(brief.token)).status === 401, 'the expiry');
    expect((await api.send('DELETE', `/api/v1/tokens/${made.id}`)).status).toBe(404);
  });

  it('are the business of admins', async () => {
    for (const role of ['viewer', 'operator', 'approver'] as const) {
      const token = await api.tokenFor(role);
      expect((await api.send('GET', '/api/v1/tokens', { token })).status).toBe(403);
      expect(
        (await api.send('POST', '/api/v1/tokens', { token, body: { name: 'me', role: 'admin' } })).status,
      ).toBe(403);
    }
  });

  it('name every wrong field', async () => {
    const answer = await api.send('POST', '/api/v1/tokens', { body: { role: 'king', expires_in: 'long' } });
    expect(answer.status).toBe(400);
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
    const { errors } = answer.body as { errors: { field: string }[] };
    expect(errors.map(({ field }) => field).sort()).toEqual(['expires_in', 'name', 'role']);
  });

  it('of operators change the registry, of approvers do not', async () => {
    const put = (token: string) =>
      api.send('PUT', `/kubernetes-clusters/${KUBE}/config-items/by_role`, { token, body: { value: 'x' } });
    expect((await put(await api.tokenFor('operator'))).status).toBe(200);
    expect((await put(await api.tokenFor('approver'))).status).toBe(403);
  });
});

describe('the audit log', () => {
  it('says who changed what, without the value', async () => {
    const { token } = await create({ name: 'alice', role: 'operator' });
    await api.send('PUT', `/kubernetes-clusters/${KUBE}/config-items/a_secret`, {
      token,
      body: { value: 'hunter-2-hunter' },
    });
    await api.send('PATCH', `/infrastructure-accounts/${ACCOUNT_ID}`, {
      token,
      body: { owner: 'team/alice' },
    });
    const entries = await audit();
    expect(entries[0]).toMatchObject({ actor: 'alice', subject: `account/${ACCOUNT_ID}` });
    expect(entries[1]).toMatchObject({
      actor: 'alice',
      action: 'cluster.config-item-set',
      subject: `cluster/${KUBE}`,
    });
    expect(JSON.stringify(entries)).not.toContain('hunter-2-hunter');
    expect(api.logged.join('')).not.toContain('hunter-2-hunter');
    expect(entries.map(({ action }) => action)).toEqual(
      expect.arrayContaining(['token.create', 'token.revoke', 'cluster.created']),
    );
  });

  it('is read page by page', async () => {
    const all = await audit();
    const page = (await api.send('GET', `/api/v1/audit?limit=2&before=${String(all[1]?.['id'])}`)).body as {
      items: { id: number }[];
    };
    expect(page.items.map(({ id }) => id)).toEqual(all.slice(2, 4).map(({ id }) => id));
  });
});

describe('holds', () => {
  const add = (body: object) => api.send('POST', '/api/v1/holds', { body });
  const active = async () =>
    ((await api.send('GET', '/api/v1/holds')).body as { items: { id: string; scope: object }[] }).items;

  it.each([
    [{ kind: 'fleet' }, { kind: 'fleet' }],
    [
      { kind: 'channel', channel: 'beta' },
      { kind: 'channel', channel: 'beta' },
    ],
    [
      { kind: 'cluster', cluster: 'kube-1' },
      { kind: 'cluster', clusterId: KUBE },
    ],
    [
      { kind: 'pool', cluster: KUBE, pool: 'pool-1' },
      { kind: 'pool', clusterId: KUBE, pool: 'pool-1' },
    ],
  ])('stop %j until released', async (scope, stored) => {
    const made = await add({ scope, reason: 'a look first', expires_in: '2h' });
    expect(made.status).toBe(201);
    const hold = made.body as { id: string; owner: string; scope: object };
    expect(hold).toMatchObject({ scope: stored, reason: 'a look first', owner: 'bootstrap' });
    expect(await active()).toHaveLength(1);
    expect((await api.send('DELETE', `/api/v1/holds/${hold.id}`)).status).toBe(204);
    expect(await active()).toEqual([]);
    expect((await audit())[0]).toMatchObject({ action: 'hold.released', actor: 'bootstrap' });
  });

  it.each([
    [{ scope: { kind: 'fleet' } }, ['reason']],
    [{ scope: { kind: 'moon' }, reason: 'x' }, ['scope.kind']],
    [{ scope: { kind: 'channel', channel: 'nightly' }, reason: 'x' }, ['scope.channel']],
    [{ scope: { kind: 'cluster', cluster: 'nobody' }, reason: 'x' }, ['scope.cluster']],
    [{ scope: { kind: 'pool', cluster: 'kube-1', pool: 'none' }, reason: 'x' }, ['scope.pool']],
    [{ scope: { kind: 'fleet' }, reason: 'x', expires_in: 'soon' }, ['expires_in']],
  ])('are refused as %j', async (body, fields) => {
    const answer = await add(body);
    expect(answer.status).toBe(400);
    expect((answer.body as { errors: { field: string }[] }).errors.map(({ field }) => field)).toEqual(fields);
  });

  it('that nobody has are not released', async () => {
    for (const id of ['nothing', '00000000-0000-4000-8000-000000000000']) {
      expect((await api.send('DELETE', `/api/v1/holds/${id}`)).status).toBe(404);
    }
  });
});

describe('clusters by alias', () => {
  it('are shown, planned and decommissioned only with their id as confirmation', async () => {
    expect((await api.send('GET', '/api/v1/clusters/kube-1')).body).toMatchObject({
      id: KUBE,
      phase: 'pending',
      steps: [],
      nodes: [],
    });
    expect((await api.send('GET', '/api/v1/clusters/kube-1/plan')).body).toMatchObject({
      status: 404,
      hint: expect.any(String),
    });
    expect((await api.send('GET', '/api/v1/clusters/nobody')).status).toBe(404);
    const end = (confirm: string) =>
      api.send('POST', '/api/v1/clusters/kube-1/decommission', { body: { confirm, reason: 'no more' } });
    expect((await end('kube-1')).status).toBe(400);
    const done = await end(KUBE);
    expect([done.status, done.body]).toEqual([
      202,
      { cluster: KUBE, lifecycle_status: 'decommission-requested' },
    ]);
    expect((await audit())[0]).toMatchObject({ subject: `cluster/${KUBE}`, reason: 'no more' });
  });
});

it('logs no token', async () => {
  await api.send('GET', '/kubernetes-clusters/%E0%A4%A', { headers: { 'X-Odd': 'x' } });
  const log = api.logged.join('');
  expect(log).not.toMatch(/fwy_/);
  expect(log).not.toContain(new URL(api.databaseUrl).password || 'fwy_');
});
