import {
  AppsV1Api,
  KubernetesObjectApi,
  PatchStrategy,
  PolicyV1Api,
  Watch,
  type V1Deployment,
} from '@kubernetes/client-node';
import { describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { configMap, deployment, failure, kubernetesBed } from './kubernetes-wire.bed.js';

const bed = kubernetesBed();

describe('the typed clients', () => {
  it('create, read, list, replace and delete', async () => {
    await bed.core.createNamespacedConfigMap({ namespace: 'default', body: configMap('c', { a: '1' }) });
    const read = await bed.core.readNamespacedConfigMap({ namespace: 'default', name: 'c' });
    expect(read.data).toEqual({ a: '1' });
    const replaced = await bed.core.replaceNamespacedConfigMap({
      namespace: 'default',
      name: 'c',
      body: { ...read, data: { a: '2' } },
    });
    expect(Number(replaced.metadata?.resourceVersion)).toBeGreaterThan(
      Number(read.metadata?.resourceVersion),
    );
    const stale = await failure(
      bed.core.replaceNamespacedConfigMap({
        namespace: 'default',
        name: 'c',
        body: { ...read, data: { a: '3' } },
      }),
    );
    expect(stale.code).toBe(409);
    const status = await bed.core.deleteNamespacedConfigMap({ namespace: 'default', name: 'c' });
    expect(status.status).toBe('Success');
    expect((await failure(bed.core.readNamespacedConfigMap({ namespace: 'default', name: 'c' }))).code).toBe(
      404,
    );
  });

  it('page through lists of one revision, and get 410 for a token that is too old', async () => {
    for (let i = 0; i < 5; i += 1) bed.store.create('configmaps', configMap(`page-${i}`));
    const first = await bed.core.listNamespacedConfigMap({
      namespace: 'default',
      limit: 2,
      labelSelector: '!none',
    });
    const token = first.metadata?._continue as string;
    bed.store.create('configmaps', configMap('page-00-late'));
    const second = await bed.core.listNamespacedConfigMap({
      namespace: 'default',
      limit: 10,
      _continue: token,
      labelSelector: '!none',
    });
    const names = [...first.items, ...second.items].map((item) => item.metadata?.name);
    expect(names).not.toContain('page-00-late');
    expect(new Set(names).size).toBe(names.length);
    expect(second.metadata?.resourceVersion).toBe(first.metadata?.resourceVersion);
    const forged = Buffer.from(JSON.stringify({ rv: 1, start: 'x' })).toString('base64url');
    expect(
      (await failure(bed.core.listNamespacedConfigMap({ namespace: 'default', limit: 1, _continue: forged })))
        .code,
    ).toBe(410);
  });

  it('evict with preconditions, and meet a budget', async () => {
    const pod = {
      metadata: { name: 'p', namespace: 'default', labels: { app: 'p' } },
      spec: { containers: [{ name: 'c', image: 'i:1' }] },
    };
    const { metadata } = await bed.core.createNamespacedPod({ namespace: 'default', body: pod });
    await bed.config.makeApiClient(PolicyV1Api).createNamespacedPodDisruptionBudget({
      namespace: 'default',
      body: { metadata: { name: 'b' }, spec: { minAvailable: 1, selector: { matchLabels: { app: 'p' } } } },
    });
    const evict = (uid: string) =>
      bed.core.createNamespacedPodEviction({
        namespace: 'default',
        name: 'p',
        body: { metadata: { name: 'p' }, deleteOptions: { preconditions: { uid } } },
      });
    const blocked = await failure(evict(metadata?.uid as string));
    expect([blocked.code, blocked.body.reason]).toEqual([429, 'TooManyRequests']);
    bed.store.modify(
      'poddisruptionbudgets.policy',
      'default',
      'b',
      (draft) => void (draft['status'] = { disruptionsAllowed: 2 }),
      { subresource: 'status' },
    );
    expect((await failure(evict('other'))).code).toBe(409);
    await evict(metadata?.uid as string);
    expect(bed.store.get('pods', 'default', 'p')).toBeUndefined();
  });

  it('scale through the subresource', async () => {
    const apps = bed.config.makeApiClient(AppsV1Api);
    await apps.createNamespacedDeployment({ namespace: 'default', body: deployment('i:1') });
    const scale = await apps.readNamespacedDeploymentScale({ namespace: 'default', name: 'web' });
    await apps.replaceNamespacedDeploymentScale({
      namespace: 'default',
      name: 'web',
      body: { ...scale, spec: { replicas: 5 } },
    });
    expect((await apps.readNamespacedDeployment({ namespace: 'default', name: 'web' })).spec?.replicas).toBe(
      5,
    );
  });
});

describe('server-side apply by KubernetesObjectApi', () => {
  const apply = (manager: string, object: V1Deployment, dryRun?: 'All', force = false) =>
    KubernetesObjectApi.makeApiClient(bed.config).patch(
      object as V1Deployment & { metadata: { name: string; namespace: string } },
      undefined,
      dryRun,
      manager,
      force,
      PatchStrategy.ServerSideApply,
    );

  it('creates, keeps the revision of a no-op, and conflicts with 409', async () => {
    await apply('fairway', deployment('i:1'), 'All');
    expect(bed.store.get('deployments.apps', 'default', 'web')).toBeUndefined();
    const first = await apply('fairway', deployment('i:1'));
    const again = await apply('fairway', deployment('i:1'));
    expect(again.metadata?.resourceVersion).toBe(first.metadata?.resourceVersion);
    const conflict = await failure(apply('other', deployment('i:2')));
    expect(conflict.code).toBe(409);
    expect(conflict.body.message).toContain('.spec.template.spec.containers[name="a"].image');
    const forced = await apply('other', deployment('i:2'), undefined, true);
    expect(Number(forced.metadata?.resourceVersion)).toBeGreaterThan(Number(first.metadata?.resourceVersion));
    const applied = bed.cluster.calls.entries.filter((call) => call.resource === 'deployments.apps');
    expect(applied.map(({ verb, manager, dryRun, code }) => [verb, manager, dryRun, code])).toEqual([
      ['patch', 'fairway', true, 201],
      ['patch', 'fairway', false, 201],
      ['patch', 'fairway', false, 200],
      ['patch', 'other', false, 409],
      ['patch', 'other', false, 200],
    ]);
  });

  it('serves a custom resource once its definition is established', async () => {
    const api = KubernetesObjectApi.makeApiClient(bed.config);
    const crd = {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: 'foos.example.com' },
      spec: {
        group: 'example.com',
        scope: 'Namespaced',
        names: { plural: 'foos', kind: 'Foo' },
        versions: [
          { name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } },
        ],
      },
    };
    await api.create(crd);
    await eventually(() => bed.store.types().some((type) => type.kind === 'Foo'), 'the definition is served');
    const foo = {
      apiVersion: 'example.com/v1',
      kind: 'Foo',
      metadata: { name: 'f', namespace: 'default' },
      spec: { a: [1] },
    };
    await api.patch(foo, undefined, undefined, 'fairway', false, PatchStrategy.ServerSideApply);
    expect(await api.read(foo)).toMatchObject({ spec: { a: [1] } });
  });
});

