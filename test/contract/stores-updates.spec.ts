import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { minutes } from '#kernel';
import type { ClusterStatus, LockedInputs, Plan, Problem } from '#fleet';
import type { Lease, PassCommit } from '#ports';
import { account, cluster, event, intent, status, update } from '../support/records.js';
import { freshStores, withClient } from '../support/database.js';

const by = { actor: 'test' };

describe('updates on Postgres', () => {
  let stores: Awaited<ReturnType<typeof freshStores>>;
  let number = 0;
  let id: string;
  let lease: Lease;
  let now = 5_000;
  beforeAll(async () => {
    stores = await freshStores({ clock: { now: () => now } });
    await stores.registry.createAccount(account(), by);
  });
  afterAll(() => stores.drop());
  beforeEach(async () => {
    id = (await stores.registry.createCluster(cluster(`c${number++}`), by)).id;
    lease = (await stores.leases.acquire(`cluster/${id}`, minutes(5))) as Lease;
  });

  const commit = (over: Partial<PassCommit> = {}): Promise<void> =>
    stores.updates.commitPass(lease, {
      status: status(id),
      doorbellSeen: 1,
      memory: {},
      events: [],
      ...over,
    });
  const problem = (over: Partial<Problem> = {}): Problem => ({
    type: 'https://fairway.dev/problems/x',
    title: 'x',
    severity: 'error',
    firstSeen: 1_000,
    lastSeen: 2_000,
    ...over,
  });

  it('is due from the registration on, and no more after a pass that has nothing left', async () => {
    expect(await stores.updates.due(now, 100)).toContain(id);
    expect(await stores.updates.due(now - 1, 100)).not.toContain(id);
    expect(await stores.updates.runtime(id)).toEqual({
      clusterId: id,
      doorbell: 1,
      nextDueAt: now,
      memory: {},
    });
    await commit();
    expect(await stores.updates.due(now + minutes(60), 100)).not.toContain(id);
    await commit({ nextDueAt: now + 10 });
    expect(await stores.updates.due(now + 9, 100)).not.toContain(id);
    expect(await stores.updates.due(now + 10, 100)).toContain(id);
  });

  it('keeps a doorbell that rang during the pass', async () => {
    const seen = (await stores.updates.runtime(id))?.doorbell as number;
    await stores.updates.markDue([id], now + 7);
    await commit({ doorbellSeen: seen, nextDueAt: now + minutes(10) });
    expect(await stores.updates.runtime(id)).toMatchObject({ doorbell: seen + 1, nextDueAt: now });
    await commit({ doorbellSeen: seen + 1, nextDueAt: now + minutes(10) });
    expect((await stores.updates.runtime(id))?.nextDueAt).toBe(now + minutes(10));
  });

  it('orders due clusters: decommission, resumed, new, then the longest waiting', async () => {
    const ids: string[] = [];
    for (const name of ['old', 'older', 'new', 'resumed', 'dying']) {
      const created = await stores.registry.createCluster(cluster(`due-${name}-${number}`), by);
      ids.push(created.id);
      const own = (await stores.leases.acquire(`cluster/${created.id}`, minutes(5))) as Lease;
      const nextDueAt = { old: 300, older: 200, resumed: 400, dying: 500 }[name];
      if (name === 'resumed')
        await stores.registry.setConfigItem(created.id, 'cluster_update_block', 'why', by);
      const { doorbell } = (await stores.updates.runtime(created.id)) as { doorbell: number };
      const pass = { status: status(created.id), doorbellSeen: doorbell, memory: {}, events: [] };
      if (nextDueAt) await stores.updates.commitPass(own, { ...pass, nextDueAt });
    }
    const [old, older, fresh, resumed, dying] = ids as [string, string, string, string, string];
    await stores.registry.deleteConfigItem(resumed, 'cluster_update_block', by);
    await stores.registry.updateCluster(dying, { lifecycleStatus: 'decommission-requested' }, by);
    const due = (await stores.updates.due(now, 100)).filter((cluster) => ids.includes(cluster));
    expect(due).toEqual([dying, resumed, fresh, older, old]);
  });

  it('stores status, memory, lock and version of a pass, never clear text of secrets', async () => {
    const inputs: LockedInputs = {
      digest: 'sha256:1',
      availabilityZones: ['a'],
      subnets: { a: 'subnet-1' },
      loadBalancerSubnets: {},
      images: {},
      instanceTypes: {},
      decrypted: { 'aws:kms:xyz': 'clear-text-secret' },
    };
    const said: ClusterStatus = status(id, {
      phase: 'updating',
      message: 'odd \0 \ud800 text',
      updatedAt: 9,
    });
    await commit({ status: said, memory: { roll: { node: 'i-1' } }, inputs, events: [event('x.y')] });
    const runtime = await stores.updates.runtime(id);
    expect(runtime?.status?.phase).toBe('updating');
    expect(runtime?.status?.message).toBe('odd \uFFFD \uFFFD text');
    expect(runtime?.memory).toEqual({ roll: { node: 'i-1' } });
    expect(runtime?.inputs).toEqual({ ...inputs, decrypted: {} });
    await commit({ memory: {} });
    expect((await stores.updates.runtime(id))?.inputs).toEqual({ ...inputs, decrypted: {} });
    const dump = await withClient(stores.url, (c) => c.query(`SELECT inputs::text FROM cluster_runtimes`));
    expect(JSON.stringify(dump.rows)).not.toContain('clear-text-secret');
  });

  it('loads runtimes and statuses of many clusters with one query each', async () => {
    await commit({ status: status(id, { message: 'mine' }) });
    const other = (await stores.registry.createCluster(cluster(`other-${number}`), by)).id;
    const runtimes = await stores.updates.runtimes([id, other, 'aws:0:x:none']);
    expect(runtimes.map(({ clusterId }) => clusterId).sort()).toEqual([id, other].sort());
    const statuses = await stores.registry.statuses([id, other]);
    expect([...statuses.keys()]).toEqual([id]);
    expect(statuses.get(id)?.message).toBe('mine');
  });

  it('does not write a status that differs in updatedAt only', async () => {
    await commit({ status: status(id, { updatedAt: 1 }), nextDueAt: 1 });
    await commit({ status: status(id, { updatedAt: 2 }), nextDueAt: 2 });
    expect(await stores.updates.runtime(id)).toMatchObject({ status: { updatedAt: 1 }, nextDueAt: 2 });
    await commit({ status: status(id, { updatedAt: 3, message: 'news' }) });
    expect((await stores.updates.runtime(id))?.status).toMatchObject({ updatedAt: 3, message: 'news' });
  });

  it('opens one update per cluster, supersedes and ends it', async () => {
    const first = update(`${id}-1`, id, { revisionId: 'r1', commit: 'c1', desiredDigest: 'd1' });
    await stores.updates.startUpdate(lease, first, undefined, [event('update.started', { clusterId: id })]);
    expect(await stores.updates.openUpdate(id)).toEqual(first);
    await expect(
      stores.updates.startUpdate(lease, update('second', id), undefined, []),
    ).rejects.toMatchObject({
      failure: { code: 'already-exists' },
    });
    const second = update(`${id}-2`, id, { startedAt: 2_000 });
    await stores.updates.startUpdate(lease, second, first.id, []);
    expect(await stores.updates.getUpdate(first.id)).toEqual({
      ...first,
      state: 'superseded',
      finishedAt: 2_000,
    });
    const plan: Plan = {
      digest: 'sha256:2',
      stacks: [],
      objects: [],
      nodes: [],
      blockers: [],
      steps: ['validate'],
    };
    await commit({ update: { id: second.id, state: 'running', plan, desiredDigest: 'd2' } });
    await commit({ update: { id: second.id, state: 'succeeded' }, status: status(id, { updatedAt: 7_000 }) });
    expect(await stores.updates.openUpdate(id)).toBeUndefined();
    const [newest, oldest] = await stores.updates.listUpdates(id, 10);
    expect(newest).toEqual({ ...second, state: 'succeeded', plan, desiredDigest: 'd2', finishedAt: 7_000 });
    expect(oldest?.id).toBe(first.id);
  });

  it('records intents with memory in one transaction; a repeated write takes the place of its open intent', async () => {
    const up = update(`${id}-i`, id);
    await stores.updates.startUpdate(lease, up, undefined, []);
    await commit({ memory: { kept: 1, roll: 'old' } });
    const first = intent(`${id}-a`, up);
    const other = intent(`${id}-b`, up, { target: 'i-2' });
    await stores.updates.recordIntents(lease, [first, other], { roll: 'new' });
    expect(await stores.updates.unsettledIntents(id)).toEqual([first, other]);
    expect((await stores.updates.runtime(id))?.memory).toEqual({ kept: 1, roll: 'new' });
    await stores.updates.recordIntents(lease, [first]);
    const again = intent(`${id}-c`, up, { recordedAt: 3_000 });
    await stores.updates.recordIntents(lease, [again], { more: true });
    expect((await stores.updates.runtime(id))?.memory).toEqual({ kept: 1, roll: 'new', more: true });
    expect(await stores.updates.unsettledIntents(id)).toEqual([other, again]);
    await stores.updates.settleIntents(lease, [first.id, again.id], 'done', 4_000);
    expect(await stores.updates.unsettledIntents(id)).toEqual([other]);
    const all = await stores.updates.listIntents(up.id);
    expect(all).toEqual([
      { ...first, settledAt: 3_000, result: 'repeated' },
      other,
      { ...again, settledAt: 4_000, result: 'done' },
    ]);
    await expect(stores.registry.deleteCluster(id, by)).rejects.toMatchObject({
      failure: { code: 'cluster-not-empty' },
    });
    await expectToStay(id);
    await stores.registry.updateCluster(id, { lifecycleStatus: 'decommissioned' }, by);
    await stores.registry.updateCluster(id, { region: 'eu-west-1' }, by);
    await stores.registry.deleteCluster(id, by);
  });

  /** What was made for it would be looked for, and made again, elsewhere. */
  async function expectToStay(clusterId: string): Promise<void> {
    const present = await stores.registry.getCluster(clusterId);
    await stores.registry.createAccount(account({ id: 'aws:other', externalId: '999999999999' }), by);
    for (const [patch, field] of [
      [{ region: 'eu-west-1' }, 'region'],
      [{ localId: 'elsewhere' }, 'local_id'],
      [{ provider: 'zalando-eks' }, 'provider'],
      [{ infrastructureAccount: 'aws:other' }, 'infrastructure_account'],
    ] as const) {
      await expect(stores.registry.updateCluster(clusterId, patch, by)).rejects.toMatchObject({
        failure: { code: 'cluster-not-empty', message: expect.stringContaining(`${field} of cluster`) },
      });
    }
    const accountId = present?.infrastructureAccount as string;
    await expect(
      stores.registry.updateAccount(accountId, { externalId: '999999999999' }, by),
    ).rejects.toMatchObject({
      failure: {
        code: 'account-not-empty',
        message: expect.stringContaining(`: ${present?.alias}`),
      },
    });
    await stores.registry.updateAccount('aws:other', { externalId: '888888888888' }, by);
    await stores.registry.updateCluster(clusterId, { region: 'eu-central-1', environment: 'other' }, by);
    expect(await stores.registry.getCluster(clusterId)).toMatchObject({
      region: 'eu-central-1',
      environment: 'other',
    });
  }

  it('moves the lifecycle but never takes a decommission request back', async () => {
    await commit({ lifecycle: 'ready' });
    expect(await stores.registry.getCluster(id)).toMatchObject({
      lifecycleStatus: 'ready',
      recordVersion: 2,
    });
    await commit({ lifecycle: 'ready' });
    await stores.registry.updateCluster(id, { lifecycleStatus: 'decommission-requested' }, by);
    await commit({ lifecycle: 'ready' });
    expect((await stores.registry.getCluster(id))?.lifecycleStatus).toBe('decommission-requested');
    await commit({ lifecycle: 'decommissioned' });
    expect((await stores.registry.getCluster(id))?.lifecycleStatus).toBe('decommissioned');
  });

  it('keeps the list of problems: opened, seen again, resolved', async () => {
    const subject = `cluster/${id}`;
    const [a, b] = [problem({ detail: 'a' }), problem({ detail: 'b', hint: 'do' })];
    await commit({ status: status(id, { problems: [a, b] }) });
    await commit({ status: status(id, { problems: [{ ...a, lastSeen: 3_000 }], updatedAt: 4_000 }) });
    const open = await stores.problems.list({ subject, open: true }, 10);
    expect(open).toMatchObject([{ ...a, subject, firstSeen: 1_000, lastSeen: 3_000 }]);
    await commit({ status: status(id, { updatedAt: 5_000 }) });
    expect(await stores.problems.list({ subject, open: true }, 10)).toEqual([]);
    const all = await stores.problems.list({ subject }, 10);
    expect(all.map(({ detail, resolvedAt }) => [detail, resolvedAt])).toEqual([
      ['a', 5_000],
      ['b', 4_000],
    ]);
  });

  it('makes the inventory exactly what was recorded last', async () => {
    const ref = (name: string) => ({ apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'ns', name });
    await stores.updates.recordInventory(lease, id, [
      { ref: ref('a'), component: 'x' },
      { ref: ref('b'), component: 'x', uid: 'u-b' },
    ]);
    await stores.updates.recordInventory(lease, id, [
      { ref: ref('b'), component: 'y', uid: 'u-b' },
      { ref: { apiVersion: 'v1', kind: 'Namespace', name: 'ns' }, component: 'x' },
    ]);
    expect(await stores.updates.inventory(id)).toEqual(
      [
        { ref: { apiVersion: 'v1', kind: 'Namespace', name: 'ns' }, component: 'x' },
        { ref: ref('b'), component: 'y', uid: 'u-b' },
      ].sort((x, y) => (x.ref.kind < y.ref.kind ? 1 : -1)),
    );
  });

  it('marks overlapping sets of clusters due from many sides without a deadlock', async () => {
    const ids = (await stores.registry.listClusters({})).map((cluster) => cluster.id);
    const before = (await stores.updates.runtime(id))?.doorbell ?? 0;
    await Promise.all(
      Array.from({ length: 20 }, (_, n) => stores.updates.markDue(n % 2 ? ids : [...ids].reverse(), now)),
    );
    expect((await stores.updates.runtime(id))?.doorbell).toBe(before + 20);
  });
});
