import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { KubernetesObject } from '#fleet';
import { configMap, ManifestsBed, type ComponentInput } from '../support/manifests-bed.js';

const namespace = (name: string): KubernetesObject => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name },
});

const deployment = (name: string, over: Record<string, unknown> = {}): KubernetesObject => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name, namespace: 'default' },
  spec: {
    replicas: 2,
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name } },
      spec: { containers: [{ name: 'main', image: 'registry/a:1' }] },
    },
    ...over,
  },
});

const crd: KubernetesObject = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'things.test.fairway.dev' },
  spec: {
    group: 'test.fairway.dev',
    scope: 'Namespaced',
    names: { plural: 'things', singular: 'thing', kind: 'Thing', listKind: 'ThingList' },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: { spec: { type: 'object', properties: { size: { type: 'integer' } } } },
          },
        },
      },
    ],
  },
};
const thing = {
  apiVersion: 'test.fairway.dev/v1',
  kind: 'Thing',
  metadata: { name: 'one', namespace: 'default' },
  spec: { size: 1 },
};

/** 40 components with 250 objects in all. */
const many = (): readonly ComponentInput[] =>
  Array.from({ length: 40 }, (_, at) => ({
    name: `component-${at}`,
    health: 'ignore' as const,
    objects: Array.from({ length: at < 10 ? 7 : 6 }, (_entry, index) =>
      index === 0
        ? deployment(`d-${at}`)
        : index === 1
          ? {
              apiVersion: 'v1',
              kind: 'Service',
              metadata: { name: `s-${at}`, namespace: 'default' },
              spec: { selector: { app: `d-${at}` }, ports: [{ port: 80 }] },
            }
          : configMap(`c-${at}-${index}`),
    ),
  }));