describe('watch', () => {
  const open = async (path: string, query: Record<string, string | boolean>) => {
    const events: [string, string | undefined, number | undefined][] = [];
    let ended = false;
    const controller = await new Watch(bed.config).watch(
      path,
      query,
      (type, object: { metadata?: { name?: string }; code?: number }) =>
        events.push([type, object.metadata?.name, object.code]),
      () => (ended = true),
    );
    return { events, controller, ended: () => ended };
  };

  it('streams from a revision, turns selector changes into ADDED and DELETED, and ends in time', async () => {
    const { metadata } = await bed.core.listNamespacedConfigMap({ namespace: 'default' });
    bed.store.create('configmaps', {
      ...configMap('before'),
      metadata: { name: 'before', namespace: 'default', labels: { x: 'y' } },
    });
    const watch = await open('/api/v1/namespaces/default/configmaps', {
      resourceVersion: metadata?.resourceVersion as string,
      labelSelector: 'x=y',
      timeoutSeconds: '3',
      allowWatchBookmarks: true,
    });
    bed.store.modify('configmaps', 'default', 'before', (draft) => void (draft['data'] = { a: '1' }));
    bed.store.modify('configmaps', 'default', 'before', (draft) => delete draft.metadata.labels);
    bed.store.create('configmaps', configMap('unlabelled'));
    await eventually(() => watch.ended(), 'the watch times out');
    expect(watch.events.map(([type, name]) => [type, name])).toEqual([
      ['ADDED', 'before'],
      ['MODIFIED', 'before'],
      ['DELETED', 'before'],
      ['BOOKMARK', undefined],
    ]);
  });

  it('answers 410 in the stream after a compaction', async () => {
    bed.store.create('configmaps', configMap('c'));
    bed.store.compact();
    const watch = await open('/api/v1/configmaps', { resourceVersion: '1' });
    await eventually(() => watch.events.length > 0, 'the error event');
    expect(watch.events[0]).toEqual(['ERROR', undefined, 410]);
  });

  it('ends with an outage', async () => {
    const watch = await open('/api/v1/pods', {});
    bed.cluster.unavailable = true;
    await eventually(() => watch.ended(), 'the watch is cut');
  });
});
