import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  createClusterReconciler,
  createRenderService,
  DEFAULT_ENGINE_SETTINGS,
  type EnginePorts,
} from '#engine';
import type { KubernetesObject } from '#fleet';
import { FailureError, randomIds } from '#kernel';
import type { ObjectsPlan } from '../../libs/engine/src/plan/plan-objects.js';
import { configMap, Killed, ManifestsBed, type ComponentInput } from '../support/manifests-bed.js';

const maps = (from: number, to: number): readonly KubernetesObject[] =>
  Array.from({ length: to - from }, (_, at) => configMap(`m-${from + at}`));

const ours = (bed: ManifestsBed): readonly string[] =>
  bed.store
    .list('configmaps', { labelSelector: 'app.kubernetes.io/managed-by=fairway' })
    .map(({ metadata }) => metadata.name)
    .sort();

const inventoryOf = async (bed: ManifestsBed): Promise<readonly string[]> =>
  (await bed.stores.updates.inventory(bed.clusterId)).map(({ ref }) => ref.name).sort();

const leaving = ({ objects }: ObjectsPlan): readonly string[] =>
  objects
    .filter(({ action, kept }) => action === 'delete' || kept !== undefined)
    .map(({ ref, action, kept }) =>
      kept === undefined ? `${ref.name} ${action}` : `${ref.name} kept: ${kept}`,
    );

