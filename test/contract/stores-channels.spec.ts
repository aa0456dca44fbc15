import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { minutes } from '#kernel';
import type { ChannelRevision, ConformanceRun, Hold, Promotion, Revision } from '#fleet';
import type { Lease } from '#ports';
import { account, cluster, event, status } from '../support/records.js';
import { freshStores } from '../support/database.js';

const by = { actor: 'test' };
const url = 'https://git.example.org/config.git';
const configured = [
  { name: 'dev', repository: url, branch: 'dev', position: 0 },
  { name: 'alpha', repository: url, branch: 'alpha', from: 'dev', position: 1 },
];
const revision = (id: string, over: Partial<Revision> = {}): Revision => ({
  id,
  repository: url,
  commit: `commit-${id}`,
  treeDigest: `tree-${id}`,
  author: 'Ann <ann@example.org>',
  subject: 'change it',
  committedAt: '2026-01-02T03:04:05+01:00',
  ...over,
});
const entry = (
  channel: string,
  revisionId: string,
  over: Partial<ChannelRevision> = {},
): ChannelRevision => ({
  channel,
  revisionId,
  phase: 'seen',
  wave: 0,
  waves: 2,
  enteredAt: 1_000,
  admitted: false,
  reasons: [],
  ...over,
});

describe('channels on Postgres', () => {
  let stores: Awaited<ReturnType<typeof freshStores>>;
  let now = 10_000;
  let dev: Lease;
  const head = (channel: string, of: Revision, over: Partial<ChannelRevision> = {}) => ({
    channel,
    revision: of,
    entry: entry(channel, of.id, over),
  });
  beforeAll(async () => {
    stores = await freshStores({ clock: { now: () => now } });
    await stores.registry.createAccount(account(), by);
    await stores.channels.syncChannels(configured);
    dev = (await stores.leases.acquire('channel/dev', minutes(5))) as Lease;
  });
  afterAll(() => stores.drop());

  it('takes over the configured channels, drops unused ones, keeps those that clusters are on', async () => {
    await stores.channels.syncChannels([
      ...configured,
      { name: 'old', repository: 'r2', branch: 'b', position: 9 },
    ]);
    await stores.channels.syncChannels([
      ...configured,
      { name: 'used', repository: url, branch: 'u', position: 7 },
    ]);
    const { id } = await stores.registry.createCluster(cluster('used', { channel: 'used' }), by);
    await Promise.all(Array.from({ length: 5 }, () => stores.channels.syncChannels(configured)));
    expect((await stores.channels.listChannels()).map(({ name }) => name)).toEqual(['dev', 'alpha', 'used']);
    expect(await stores.channels.repositories()).toEqual([{ url }]);
    await stores.registry.deleteCluster(id, by);
    await stores.channels.syncChannels(configured);
    expect(await stores.channels.listChannels()).toEqual(configured);
  });

  it('records heads with revision, entry and events, and supersedes what was there', async () => {
    const [first, second] = [revision('r1'), revision('r2')];
    await stores.channels.recordHead(dev, head('dev', first), [event('revision.seen', { channel: 'dev' })]);
    await stores.channels.recordHead(dev, { ...head('dev', second), pausedReason: 'history-rewritten' }, []);
    expect((await stores.channels.listChannels())[0]).toEqual({
      ...configured[0],
      headCommit: second.commit,
      headRevisionId: second.id,
      pausedReason: 'history-rewritten',
    });
    expect(await stores.channels.getRevision('r1')).toEqual(first);
    expect(await stores.channels.getRevision('none')).toBeUndefined();
    expect((await stores.channels.channelRevisions('dev', 10)).map((e) => [e.revisionId, e.phase])).toEqual([
      ['r2', 'seen'],
      ['r1', 'superseded'],
    ]);
    await stores.channels.recordHead(dev, head('dev', first, { enteredAt: 3_000 }), []);
    expect(await stores.channels.channelRevisions('dev', 1)).toEqual([
      entry('dev', 'r1', { enteredAt: 3_000 }),
    ]);
    expect((await stores.channels.listChannels())[0]?.pausedReason).toBe('history-rewritten');
  });

  it('refuses a decision for a head that was replaced meanwhile', async () => {
    const { id } = await stores.registry.createCluster(cluster('not-admitted'), by);
    const commit = {
      channel: 'dev',
      current: entry('dev', 'r2', { phase: 'deploying' }),
      admit: [{ clusterId: id, revisionId: 'r2' }],
      runs: [],
      events: [event('never.stored')],
    };
    await expect(stores.channels.commitChannel(dev, commit)).rejects.toMatchObject({
      failure: { class: 'conflict', code: 'channel-moved' },
    });
    const phases = (await stores.channels.channelRevisions('dev', 9)).map((e) => [e.revisionId, e.phase]);
    expect(phases).toContainEqual(['r2', 'superseded']);
    expect(await stores.updates.runtime(id)).not.toHaveProperty('admittedRevisionId');
  });

  it('knows revisions by content, and one commit once', async () => {
    const alpha = (await stores.leases.acquire('channel/alpha', minutes(5))) as Lease;
    await stores.channels.recordHead(alpha, head('alpha', revision('r1')), []);
    const twin = revision('r3', { treeDigest: 'tree-r1' });
    await stores.channels.recordHead(dev, head('dev', twin), []);
    expect((await stores.channels.revisionsByTree('tree-r1')).map(({ id }) => id)).toEqual(['r1', 'r3']);
    const same = revision('r4', { commit: 'commit-r1' });
    await expect(stores.channels.recordHead(dev, head('dev', same), [])).rejects.toMatchObject({
      failure: { code: 'already-exists' },
    });
  });

  it('commits a channel pass: entry, pause, runs, and admitted clusters that become due once', async () => {
    await stores.channels.recordHead(dev, head('dev', revision('r1')), []);
    const { id } = await stores.registry.createCluster(cluster('admitted'), by);
    const own = (await stores.leases.acquire(`cluster/${id}`, minutes(5))) as Lease;
    await stores.updates.commitPass(own, { status: status(id), doorbellSeen: 9, memory: {}, events: [] });
    const current = entry('dev', 'r1', {
      phase: 'deploying',
      wave: 1,
      admitted: true,
      convergedAt: 2_000,
      reasons: [{ gate: 'soak', state: 'pending', message: 'for 2h', nextChangeAt: 99 }],
    });
    const admit = [{ clusterId: id, revisionId: 'r1' }];
    await stores.channels.commitChannel(dev, {
      channel: 'dev',
      current,
      admit,
      runs: [],
      pausedReason: 'held',
      events: [],
    });
    await stores.channels.commitChannel(dev, { channel: 'dev', admit, runs: [], events: [] });
    expect(await stores.updates.runtime(id)).toMatchObject({
      admittedRevisionId: 'r1',
      nextDueAt: now,
      doorbell: 2,
    });
    const stored = (await stores.channels.channelRevisions('dev', 10)).find((e) => e.revisionId === 'r1');
    expect(stored).toEqual(current);
    expect((await stores.channels.listChannels())[0]?.pausedReason).toBe('held');
    const { convergedAt, ...later } = current;
    await stores.channels.commitChannel(dev, {
      channel: 'dev',
      current: later,
      admit: [],
      runs: [],
      pausedReason: null,
      events: [],
    });
    const cleared = (await stores.channels.channelRevisions('dev', 10)).find((e) => e.revisionId === 'r1');
    expect(cleared).not.toHaveProperty('convergedAt', convergedAt);
    expect((await stores.channels.listChannels())[0]).not.toHaveProperty('pausedReason');
  });

  it('keeps what a fetch found, and its problem', async () => {
    const repo = (await stores.leases.acquire(`repository/${url}`, minutes(5))) as Lease;
    const problem = {
      type: 't',
      title: 'git unreachable',
      severity: 'error',
      instance: `repository/${url}`,
    } as const;
    await stores.channels.recordFetch(repo, { url, lastFetchAt: 5_000, lastSuccessAt: 4_000, problem }, []);
    expect(await stores.channels.repositories()).toEqual([
      { url, lastFetchAt: 5_000, lastSuccessAt: 4_000, problem },
    ]);
    expect(await stores.problems.list({ subject: `repository/${url}`, open: true }, 9)).toHaveLength(1);
    await stores.channels.recordFetch(repo, { url, lastFetchAt: 6_000, lastSuccessAt: 6_000 }, []);
    expect(await stores.channels.repositories()).toEqual([{ url, lastFetchAt: 6_000, lastSuccessAt: 6_000 }]);
    expect(await stores.problems.list({ subject: `repository/${url}`, open: true }, 9)).toEqual([]);
  });

  it('keeps conformance runs', async () => {
    const run = (id: string, over: Partial<ConformanceRun> = {}): ConformanceRun => ({
      id,
      channel: 'dev',
      clusterId: 'aws:1:x:y',
      suite: 'quick',
      revisionId: 'r1',
      commit: 'commit-r1',
      treeDigest: 'tree-r1',
      desiredDigest: 'd',
      attempt: 1,
      state: 'pending',
      failedTests: [],
      createdAt: 1_000,
      ...over,
    });
    const running = run('a', { state: 'running', startedAt: 2_000 });
    const finished = run('b', {
      createdAt: 2_000,
      state: 'finished',
      verdict: 'fail',
      reason: 'tests-failed',
      executed: 3,
      failedTests: ['x'],
      finishedAt: 3_000,
    });
    await stores.channels.saveRun(dev, run('a'), []);
    await stores.channels.saveRun(dev, running, []);
    await stores.channels.commitChannel(dev, { channel: 'dev', admit: [], runs: [finished], events: [] });
    expect(await stores.channels.unfinishedRuns('aws:1:x:y')).toEqual([running]);
    expect(await stores.channels.runsFor({ treeDigest: 'tree-r1', channel: 'dev' }, 10)).toEqual([
      finished,
      running,
    ]);
    expect(await stores.channels.runsFor({ clusterId: 'other' }, 10)).toEqual([]);
  });

  it('keeps promotions, intended then settled', async () => {
    const promotion: Promotion = {
      id: 'p1',
      revisionId: 'r1',
      fromChannel: 'dev',
      toChannel: 'alpha',
      state: 'intended',
      evidence: [{ gate: 'soak', state: 'pass', message: 'ok' }],
      createdAt: 1_000,
    };
    await stores.channels.recordPromotion(dev, promotion);
    expect(await stores.channels.promotions(10, { toChannel: 'alpha', state: 'intended' })).toEqual([
      promotion,
    ]);
    const settled = { ...promotion, state: 'done', settledAt: 2_000, expectedCommit: 'c' } as const;
    await stores.channels.settlePromotion(dev, settled, [event('promotion.done', { channel: 'alpha' })]);
    expect(await stores.channels.promotions(10)).toEqual([settled]);
    expect(await stores.channels.promotions(10, { state: 'intended' })).toEqual([]);
  });

  it('adds and releases holds of every scope, wakes their clusters, and leaves a trace', async () => {
    const { id } = await stores.registry.createCluster(cluster('held'), by);
    const hold = (holdId: string, scope: Hold['scope'], over: Partial<Hold> = {}): Hold => ({
      id: holdId,
      scope,
      reason: 'because',
      owner: 'team/x',
      createdAt: now++,
      ...over,
    });
    const holds = [
      hold('h1', { kind: 'fleet' }),
      hold('h2', { kind: 'channel', channel: 'dev' }, { expiresAt: now + 1_000 }),
      hold('h3', { kind: 'cluster', clusterId: id }),
      hold('h4', { kind: 'pool', clusterId: id, pool: 'workers' }),
    ];
    const before = (await stores.updates.runtime(id))?.doorbell ?? 0;
    for (const each of holds) await stores.channels.addHold(each, 'alice');
    expect(await stores.channels.holds()).toEqual(holds);
    expect((await stores.updates.runtime(id))?.doorbell).toBe(before + 4);
    now += 5_000;
    expect((await stores.channels.holds()).map((h) => h.id)).toEqual(['h1', 'h3', 'h4']);
    await stores.channels.releaseHold('h3', 'bob', now);
    await stores.channels.releaseHold('h3', 'bob', now);
    expect((await stores.channels.holds()).map((h) => h.id)).toEqual(['h1', 'h4']);
    expect((await stores.updates.due(now, 1))[0]).toBe(id);
    const trace = (await stores.audit.list(5)).map(({ actor, action, subject }) => [actor, action, subject]);
    expect(trace[0]).toEqual(['bob', 'hold.released', `cluster/${id}`]);
    expect(trace[1]).toEqual(['alice', 'hold.added', `cluster/${id}`]);
    await expect(stores.channels.releaseHold('none', 'bob', now)).rejects.toMatchObject({
      failure: { code: 'not-found' },
    });
  });
});
