import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { minutes } from '#kernel';
import type { ApprovalRecord, ChannelRequest, FleetEvent, GateAnswer } from '#fleet';
import type { Lease } from '#ports';
import { event } from '../support/records.js';
import { freshStores } from '../support/database.js';

const url = 'https://git.example.org/config.git';

describe('decisions on Postgres', () => {
  let stores: Awaited<ReturnType<typeof freshStores>>;
  let lease: Lease;
  beforeAll(async () => {
    stores = await freshStores({ clock: { now: () => 5_000 }, notificationRoutes: [{ route: 'all' }] });
    await stores.channels.syncChannels([{ name: 'beta', repository: url, branch: 'beta', position: 0 }]);
    lease = (await stores.leases.acquire('channel/beta', minutes(5))) as Lease;
  });
  afterAll(() => stores.drop());
  const news = (type: string): FleetEvent =>
    event(type, { subject: 'channel/beta', channel: 'beta', data: { evidence: ['shown'] } });

  it('keeps every word about a content, with audit row and event', async () => {
    const word = (id: string, decision: ApprovalRecord['decision'], at: number): ApprovalRecord => ({
      id,
      channel: 'beta',
      revisionId: 'r1',
      treeDigest: 't1',
      evidenceDigest: 'e1',
      decision,
      by: 'bob',
      roles: ['approver'],
      reason: 'fine',
      at,
    });
    await stores.decisions.addApproval(word('a2', 'reject', 2_000), news('approval.rejected'));
    await stores.decisions.addApproval(word('a1', 'approve', 1_000), news('approval.approved'));
    expect(await stores.decisions.approvals('beta', 't1')).toEqual([
      word('a1', 'approve', 1_000),
      word('a2', 'reject', 2_000),
    ]);
    expect(await stores.decisions.approvals('beta', 't2')).toEqual([]);
    const [audit] = await stores.audit.list(1);
    expect(audit).toMatchObject({
      actor: 'bob',
      action: 'promotion.approve',
      subject: 'channel/beta',
      reason: 'fine',
      data: { evidence: ['shown'] },
    });
    expect((await stores.outbox.eventsAfter(0, 10)).map((one) => one.type)).toEqual([
      'approval.rejected',
      'approval.approved',
    ]);
    await expect(stores.decisions.addApproval(word('a1', 'approve', 1_000), news('x'))).rejects.toThrow();
    expect(await stores.outbox.eventsAfter(0, 10)).toHaveLength(2);
  });

  it('forgets glass when it expires', async () => {
    const glass = {
      id: 'g',
      channel: 'beta',
      revisionId: 'r1',
      treeDigest: 't1',
      by: 'root',
      reason: 'fire',
      createdAt: 1_000,
      expiresAt: 3_000,
    };
    await stores.decisions.addBrokenGlass(glass, news('glass.broken'));
    expect(await stores.decisions.brokenGlass('beta', 't1', 2_999)).toEqual([glass]);
    expect(await stores.decisions.brokenGlass('beta', 't1', 3_000)).toEqual([]);
    expect(await stores.decisions.brokenGlass('beta', 'other', 2_000)).toEqual([]);
  });

  it('hands out open requests, oldest first, until they are settled under the lease', async () => {
    const request = (id: string, createdAt: number): ChannelRequest => ({
      id,
      kind: 'promote',
      channel: 'beta',
      revisionId: 'r1',
      by: 'olga',
      reason: 'go',
      state: 'open',
      createdAt,
    });
    await stores.decisions.addRequest(request('q2', 2_000), news('promote.requested'));
    await stores.decisions.addRequest(request('q1', 1_000), news('promote.requested'));
    expect((await stores.decisions.openRequests('beta')).map((one) => one.id)).toEqual(['q1', 'q2']);
    const settled = { ...request('q1', 1_000), state: 'refused', message: 'soak', settledAt: 3_000 } as const;
    await expect(
      stores.decisions.settleRequest({ ...lease, token: lease.token + 999 }, settled, []),
    ).rejects.toMatchObject({ failure: { code: 'lease-lost' } });
    await stores.decisions.settleRequest(lease, settled, [news('request.refused')]);
    expect(await stores.decisions.getRequest('q1')).toEqual(settled);
    expect((await stores.decisions.openRequests('beta')).map((one) => one.id)).toEqual(['q2']);
    expect((await stores.audit.list(1))[0]).toMatchObject({ action: 'promote.refused', reason: 'soak' });
  });

  it('keeps the newest answer of each check, policies and problems', async () => {
    const answer = (state: GateAnswer['state'], at: number): GateAnswer => ({
      channel: 'beta',
      gate: 'backup',
      name: 'etcd',
      state,
      message: 'm',
      by: 'velero',
      at,
    });
    await stores.decisions.saveAnswers([answer('fail', 1_000)]);
    await stores.decisions.saveAnswers([answer('pass', 2_000)]);
    expect(await stores.decisions.answers('beta')).toEqual([answer('pass', 2_000)]);
    await stores.decisions.savePolicy(
      lease,
      { channel: 'beta', commit: 'c1', policy: { channels: [] }, readAt: 1 },
      [],
    );
    const broken = { type: 'x', title: 't', detail: 'line 3', severity: 'error' } as const;
    await stores.decisions.savePolicy(
      lease,
      { channel: 'beta', commit: 'c2', problem: broken, readAt: 2 },
      [],
    );
    expect(await stores.decisions.policies()).toEqual([
      { channel: 'beta', commit: 'c2', problem: broken, readAt: 2 },
    ]);
    await stores.decisions.saveProblems(lease, 'channel/beta', [broken], []);
    await stores.decisions.saveProblems(lease, 'channel/beta', [], []);
  });

  it('logs deliveries, replays dead ones and enables the route again', async () => {
    const now = 10_000;
    const claimed = await stores.outbox.claim(now, 1, minutes(1));
    const [first] = claimed;
    await stores.outbox.settle(first?.id ?? '', { kind: 'disable', reason: 'HTTP 410' }, now);
    const states = await stores.deliveries.routes();
    expect(states).toMatchObject([{ name: 'all', pending: 0, disabledReason: 'HTTP 410' }]);
    const dead = await stores.deliveries.deliveries({ state: 'dead' }, 100);
    expect(dead.length).toBe(states[0]?.dead);
    expect(dead.some((one) => one.id === first?.id && one.reason === 'HTTP 410')).toBe(true);
    expect(await stores.deliveries.replay({ route: 'all' }, now)).toBe(dead.length);
    expect(await stores.deliveries.routes()).toMatchObject([{ name: 'all', pending: dead.length, dead: 0 }]);
    expect((await stores.deliveries.routes())[0]).not.toHaveProperty('disabledAt');
    const [again] = await stores.outbox.claim(now, 1, minutes(1));
    expect(again).toMatchObject({ attempt: 1 });
    await expect(stores.deliveries.replay({ id: 'none' }, now)).rejects.toMatchObject({
      failure: { code: 'not-found' },
    });
  });

  it('remembers threads', async () => {
    expect(await stores.threads.recall('slack', 'beta/1')).toBeUndefined();
    await stores.threads.remember('slack', 'beta/1', { ts: '1' }, 1);
    await stores.threads.remember('slack', 'beta/1', { ts: '2' }, 2);
    expect(await stores.threads.recall('slack', 'beta/1')).toEqual({ ts: '2' });
  });
});