describe('the prune step', () => {
  let bed: ManifestsBed;
  beforeEach(async () => {
    bed = await ManifestsBed.open();
  });
  afterEach(() => bed.close());

  const confirm = async (): Promise<void> => {
    const state = await bed.stores.updates.pruneState(bed.clusterId);
    await bed.stores.updates.requestManifests({
      id: `confirm-${Date.now()}`,
      clusterId: bed.clusterId,
      kind: 'confirm-prune',
      digest: state?.digest ?? '',
      actor: 'somebody',
      reason: 'it is meant',
      requestedAt: bed.clock.now(),
    });
  };
  const settled = async (components: readonly ComponentInput[]) => {
    bed.commit(components);
    const result = await bed.settle();
    expect(result.manifests).toMatchObject({ kind: 'done' });
    return result;
  };

  it('deletes what left Git in reverse order, and forgets it', async () => {
    const service: KubernetesObject = {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 's', namespace: 'default' },
      spec: { ports: [{ port: 80 }] },
    };
    await settled([{ name: 'a', objects: [...maps(0, 3), service] }]);
    bed.commit([{ name: 'a', objects: maps(0, 2) }]);
    expect([...leaving(await bed.plan())].sort()).toEqual(['m-2 delete', 's delete']);
    const before = bed.requestCount;
    const { prune } = await settled([{ name: 'a', objects: maps(0, 2) }]);
    expect(prune).toMatchObject({ kind: 'done', changed: true, summary: '2 objects deleted' });
    const deleted = bed.requests(before).filter(({ verb }) => verb === 'delete');
    expect(deleted.map(({ name }) => name)).toEqual(['s', 'm-2']);
    expect(ours(bed)).toEqual(['m-0', 'm-1']);
    expect(await inventoryOf(bed)).toEqual(['m-0', 'm-1']);
  });

  it('keeps a component whose directory vanished, until a tombstone says so; an empty render keeps everything', async () => {
    const both = [
      { name: 'a', objects: maps(0, 2) },
      { name: 'b', objects: maps(2, 4) },
    ];
    await settled(both);
    bed.commit([{ name: 'a', objects: maps(0, 2) }]);
    expect(leaving(await bed.plan())).toEqual([
      'm-2 kept: the whole component b is gone from Git',
      'm-3 kept: the whole component b is gone from Git',
    ]);
    const { report } = await settled([{ name: 'a', objects: maps(0, 2) }]);
    expect(report.problems).toMatchObject([
      { title: 'prune blocked: component vanished', hint: expect.stringContaining('removed: true') },
    ]);
    expect(ours(bed)).toHaveLength(4);
    await settled([]);
    expect(ours(bed)).toHaveLength(4);
    await settled([
      { name: 'a', objects: maps(0, 2) },
      { name: 'b', objects: [], removed: true },
    ]);
    expect(ours(bed)).toEqual(['m-0', 'm-1']);
    expect(await bed.stores.updates.pruneState(bed.clusterId)).toBeUndefined();
  });

  it('30 of 100 objects wait for a confirmation of exactly this set', async () => {
    await settled([{ name: 'a', objects: maps(0, 100) }]);
    const { report } = await settled([{ name: 'a', objects: maps(30, 100) }]);
    expect(report.problems[0]).toMatchObject({
      title: 'prune blocked: over budget',
      detail: expect.stringContaining('30 objects would go at once, 10 may'),
    });
    expect(ours(bed)).toHaveLength(100);
    await confirm();
    // Another set by the time that it is looked at: the confirmation does not count.
    await settled([{ name: 'a', objects: maps(31, 100) }]);
    expect(ours(bed)).toHaveLength(100);
    expect(await bed.stores.updates.openManifestRequests(bed.clusterId)).toEqual([]);
    await confirm();
    const { prune } = await bed.pass();
    expect(prune).toMatchObject({ summary: '31 objects deleted' });
    expect(ours(bed)).toHaveLength(69);
  });

  it('a confirmation survives a crash in the middle of the prune', async () => {
    await settled([{ name: 'a', objects: maps(0, 100) }]);
    await settled([{ name: 'a', objects: maps(90, 100) }]);
    await confirm();
    // After 90 reads, in the middle of the deletions.
    bed.dieAfter(130);
    await expect(bed.pass()).rejects.toThrow(Killed);
    bed.restart();
    expect(ours(bed).length).toBeLessThan(100);
    expect(ours(bed).length).toBeGreaterThan(10);
    await bed.pass();
    expect(ours(bed)).toHaveLength(10);
  });

  it('kinds that hold data need a confirmation, the rest goes on', async () => {
    const namespace: KubernetesObject = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'data' } };
    await settled([{ name: 'a', objects: [namespace, ...maps(0, 2)] }]);
    const { report } = await settled([{ name: 'a', objects: maps(0, 1) }]);
    expect(ours(bed)).toEqual(['m-0']);
    expect(report.problems).toMatchObject([
      {
        detail: 'Namespace data: deleting a Namespace deletes data',
        hint: expect.stringContaining('Confirm'),
      },
    ]);
    await confirm();
    await bed.pass();
    expect(
      bed.store.get('namespaces', undefined, 'data')?.metadata.deletionTimestamp ?? 'gone',
    ).toBeDefined();
  });

  it('leaves what is not ours, and says so', async () => {
    await settled([{ name: 'a', objects: maps(0, 6) }]);
    const relabel = (name: string, body: Record<string, unknown>) =>
      bed.store.patch('configmaps', 'default', name, { type: 'merge', body }, { manager: 'kubectl-edit' });
    // Somebody deleted it and made another one under our labels.
    const labels = bed.store.get('configmaps', 'default', 'm-1')?.metadata.labels ?? {};
    bed.store.remove('configmaps', 'default', 'm-1');
    bed.store.create('configmaps', { metadata: { name: 'm-1', namespace: 'default', labels } });
    relabel('m-2', { metadata: { annotations: { 'fairway.dev/prune': 'disabled' } } });
    relabel('m-3', { metadata: { labels: { 'fairway.dev/cluster': 'another' } } });
    // A stranger that only carries our labels was never applied by us.
    bed.store.create('configmaps', { metadata: { name: 'foreign', namespace: 'default', labels } });
    const stop = bed.store.admission.add({
      name: 'guard.example.org',
      operations: ['DELETE'],
      resources: ['configmaps'],
      review: ({ name }) => (name === 'm-4' ? { deny: 'm-4 is needed' } : { allow: true }),
    });
    const { prune, report } = await settled([{ name: 'a', objects: maps(0, 1) }]);
    expect(prune).toMatchObject({ kind: 'done', summary: '1 objects deleted, 4 kept' });
    const words = report.problems.map(({ detail }) => detail).join('\n');
    expect(words).toMatch(/m-1: somebody deleted it and created it again/);
    expect(words).toMatch(/m-2: annotation fairway.dev\/prune: disabled/);
    expect(words).toMatch(/m-3: it does not carry the labels/);
    expect(words).toMatch(/m-4.*guard.example.org.*m-4 is needed/);
    expect(ours(bed)).toEqual(['foreign', 'm-0', 'm-1', 'm-2', 'm-3', 'm-4']);
    stop();
    await bed.pass();
    expect(ours(bed)).toEqual(['foreign', 'm-0', 'm-1', 'm-2', 'm-3']);
  });
});

