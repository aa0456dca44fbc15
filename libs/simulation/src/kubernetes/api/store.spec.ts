import { describe, expect, it } from 'vitest';
import { stringAt, valueAt } from './object.js';
import { configMap, deployment, podInput, refusal, testCluster } from './test-cluster.js';

describe('storage rules', () => {
  it('counts one revision for all, and generations for spec changes only', () => {
    const { store } = testCluster();
    const a = store.create('deployments.apps', deployment());
    const b = store.create('configmaps', configMap('c', {}));
    expect(Number(b.metadata.resourceVersion)).toBe(Number(a.metadata.resourceVersion) + 1);
    expect([a.metadata.generation, b.metadata.generation]).toEqual([1, undefined]);
    const merge = (body: Record<string, unknown>) =>
      store.patch('deployments.apps', 'default', 'web', { type: 'merge', body });
    expect(merge({ metadata: { labels: { x: 'y' } } }).metadata.generation).toBe(1);
    expect(merge({ spec: { replicas: 3 } }).metadata.generation).toBe(2);
    expect(merge({ status: { replicas: 3 } })['status']).toEqual({});
  });

  it('writes nothing for an unchanged object', () => {
    const { store, events } = testCluster();
    const a = store.create('configmaps', configMap('c', { a: '1' }));
    expect(store.update('configmaps', configMap('c', { a: '1' }))).toBe(a);
    expect(events).toHaveLength(1);
  });

  it('refuses a stale resourceVersion with the real words', () => {
    const { store } = testCluster();
    const old = store.create('configmaps', configMap('c', { a: '1' }));
    store.update('configmaps', configMap('c', { a: '2' }));
    const error = refusal(() => store.update('configmaps', { ...structuredClone(old), data: { a: '3' } }));
    expect([error.status, error.reason]).toEqual([409, 'Conflict']);
    expect(error.message).toBe(
      'Operation cannot be fulfilled on configmaps "c": the object has been modified; please apply your changes to the latest version and try again',
    );
  });

  it.each([
    ['a name in use', () => configMap('taken', {}), 409, 'configmaps "taken" already exists'],
    [
      'a missing namespace',
      () => configMap('c', {}, { namespace: 'nowhere' }),
      404,
      'namespaces "nowhere" not found',
    ],
    [
      'a set resourceVersion',
      () => configMap('c', {}, { resourceVersion: '1' }),
      400,
      'resourceVersion should not be set',
    ],
    ['a bad name', () => configMap('Bad_Name', {}), 422, 'metadata.name: Invalid value: "Bad_Name"'],
    [
      'a bad label',
      () => configMap('c', {}, { labels: { 'a b': 'x' } }),
      422,
      'metadata.labels: Invalid value: "a b"',
    ],
  ])('refuses %s', (_what, object, status, text) => {
    const { store } = testCluster();
    store.create('configmaps', configMap('taken', {}));
    const error = refusal(() => store.create('configmaps', object()));
    expect(error.status).toBe(status);
    expect(error.message).toContain(text);
  });

  it('generates names and hands out frozen objects', () => {
    const { store } = testCluster();
    const made = store.create('configmaps', { metadata: { generateName: 'c-', namespace: 'default' } });
    expect(made.metadata.name).toMatch(/^c-[a-z0-9]{5}$/);
    expect(Object.isFrozen(made.metadata)).toBe(true);
  });

  it('delivers events in commit order, also those that listeners cause', () => {
    const { store, events } = testCluster();
    const seen: string[] = [];
    store.subscribe((event) => {
      if (event.object.metadata.name === 'one' && event.type === 'ADDED')
        store.create('configmaps', configMap('two', {}));
    });
    store.subscribe((event) => seen.push(event.object.metadata.name));
    store.create('configmaps', configMap('one', {}));
    expect(seen).toEqual(['one', 'two']);
    expect(events.map((event) => event.object.metadata.name)).toEqual(['one', 'two']);
  });

  it('replays a window of the past, then answers 410', () => {
    const { store } = testCluster({ watchWindow: 4 });
    const start = store.revision;
    for (let i = 0; i < 3; i += 1) store.create('configmaps', configMap(`c${i}`, {}));
    expect(store.changesSince('configmaps', start).map((event) => event.object.metadata.name)).toEqual([
      'c0',
      'c1',
      'c2',
    ]);
    for (let i = 3; i < 12; i += 1) store.create('configmaps', configMap(`c${i}`, {}));
    const error = refusal(() => store.changesSince('configmaps', start));
    expect([error.status, error.reason]).toEqual([410, 'Expired']);
    expect(error.message).toMatch(/^too old resource version: \d+ \(\d+\)$/);
  });

  it('reports unknown fields as asked', () => {
    const { store } = testCluster();
    const warnings: string[] = [];
    const warn = (text: string) => warnings.push(text);
    const object = deployment({ foo: 1, template: { ...(deployment().spec['template'] as object), bar: 2 } });
    const made = store.create('deployments.apps', object, { fieldValidation: 'Warn', warn });
    expect(warnings.toSorted()).toEqual(['unknown field "spec.foo"', 'unknown field "spec.template.bar"']);
    expect(valueAt(made, 'spec', 'foo')).toBeUndefined();
    const strict = refusal(() => store.create('deployments.apps', object, { fieldValidation: 'Strict' }));
    expect(strict.message).toBe(
      'Deployment in version "v1" cannot be handled as a Deployment: strict decoding error: unknown field "spec.template.bar", unknown field "spec.foo"',
    );
  });

  it('defaults pods as a cluster does', () => {
    const { store } = testCluster();
    const pod = store.create('pods', podInput('p'));
    expect(valueAt(pod, 'status')).toMatchObject({ phase: 'Pending', qosClass: 'BestEffort' });
    expect(valueAt(pod, 'spec')).toMatchObject({
      terminationGracePeriodSeconds: 30,
      schedulerName: 'default-scheduler',
      serviceAccountName: 'default',
      priority: 0,
      tolerations: [{ tolerationSeconds: 300 }, { tolerationSeconds: 300 }],
    });
  });

  it('gives services addresses, and keeps them', () => {
    const { store } = testCluster();
    const input = { metadata: { name: 's', namespace: 'default' }, spec: { ports: [{ port: 80 }] } };
    const made = store.create('services', input);
    const address = stringAt(made, 'spec', 'clusterIP') as string;
    expect(address).toMatch(/^10\.96\.\d+\.\d+$/);
    const body = { spec: { clusterIP: '10.96.9.9' } };
    const error = refusal(() => store.patch('services', 'default', 's', { type: 'merge', body }));
    expect(error.message).toContain(
      'spec.clusterIPs[0]: Invalid value: ["10.96.9.9"]: may not change once set',
    );
  });
});

describe('admission', () => {
  it('denies with the words of a webhook, and patches', () => {
    const { store } = testCluster();
    store.admission.add({
      name: 'policy.example.com',
      operations: ['CREATE'],
      resources: ['configmaps'],
      review: ({ object }) =>
        object?.metadata.name === 'bad'
          ? { deny: 'no bad names' }
          : { patch: { metadata: { labels: { seen: 'yes' } } } },
    });
    expect(store.create('configmaps', configMap('good', {})).metadata.labels).toEqual({ seen: 'yes' });
    const error = refusal(() => store.create('configmaps', configMap('bad', {})));
    expect([error.status, error.message]).toEqual([
      403,
      'admission webhook "policy.example.com" denied the request: no bad names',
    ]);
  });
});
