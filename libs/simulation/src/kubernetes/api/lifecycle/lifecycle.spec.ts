import { describe, expect, it } from 'vitest';
import { arrayAt, stringAt, type KubeObject } from '../object.js';
import { configMap, podInput, refusal, testCluster } from '../test-cluster.js';

const ownedBy = (owner: KubeObject, blockOwnerDeletion = false) => ({
  ownerReferences: [
    {
      apiVersion: 'v1',
      kind: owner.kind,
      name: owner.metadata.name,
      uid: owner.metadata.uid,
      blockOwnerDeletion,
    },
  ],
});

describe('garbage collection', () => {
  it('deletes dependents in the background, level by level', () => {
    const { store, scheduler } = testCluster();
    const owner = store.create('configmaps', configMap('owner', {}));
    const child = store.create('configmaps', configMap('child', {}, ownedBy(owner)));
    store.create('configmaps', configMap('grandchild', {}, ownedBy(child)));
    store.remove('configmaps', 'default', 'owner');
    expect(store.get('configmaps', 'default', 'child')).toBeDefined();
    scheduler.advance(1000);
    expect(store.get('configmaps', 'default', 'child')).toBeUndefined();
    expect(store.get('configmaps', 'default', 'grandchild')).toBeUndefined();
  });

  it('waits for blocking dependents under foreground deletion', () => {
    const { store, scheduler } = testCluster();
    const owner = store.create('configmaps', configMap('owner', {}));
    store.create(
      'configmaps',
      configMap('child', {}, { ...ownedBy(owner, true), finalizers: ['example.com/hold'] }),
    );
    store.remove('configmaps', 'default', 'owner', { propagationPolicy: 'Foreground' });
    scheduler.advance(1000);
    expect(store.get('configmaps', 'default', 'owner')?.metadata.finalizers).toEqual(['foregroundDeletion']);
    store.modify('configmaps', 'default', 'child', (draft) => delete draft.metadata.finalizers);
    scheduler.advance(1000);
    expect(store.get('configmaps', 'default', 'owner')).toBeUndefined();
  });

  it('sets dependents free under orphan deletion', () => {
    const { store, scheduler } = testCluster();
    const owner = store.create('configmaps', configMap('owner', {}));
    store.create('configmaps', configMap('child', {}, ownedBy(owner)));
    store.remove('configmaps', 'default', 'owner', { propagationPolicy: 'Orphan' });
    scheduler.advance(1000);
    expect(store.get('configmaps', 'default', 'owner')).toBeUndefined();
    expect(store.get('configmaps', 'default', 'child')?.metadata.ownerReferences).toBeUndefined();
  });

  it('collects what names an owner that never was, and keeps what has another owner', () => {
    const { store, scheduler } = testCluster();
    const owner = store.create('configmaps', configMap('owner', {}));
    const ghost = { apiVersion: 'v1', kind: 'ConfigMap', name: 'ghost', uid: 'no-such-uid' };
    store.create('configmaps', configMap('orphan', {}, { ownerReferences: [ghost] }));
    const [real] = ownedBy(owner).ownerReferences;
    store.create('configmaps', configMap('shared', {}, { ownerReferences: [ghost, real as typeof ghost] }));
    scheduler.advance(1000);
    expect(store.get('configmaps', 'default', 'orphan')).toBeUndefined();
    expect(store.get('configmaps', 'default', 'shared')?.metadata.ownerReferences).toHaveLength(1);
  });
});

describe('deletion', () => {
  it('holds an object until its finalizers are gone', () => {
    const { store, events } = testCluster();
    store.create('configmaps', configMap('c', {}, { finalizers: ['example.com/hold'] }));
    const waiting = store.remove('configmaps', 'default', 'c');
    expect(waiting.metadata.deletionTimestamp).toBeDefined();
    const added = (draft: KubeObject) =>
      void (draft.metadata.finalizers = ['example.com/hold', 'example.com/more']);
    expect(refusal(() => store.modify('configmaps', 'default', 'c', added)).status).toBe(422);
    store.modify('configmaps', 'default', 'c', (draft) => delete draft.metadata.finalizers);
    expect(store.get('configmaps', 'default', 'c')).toBeUndefined();
    expect(events.map((event) => event.type)).toEqual(['ADDED', 'MODIFIED', 'DELETED']);
  });

  it('gives running pods their grace, and lets the kubelet end it', () => {
    const { store } = testCluster();
    const pod = store.create('pods', podInput('p'));
    const direct = { type: 'merge', body: { spec: { nodeName: 'node-1' } } } as const;
    expect(refusal(() => store.patch('pods', 'default', 'p', direct)).status).toBe(422);
    store.bind('default', 'p', 'node-1');
    expect(refusal(() => store.bind('default', 'p', 'node-2')).status).toBe(409);
    const wrong = refusal(() => store.remove('pods', 'default', 'p', { uid: 'other' }));
    expect(wrong.message).toBe(
      `Operation cannot be fulfilled on Pod "p": the UID in the precondition (other) does not match the UID in record (${pod.metadata.uid}). The object might have been deleted and then recreated`,
    );
    expect(store.remove('pods', 'default', 'p').metadata.deletionGracePeriodSeconds).toBe(30);
    expect(
      store.remove('pods', 'default', 'p', { gracePeriodSeconds: 5 }).metadata.deletionGracePeriodSeconds,
    ).toBe(5);
    expect(
      store.remove('pods', 'default', 'p', { gracePeriodSeconds: 60 }).metadata.deletionGracePeriodSeconds,
    ).toBe(5);
    store.finalizeDelete('pods', 'default', 'p', { uid: 'other' });
    expect(store.get('pods', 'default', 'p')).toBeDefined();
    store.finalizeDelete('pods', 'default', 'p', { uid: pod.metadata.uid });
    expect(store.get('pods', 'default', 'p')).toBeUndefined();
  });

  it('deletes pods without a node at once', () => {
    const { store } = testCluster();
    store.create('pods', podInput('p'));
    store.remove('pods', 'default', 'p');
    expect(store.get('pods', 'default', 'p')).toBeUndefined();
  });
});

