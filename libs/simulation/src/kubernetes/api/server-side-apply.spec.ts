import { describe, expect, it } from 'vitest';
import { arrayAt, valueAt, type JsonObject, type KubeObject } from './object.js';
import { configMap, deployment, refusal, testCluster, type TestCluster } from './test-cluster.js';

const apply = (cluster: TestCluster, body: JsonObject, manager: string, options = {}): KubeObject => {
  const { name, namespace } = body['metadata'] as { name: string; namespace?: string };
  const resource =
    body['kind'] === 'ConfigMap'
      ? 'configmaps'
      : body['kind'] === 'Service'
        ? 'services'
        : 'deployments.apps';
  return cluster.store.patch(resource, namespace, name, { type: 'apply', body }, { manager, ...options });
};
const entry = (object: KubeObject, manager: string) =>
  object.metadata.managedFields?.find((one) => one.manager === manager);
const containerNames = (object: KubeObject) =>
  arrayAt(object, 'spec', 'template', 'spec', 'containers').map((one) => valueAt(one, 'name'));
const withContainers = (...containers: JsonObject[]) =>
  deployment({
    template: { metadata: { labels: { app: 'web' } }, spec: { containers } },
  });

describe('server-side apply', () => {
  it('creates with ownership of exactly the applied fields', () => {
    const object = apply(testCluster(), deployment(), 'fairway');
    expect(entry(object, 'fairway')?.operation).toBe('Apply');
    expect(entry(object, 'fairway')?.fieldsV1['f:spec']).toEqual({
      'f:replicas': {},
      'f:selector': {},
      'f:template': {
        'f:metadata': { 'f:labels': { 'f:app': {} } },
        'f:spec': {
          'f:containers': {
            'k:{"name":"a"}': {
              '.': {},
              'f:image': {},
              'f:name': {},
              'f:ports': { 'k:{"containerPort":80,"protocol":"TCP"}': { '.': {}, 'f:containerPort': {} } },
            },
          },
        },
      },
    });
    expect(valueAt(object, 'spec', 'strategy', 'rollingUpdate', 'maxSurge')).toBe('25%');
  });

  it('writes nothing when nothing changes', () => {
    const cluster = testCluster();
    const first = apply(cluster, deployment(), 'fairway');
    cluster.scheduler.advance(60_000);
    expect(apply(cluster, deployment(), 'fairway')).toBe(first);
  });

  it.each([
    ['a scalar', configMap('c', { a: '1' }), configMap('c', { a: '2' }), ['.data.a']],
    [
      'an atomic selector',
      deployment(),
      deployment({ selector: { matchLabels: { app: 'x' } } }),
      ['.spec.selector'],
    ],
    [
      'a field of a keyed item',
      withContainers({ name: 'a', image: 'i:1' }),
      withContainers({ name: 'a', image: 'i:2' }),
      ['.spec.template.spec.containers[name="a"].image'],
    ],
  ])('refuses to change %s of another applier', (_what, mine, theirs, fields) => {
    const cluster = testCluster();
    apply(cluster, mine, 'fairway');
    const error = refusal(() => apply(cluster, theirs, 'other'));
    expect([error.status, error.reason]).toEqual([409, 'Conflict']);
    expect(error.details?.causes).toEqual(
      fields.map((field) => ({ reason: 'FieldManagerConflict', message: 'conflict with "fairway"', field })),
    );
    expect(error.message).toBe(`Apply failed with 1 conflict: conflict with "fairway": ${fields[0]}`);
  });

  it('names the version of an updater, and lists several conflicts by manager', () => {
    const cluster = testCluster();
    cluster.store.create('configmaps', configMap('c', { a: '1', b: '1' }), {
      manager: 'kubectl-client-side-apply',
    });
    const error = refusal(() => apply(cluster, configMap('c', { a: '2', b: '2' }), 'fairway'));
    expect(error.message).toBe(
      'Apply failed with 2 conflicts: conflicts with "kubectl-client-side-apply" using v1:\n- .data.a\n- .data.b',
    );
  });

  it('takes over with force and shares what is equal', () => {
    const cluster = testCluster();
    apply(cluster, configMap('c', { a: '1', b: '1' }), 'one');
    const shared = apply(cluster, configMap('c', { a: '1' }), 'two');
    expect(entry(shared, 'one')?.fieldsV1).toEqual({ 'f:data': { 'f:a': {}, 'f:b': {} } });
    const forced = apply(cluster, configMap('c', { a: '3' }), 'two', { force: true });
    expect(entry(forced, 'one')?.fieldsV1).toEqual({ 'f:data': { 'f:b': {} } });
    expect(forced['data']).toEqual({ a: '3', b: '1' });
  });

  it('removes what it no longer applies, unless somebody else owns it', () => {
    const cluster = testCluster();
    apply(cluster, configMap('c', { a: '1', b: '1', c: '1' }), 'one');
    apply(cluster, configMap('c', { b: '1' }), 'two');
    expect(apply(cluster, configMap('c', { c: '1' }), 'one')['data']).toEqual({ b: '1', c: '1' });
  });

  it('removes a whole container with its defaulted fields, and keeps siblings of others', () => {
    const cluster = testCluster();
    apply(cluster, withContainers({ name: 'a', image: 'i:1' }, { name: 'b', image: 'i:1' }), 'one');
    const sidecar = { name: 'sidecar', image: 's:1' };
    cluster.store.patch(
      'deployments.apps',
      'default',
      'web',
      { type: 'strategic', body: { spec: { template: { spec: { containers: [sidecar] } } } } },
      { manager: 'injector' },
    );
    const next = apply(cluster, withContainers({ name: 'a', image: 'i:1' }), 'one');
    expect(containerNames(next).sort()).toEqual(['a', 'sidecar']);
  });

  it('keeps a container that another manager has a part of', () => {
    const cluster = testCluster();
    apply(
      cluster,
      withContainers({ name: 'a', image: 'i:1' }, { name: 'b', image: 'i:1', workingDir: '/x' }),
      'one',
    );
    apply(cluster, withContainers({ name: 'b', image: 'i:1' }), 'two');
    const next = apply(cluster, withContainers({ name: 'a', image: 'i:1' }), 'one');
    expect(containerNames(next)).toContain('b');
    const b = arrayAt(next, 'spec', 'template', 'spec', 'containers').find(
      (one) => valueAt(one, 'name') === 'b',
    );
    expect(valueAt(b, 'workingDir')).toBeUndefined();
  });

  it('keeps defaults beside a removed field', () => {
    const cluster = testCluster();
    apply(cluster, deployment({ strategy: { rollingUpdate: { maxSurge: 3 } } }), 'one');
    const next = apply(cluster, deployment(), 'one');
    expect(valueAt(next, 'spec', 'strategy')).toEqual({
      type: 'RollingUpdate',
      rollingUpdate: { maxSurge: '25%', maxUnavailable: '25%' },
    });
  });

  it('leaves a field alone that it does not apply: an autoscaler keeps its replicas', () => {
    const cluster = testCluster();
    const { replicas: _, ...spec } = deployment().spec;
    apply(cluster, { ...deployment(), spec }, 'fairway');
    cluster.store.updateScale(
      'deployments.apps',
      { namespace: 'default', name: 'web' },
      { spec: { replicas: 9 } },
    );
    const next = apply(cluster, { ...deployment(), spec }, 'fairway');
    expect(valueAt(next, 'spec', 'replicas')).toBe(9);
    const conflict = refusal(() => apply(cluster, deployment(), 'fairway'));
    expect(conflict.message).toBe(
      'Apply failed with 1 conflict: conflict with "kube-controller-manager" with subresource "scale" using apps/v1: .spec.replicas',
    );
  });

  it('treats finalizers as a set and owner references by uid', () => {
    const cluster = testCluster();
    apply(cluster, configMap('c', {}, { finalizers: ['example.com/a'] }), 'one');
    const both = apply(cluster, configMap('c', {}, { finalizers: ['example.com/b'] }), 'two');
    expect(both.metadata.finalizers?.toSorted()).toEqual(['example.com/a', 'example.com/b']);
    const one = apply(cluster, configMap('c', {}), 'one');
    expect(one.metadata.finalizers).toEqual(['example.com/b']);
  });

  it('replaces atomic lists as a whole', () => {
    const cluster = testCluster();
    const tolerating = (key: string) =>
      deployment({
        template: {
          metadata: { labels: { app: 'web' } },
          spec: { containers: [{ name: 'a', image: 'i:1' }], tolerations: [{ key, operator: 'Exists' }] },
        },
      });
    apply(cluster, tolerating('x'), 'one');
    const next = apply(cluster, tolerating('y'), 'one');
    expect(arrayAt(next, 'spec', 'template', 'spec', 'tolerations')).toEqual([
      { key: 'y', operator: 'Exists' },
    ]);
  });

  it('tracks updates and patches: the last writer owns, identity is never owned', () => {
    const cluster = testCluster();
    const created = cluster.store.create('configmaps', configMap('c', { a: '1' }, { labels: { x: 'y' } }), {
      manager: 'm',
    });
    expect(entry(created, 'm')?.fieldsV1).toEqual({
      'f:data': { '.': {}, 'f:a': {} },
      'f:metadata': { 'f:labels': { '.': {}, 'f:x': {} } },
    });
    const patched = cluster.store.patch(
      'configmaps',
      'default',
      'c',
      { type: 'merge', body: { data: { a: '2' } } },
      { manager: 'n' },
    );
    expect(entry(patched, 'm')?.fieldsV1['f:data']).toEqual({});
    expect(entry(patched, 'n')?.fieldsV1).toEqual({ 'f:data': { 'f:a': {} } });
  });

  it('validates on a dry run, and writes nothing', () => {
    const cluster = testCluster();
    const revision = cluster.store.revision;
    const dry = apply(cluster, deployment(), 'fairway', { dryRun: true });
    expect(valueAt(dry, 'spec', 'revisionHistoryLimit')).toBe(10);
    expect(cluster.store.get('deployments.apps', 'default', 'web')).toBeUndefined();
    expect(cluster.store.revision).toBe(revision);
    expect(cluster.events).toEqual([]);
  });

  it('refuses fields outside the schema with the path', () => {
    const error = refusal(() => apply(testCluster(), deployment({ foo: 1 }), 'fairway'));
    expect(error.status).toBe(500);
    expect(error.message).toBe(
      'failed to create typed patch object (default/web; apps/v1, Kind=Deployment): .spec.foo: field not declared in schema',
    );
  });

  it('keeps status and spec apart', () => {
    const cluster = testCluster();
    apply(cluster, deployment(), 'fairway');
    const body = { ...deployment({ replicas: 7 }), status: { replicas: 4 } };
    const next = apply(cluster, body, 'reporter', { subresource: 'status' });
    expect(valueAt(next, 'spec', 'replicas')).toBe(2);
    expect(valueAt(next, 'status', 'replicas')).toBe(4);
    expect(next.metadata.generation).toBe(1);
    expect(entry(next, 'reporter')).toMatchObject({
      subresource: 'status',
      fieldsV1: { 'f:status': { 'f:replicas': {} } },
    });
  });

  it('lets kubectl take over what its last-applied annotation lists, but not what others changed since', () => {
    const cluster = testCluster();
    const LAST = 'kubectl.kubernetes.io/last-applied-configuration';
    const applied = configMap('c', { a: '1', b: '1' });
    cluster.store.create(
      'configmaps',
      configMap('c', { a: '1', b: '1' }, { annotations: { [LAST]: JSON.stringify(applied) } }),
      { manager: 'kubectl-client-side-apply' },
    );
    const next = apply(cluster, configMap('c', { a: '2', b: '1' }), 'kubectl');
    expect(valueAt(next, 'data', 'a')).toBe('2');
    expect(JSON.parse(next.metadata.annotations?.[LAST] as string)).toMatchObject({ data: { a: '2' } });
    cluster.store.patch(
      'configmaps',
      'default',
      'c',
      { type: 'merge', body: { data: { b: '9' } } },
      { manager: 'hand' },
    );
    expect(refusal(() => apply(cluster, configMap('c', { a: '2', b: '1' }), 'kubectl')).status).toBe(409);
  });
});