describe('the manifests step', () => {
  let bed: ManifestsBed;
  beforeEach(async () => {
    bed = await ManifestsBed.open();
  });
  afterEach(() => bed.close());

  it('applies 250 objects of 40 components with two requests each, and looks again with one list per kind', async () => {
    bed.commit(many());
    const plan = await bed.plan();
    expect(plan.objects).toHaveLength(250);
    expect(plan.objects.every(({ action }) => action === 'create')).toBe(true);
    expect(await bed.settle()).toMatchObject({ manifests: { kind: 'done' } });
    const first = bed.requests();
    const discovery = first.filter(({ verb, resource }) => verb === 'raw' || resource.startsWith('/')).length;
    // And one for the parent of the ApplySet.
    expect(first.length - discovery).toBeLessThanOrEqual(501);
    expect(discovery).toBeLessThanOrEqual(4);
    const revision = bed.store.revision;

    // The same content as a new update, by a process that knows only what the database holds.
    for (const known of [false, true]) {
      if (!known) bed.restart();
      bed.commit(many());
      const before = bed.requestCount;
      await bed.plan();
      expect(await bed.settle()).toMatchObject({ manifests: { kind: 'done', changed: false } });
      expect(bed.requestCount - before).toBeLessThanOrEqual(known ? 8 : 12);
      expect(bed.store.revision).toBe(revision);
    }
  });

  it('other tools find the set by its parent: kinds and namespaces of all that was applied and not pruned', async () => {
    const parent = () => bed.store.get('configmaps', 'kube-system', 'fairway')?.metadata;
    const contains = () => parent()?.annotations?.['applyset.kubernetes.io/contains-group-kinds'];
    bed.commit([{ name: 'a', health: 'ignore', objects: [deployment('d'), configMap('c')] }]);
    await bed.settle();
    expect(contains()).toBe('ConfigMap,Deployment.apps');
    const id = parent()?.labels?.['applyset.kubernetes.io/id'];
    expect(id).toMatch(/^applyset-.+-v1$/);
    const member = bed.store.get('configmaps', 'default', 'c');
    expect(member?.metadata.labels?.['applyset.kubernetes.io/part-of']).toBe(id);
    bed.commit([{ name: 'a', objects: [configMap('c')] }]);
    await bed.settle();
    expect(contains()).toBe('ConfigMap');
    const version = parent()?.resourceVersion;
    bed.restart();
    await bed.resync();
    expect(parent()?.resourceVersion).toBe(version);
  });

  it('a look without anything remembered needs one dry-run an object and writes nothing', async () => {
    bed.commit(many());
    await bed.settle();
    const revision = bed.store.revision;
    bed.restart();
    const entries = await bed.stores.updates.inventory(bed.clusterId);
    const lease = await bed.stores.leases.acquire('cluster/other', 10_000);
    if (!lease) throw new Error('no lease');
    const forgotten = entries.map(({ confirmed: _confirmed, ...entry }) => entry);
    await bed.stores.updates.recordInventory(lease, bed.clusterId, forgotten);
    await bed.stores.leases.release(lease);
    bed.commit(many());
    const before = bed.requestCount;
    await bed.settle();
    const requests = bed.requests(before);
    expect(requests.filter(({ verb }) => verb === 'patch')).toHaveLength(250);
    expect(requests.filter(({ verb }) => verb === 'patch').every(({ dryRun }) => dryRun)).toBe(true);
    expect(bed.store.revision).toBe(revision);
  });

  it('a CRD, its custom resource and a namespace with content work in one commit', async () => {
    bed.commit([
      { name: 'a-user', objects: [thing, configMap('in-new', {}, 'fresh')] },
      { name: 'b-definer', objects: [crd, namespace('fresh')] },
    ]);
    const plan = await bed.plan();
    expect(plan.blockers).toEqual([]);
    expect(await bed.settle()).toMatchObject({ manifests: { kind: 'done' } });
    expect(bed.store.get('things.test.fairway.dev', 'default', 'one')).toBeDefined();
    expect(bed.store.get('configmaps', 'fresh', 'in-new')).toBeDefined();
    expect(bed.requests().filter(({ verb, code }) => verb === 'patch' && code >= 400)).toEqual([]);
  });

  it('a component that is refused stops those that depend on it and nobody else, and says where', async () => {
    const bad = {
      ...configMap('bad'),
      metadata: { name: 'bad', namespace: 'default', labels: { 'no spaces': 'x' } },
    };
    bed.commit([
      { name: 'bad', objects: [bad, configMap('beside')] },
      { name: 'dependent', dependsOn: ['bad'], objects: [configMap('dependent')] },
      { name: 'free', objects: [configMap('free')] },
    ]);
    const { manifests } = await bed.settle();
    expect(manifests).toMatchObject({
      kind: 'failed',
      failure: {
        class: 'invalid',
        message: expect.stringContaining('ConfigMap default/bad'),
        place: { file: 'cluster/manifests/bad/all.yaml', line: 1 },
      },
    });
    expect(bed.store.get('configmaps', 'default', 'free')).toBeDefined();
    expect(bed.store.get('configmaps', 'default', 'dependent')).toBeUndefined();
  });

  it('a newer revision does not wait for what the older one waits for', async () => {
    bed.commit([{ name: 'slow', objects: [deployment('slow')] }]);
    const waits = await bed.pass();
    expect(waits.manifests).toMatchObject({ kind: 'waiting', for: expect.stringContaining('slow') });
    expect((await bed.pass()).manifests.kind).toBe('waiting');
    bed.commit([
      { name: 'quick', objects: [configMap('quick')] },
      { name: 'slow', removed: true, objects: [] },
    ]);
    const { manifests, prune } = await bed.pass();
    expect(manifests.kind).toBe('done');
    expect(prune?.kind).toBe('done');
    expect(bed.store.get('configmaps', 'default', 'quick')).toBeDefined();
    expect(bed.store.get('deployments.apps', 'default', 'slow')).toBeUndefined();
  });

  it('fields that kubectl apply once wrote go when Git drops them', async () => {
    const last = JSON.stringify(configMap('old', { keep: '1', drop: '2' }));
    bed.store.create(
      'configmaps',
      {
        metadata: {
          name: 'old',
          namespace: 'default',
          annotations: { 'kubectl.kubernetes.io/last-applied-configuration': last },
        },
        data: { keep: '1', drop: '2' },
      },
      { manager: 'kubectl-client-side-apply' },
    );
    bed.commit([{ name: 'moved', objects: [configMap('old', { keep: '1' })] }]);
    const plan = await bed.plan();
    expect(plan.objects).toMatchObject([{ action: 'change', fields: expect.arrayContaining(['data.drop']) }]);
    expect(await bed.settle()).toMatchObject({ manifests: { kind: 'done' } });
    const moved = bed.store.get('configmaps', 'default', 'old');
    expect(moved?.['data']).toEqual({ keep: '1' });
    expect(moved?.metadata.annotations ?? {}).toEqual({});
    expect(moved?.metadata.managedFields?.map(({ manager }) => manager)).toEqual(['fairway']);
  });

  describe('fields that cannot change', () => {
    const job = (image: string, annotations: Record<string, string> = {}): KubernetesObject => ({
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: { name: 'migrate', namespace: 'default', annotations },
      spec: { template: { spec: { restartPolicy: 'Never', containers: [{ name: 'm', image }] } } },
    });
    const set = (serviceName: string): KubernetesObject => ({
      apiVersion: 'apps/v1',
      kind: 'StatefulSet',
      metadata: { name: 'db', namespace: 'default', annotations: { 'fairway.dev/force': 'enabled' } },
      spec: {
        serviceName,
        selector: { matchLabels: { app: 'db' } },
        template: { metadata: { labels: { app: 'db' } }, spec: { containers: [{ name: 'db', image: 'a' }] } },
      },
    });
    const force = { 'fairway.dev/force': 'enabled' };

    it('a Job is created again only where it says so', async () => {
      bed.commit([{ name: 'jobs', health: 'ignore', objects: [job('a:1')] }]);
      await bed.settle();
      const uid = bed.store.get('jobs.batch', 'default', 'migrate')?.metadata.uid;
      bed.commit([{ name: 'jobs', health: 'ignore', objects: [job('a:2')] }]);
      expect((await bed.plan()).blockers).toHaveLength(1);
      expect((await bed.settle()).manifests).toMatchObject({
        kind: 'failed',
        failure: { code: 'field-immutable', message: expect.stringContaining('spec.template') },
      });
      expect(bed.store.get('jobs.batch', 'default', 'migrate')?.metadata.uid).toBe(uid);
      bed.commit([{ name: 'jobs', health: 'ignore', objects: [job('a:2', force)] }]);
      expect(await bed.settle()).toMatchObject({ manifests: { kind: 'done' } });
      expect(bed.store.get('jobs.batch', 'default', 'migrate')?.metadata.uid).not.toBe(uid);
    });

    it('a bad label is no reason, and a StatefulSet never is', async () => {
      bed.commit([{ name: 'jobs', health: 'ignore', objects: [job('a:1', force), set('one')] }]);
      await bed.settle();
      const uids = () => [
        bed.store.get('jobs.batch', 'default', 'migrate')?.metadata.uid,
        bed.store.get('statefulsets.apps', 'default', 'db')?.metadata.uid,
      ];
      const before = uids();
      const labelled = job('a:1', force);
      const bad = { ...labelled, metadata: { ...labelled.metadata, labels: { 'no spaces': 'x' } } };
      bed.commit([{ name: 'jobs', health: 'ignore', objects: [bad, set('two')] }]);
      const { manifests } = await bed.settle();
      expect(manifests.kind).toBe('failed');
      expect(JSON.stringify(manifests)).toMatch(/StatefulSet is never deleted/);
      expect(uids()).toEqual(before);
    });
  });

  it('deletions.yaml runs before and after', async () => {
    for (const name of ['before', 'after', 'stays']) {
      bed.store.create('configmaps', { metadata: { name, namespace: 'default' }, data: { a: '1' } });
    }
    bed.commit([{ name: 'c', objects: [configMap('c')] }], {
      preApply: [{ kind: 'ConfigMap', namespace: 'default', name: 'before' }],
      postApply: [{ kind: 'configmap', namespace: 'default', name: 'after' }],
    });
    expect(await bed.settle()).toMatchObject({ manifests: { kind: 'done' } });
    const names = bed.store.list('configmaps', { namespace: 'default' }).map(({ metadata }) => metadata.name);
    expect(names.filter((name) => name !== 'kube-root-ca.crt').sort()).toEqual(['c', 'stays']);
    const deletes = bed
      .requests()
      .filter(({ verb, dryRun }) => verb === 'delete' || (verb === 'patch' && !dryRun));
    expect(deletes.map(({ name }) => name)).toEqual(['fairway', 'before', 'c', 'after']);
  });
});