describe('namespaces', () => {
  it('fill, refuse creates while terminating, wait for content, and go', () => {
    const { store, scheduler } = testCluster();
    store.create('namespaces', { metadata: { name: 'shop' } });
    scheduler.advance(100);
    expect(store.get('serviceaccounts', 'shop', 'default')).toBeDefined();
    store.create(
      'configmaps',
      configMap('held', {}, { namespace: 'shop', finalizers: ['example.com/hold'] }),
    );
    const leaving = store.remove('namespaces', undefined, 'shop');
    expect(stringAt(leaving, 'status', 'phase')).toBe('Terminating');
    const error = refusal(() => store.create('configmaps', configMap('late', {}, { namespace: 'shop' })));
    expect(error.status).toBe(403);
    expect(error.details?.causes?.[0]?.reason).toBe('NamespaceTerminating');
    scheduler.advance(1000);
    const held = store.get('namespaces', undefined, 'shop') as KubeObject;
    expect(arrayAt(held, 'status', 'conditions')).toHaveLength(2);
    store.modify('configmaps', 'shop', 'held', (draft) => delete draft.metadata.finalizers);
    scheduler.advance(1000);
    expect(store.get('namespaces', undefined, 'shop')).toBeUndefined();
    expect(store.list('configmaps', { namespace: 'shop' })).toEqual([]);
  });
});

const crd = (schema: Record<string, unknown>, versions: readonly string[] = ['v1']) => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'foos.example.com' },
  spec: {
    group: 'example.com',
    scope: 'Namespaced',
    names: { plural: 'foos', kind: 'Foo' },
    versions: versions.map((name, index) => ({
      name,
      served: true,
      storage: index === 0,
      subresources: {
        status: {},
        scale: { specReplicasPath: '.spec.size', statusReplicasPath: '.status.size' },
      },
      schema: { openAPIV3Schema: { type: 'object', ...schema } },
    })),
  },
});

describe('custom resources', () => {
  const foo = (spec: Record<string, unknown>) => ({
    apiVersion: 'example.com/v1',
    kind: 'Foo',
    metadata: { name: 'f', namespace: 'default' },
    spec,
  });

  it('are served once the definition is established, and vanish with it', () => {
    const { store, scheduler } = testCluster();
    store.create('customresourcedefinitions.apiextensions.k8s.io', crd({}, ['v1', 'v1beta1']));
    expect(refusal(() => store.create('foos.example.com', foo({}))).status).toBe(404);
    scheduler.advance(1000);
    const made = store.create('foos.example.com', { ...foo({ any: { thing: [1] } }), status: { x: 1 } });
    expect([made['spec'], made['status'], made.metadata.generation]).toEqual([
      { any: { thing: [1] } },
      undefined,
      1,
    ]);
    expect(store.catalog.find('example.com', 'v1beta1', 'foos')?.kind).toBe('Foo');
    store.updateScale('foos.example.com', { namespace: 'default', name: 'f' }, { spec: { replicas: 4 } });
    expect(store.get('foos.example.com', 'default', 'f')?.['spec']).toEqual({ any: { thing: [1] }, size: 4 });
    store.remove('customresourcedefinitions.apiextensions.k8s.io', undefined, 'foos.example.com');
    scheduler.advance(2000);
    expect(
      store.get('customresourcedefinitions.apiextensions.k8s.io', undefined, 'foos.example.com'),
    ).toBeUndefined();
    expect(refusal(() => store.list('foos.example.com')).status).toBe(404);
  });

  it('follow the list types of their schema in server-side apply', () => {
    const { store, scheduler } = testCluster();
    const items = { type: 'object', properties: { id: { type: 'string' }, v: { type: 'integer' } } };
    const list = {
      type: 'array',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['id'],
      items,
    };
    const spec = { type: 'object', properties: { list } };
    store.create('customresourcedefinitions.apiextensions.k8s.io', crd({ properties: { spec } }));
    scheduler.advance(1000);
    const apply = (manager: string, id: string) =>
      store.patch(
        'foos.example.com',
        'default',
        'f',
        { type: 'apply', body: foo({ list: [{ id, v: 1 }] }) },
        { manager },
      );
    apply('one', 'a');
    expect(arrayAt(apply('two', 'b'), 'spec', 'list')).toEqual(
      [
        { id: 'b', v: 1 },
        { id: 'a', v: 1 },
      ].toSorted((x, y) => (x.id < y.id ? -1 : 1)),
    );
  });
});