describe('a process that dies', () => {
  let bed: ManifestsBed;
  beforeAll(async () => {
    bed = await ManifestsBed.open();
  });
  afterAll(() => bed.close());

  /** Adds m-6 to m-8, changes m-0, drops m-4 and m-5. */
  const second = (): readonly ComponentInput[] => [
    { name: 'a', objects: [configMap('m-0', { a: '2' }), ...maps(1, 4)] },
    { name: 'b', objects: maps(6, 9) },
  ];
  const first = (): readonly ComponentInput[] => [
    { name: 'a', objects: maps(0, 6) },
    { name: 'b', objects: [] },
  ];
  /** Drops more: m-3, m-7 and m-8. */
  const third = (): readonly ComponentInput[] => [
    { name: 'a', objects: [configMap('m-0', { a: '2' }), ...maps(1, 3)] },
    { name: 'b', objects: maps(6, 7) },
  ];

  it('after any call leaves no orphan, loses nothing and makes nothing twice', async () => {
    let deaths = 0;
    for (let calls = 1; ; calls += 1) {
      bed.restart();
      bed.commit(first());
      await bed.settle();
      expect(ours(bed)).toEqual(['m-0', 'm-1', 'm-2', 'm-3', 'm-4', 'm-5']);
      const uid = bed.store.get('configmaps', 'default', 'm-1')?.metadata.uid;
      bed.commit(second());
      bed.dieAfter(calls);
      const died = await bed.settle().then(
        () => false,
        (error: unknown) => {
          if (error instanceof Killed) return true;
          throw error;
        },
      );
      bed.restart();
      bed.commit(third());
      const result = await bed.settle();
      expect(result.manifests, `after ${calls} calls`).toMatchObject({ kind: 'done' });
      expect(result.report.problems, `after ${calls} calls`).toEqual([]);
      expect(ours(bed), `after ${calls} calls`).toEqual(['m-0', 'm-1', 'm-2', 'm-6']);
      expect(await inventoryOf(bed)).toEqual(['m-0', 'm-1', 'm-2', 'm-6']);
      const kept = bed.store.get('configmaps', 'default', 'm-1');
      expect(kept?.metadata.uid, 'what stays is never made again').toBe(uid);
      expect(bed.store.get('configmaps', 'default', 'm-0')?.['data']).toEqual({ a: '2' });
      if (!died) break;
      deaths += 1;
    }
    expect(deaths).toBeGreaterThan(15);
  });
});

describe('a repository that does not answer', () => {
  it('stops the pass before any step: nothing is written, nothing pruned, and it is told', async () => {
    const bed = await ManifestsBed.open();
    try {
      bed.commit([{ name: 'a', objects: maps(0, 6) }]);
      await bed.settle();
      const { channels, leases, updates } = bed.stores;
      const [name, url] = ['dev', 'https://git.example.org/fleet.git'];
      await channels.syncChannels([{ name, repository: url, branch: name, position: 0 }]);
      const lease = await leases.acquire(`repository/${url}`, 60_000);
      if (!lease) throw new Error('no lease');
      const revision = {
        id: 'r1',
        repository: url,
        commit: 'c0ffee',
        treeDigest: 'sha256:1',
        author: 'a',
        subject: 's',
        committedAt: '2026-01-01T00:00:00Z',
      };
      const entry = {
        channel: name,
        revisionId: 'r1',
        phase: 'deploying',
        wave: 0,
        waves: 1,
        enteredAt: 1,
        admitted: true,
        reasons: [],
      } as const;
      await channels.recordHead(lease, { channel: name, revision, entry }, []);
      const admit = [{ clusterId: bed.clusterId, revisionId: 'r1' }];
      await channels.commitChannel(lease, { channel: name, admit, runs: [], events: [] });
      await leases.release(lease);
      const away = new FailureError({
        class: 'transient',
        code: 'git-unreachable',
        message: 'no route to Git',
      });
      const ports = {
        ...bed.stores,
        doorbell: { ring: async () => undefined },
        git: { readTree: () => Promise.reject(away) },
        aws: { connect: async () => ({}) },
        kubernetes: { connect: async () => ({}) },
        clock: bed.clock,
        ids: randomIds,
        log: { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} },
      } as unknown as EnginePorts;
      const reconciler = createClusterReconciler(ports, DEFAULT_ENGINE_SETTINGS, createRenderService(ports));
      const before = bed.requestCount;
      expect(await reconciler.reconcile(bed.clusterId)).toMatchObject({ kind: 'passed', phase: 'waiting' });
      expect(bed.requestCount).toBe(before);
      expect(ours(bed)).toHaveLength(6);
      expect((await updates.runtime(bed.clusterId))?.status?.problems).toMatchObject([
        { title: 'git unreachable' },
      ]);
    } finally {
      await bed.close();
    }
  });
});
