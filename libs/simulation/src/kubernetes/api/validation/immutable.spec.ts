import { describe, expect, it } from 'vitest';
import { arrayAt, type JsonObject } from '../object.js';
import type { ObjectInput } from '../store.js';
import { deployment, podInput, refusal, testCluster } from '../test-cluster.js';

const meta = { metadata: { name: 'x', namespace: 'default' } };
const template = deployment().spec['template'] as JsonObject;
const jobTemplate = { spec: { restartPolicy: 'Never', containers: [{ name: 'a', image: 'i:1' }] } };
const selector = { matchLabels: { app: 'web' } };

const CASES: readonly (readonly [string, string, ObjectInput, JsonObject, string])[] = [
  [
    'Deployment selector',
    'deployments.apps',
    { ...deployment(), ...meta },
    { spec: { selector: { matchLabels: { b: 'c' } } } },
    'spec.selector: Invalid value: {"matchLabels":{"app":"web","b":"c"}}: field is immutable',
  ],
  [
    'DaemonSet selector',
    'daemonsets.apps',
    { ...meta, spec: { selector, template } },
    { spec: { selector: { matchLabels: { b: 'c' } } } },
    'field is immutable',
  ],
  [
    'Job template',
    'jobs.batch',
    { ...meta, spec: { template: jobTemplate } },
    { spec: { template: { spec: { containers: [{ name: 'a', image: 'i:2' }] } } } },
    'spec.template: Invalid value',
  ],
  [
    'Job completions',
    'jobs.batch',
    { ...meta, spec: { template: jobTemplate } },
    { spec: { completions: 3 } },
    'spec.completions: Invalid value: 3: field is immutable',
  ],
  [
    'StatefulSet service',
    'statefulsets.apps',
    { ...meta, spec: { selector, template, serviceName: 'a' } },
    { spec: { serviceName: 'b' } },
    "updates to statefulset spec for fields other than 'replicas'",
  ],
  [
    'claim class',
    'persistentvolumeclaims',
    { ...meta, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } },
    { spec: { storageClassName: 'fast' } },
    'spec: Forbidden: spec is immutable after creation',
  ],
  [
    'immutable ConfigMap',
    'configmaps',
    { ...meta, data: { a: '1' }, immutable: true },
    { data: { a: '2' } },
    'data: Forbidden: field is immutable when `immutable` is set',
  ],
  [
    'immutable Secret',
    'secrets',
    { ...meta, stringData: { a: '1' }, immutable: true },
    { data: { a: 'Mg==' } },
    'data: Forbidden: field is immutable when `immutable` is set',
  ],
  [
    'Secret type',
    'secrets',
    { ...meta },
    { type: 'kubernetes.io/tls' },
    'type: Invalid value: "kubernetes.io/tls": field is immutable',
  ],
  [
    'role of a binding',
    'rolebindings.rbac.authorization.k8s.io',
    { ...meta, roleRef: { kind: 'Role', name: 'a' } },
    { roleRef: { name: 'b' } },
    'cannot change roleRef',
  ],
  [
    'StorageClass',
    'storageclasses.storage.k8s.io',
    { metadata: { name: 'x' }, provisioner: 'a' },
    { provisioner: 'b' },
    'provisioner: Forbidden: updates to provisioner are forbidden.',
  ],
  [
    'Pod image pull policy',
    'pods',
    podInput('x'),
    { spec: { containers: [{ name: 'c', image: 'registry/c:1', imagePullPolicy: 'Always' }] } },
    'spec: Forbidden: pod updates may not change fields other than',
  ],
];

describe('immutable fields', () => {
  it.each(CASES)('%s: 422 with the cause', (_what, resource, object, change, text) => {
    const { store } = testCluster();
    const { namespace } = store.create(resource, object).metadata;
    const error = refusal(() => store.patch(resource, namespace, 'x', { type: 'merge', body: change }));
    expect([error.status, error.reason]).toEqual([422, 'Invalid']);
    expect(error.message).toContain(text);
    expect(error.details?.causes?.length).toBeGreaterThan(0);
  });

  it('lets a StatefulSet change its template, a claim grow, and a pod its image', () => {
    const { store } = testCluster();
    store.create('statefulsets.apps', { ...meta, spec: { selector, template, serviceName: 'a' } });
    const image = { spec: { template: { spec: { containers: [{ name: 'a', image: 'registry/a:2' }] } } } };
    expect(
      store.patch('statefulsets.apps', 'default', 'x', { type: 'strategic', body: image }).metadata
        .generation,
    ).toBe(2);
    store.create('pods', podInput('p'));
    const change = { spec: { containers: [{ name: 'c', image: 'registry/c:2' }] } };
    const pod = store.patch('pods', 'default', 'p', { type: 'strategic', body: change });
    expect(arrayAt(pod, 'spec', 'containers')[0]).toMatchObject({ image: 'registry/c:2' });
  });
});

describe('validation', () => {
  it.each([
    [
      'no containers',
      { template: { metadata: template['metadata'], spec: { containers: [] } } },
      'spec.template.spec.containers: Required value',
    ],
    [
      'no image',
      { template: { metadata: template['metadata'], spec: { containers: [{ name: 'a' }] } } },
      'spec.template.spec.containers[0].image: Required value',
    ],
    [
      'a selector that misses',
      { selector: { matchLabels: { app: 'other' } } },
      '`selector` does not match template `labels`',
    ],
    ['no selector', { selector: undefined }, 'spec.selector: Required value'],
    [
      'an unknown volume',
      {
        template: {
          metadata: template['metadata'],
          spec: { containers: [{ name: 'a', image: 'i', volumeMounts: [{ name: 'v', mountPath: '/v' }] }] },
        },
      },
      'spec.template.spec.containers[0].volumeMounts[0].name: Not found: "v"',
    ],
  ])('refuses %s', (_what, change, text) => {
    const error = refusal(() => testCluster().store.create('deployments.apps', deployment(change)));
    expect(error.status).toBe(422);
    expect(error.message).toContain(text);
  });

  it('takes a mount of what a claim template gives', () => {
    const spec = {
      containers: [{ name: 'a', image: 'i', volumeMounts: [{ name: 'data', mountPath: '/v' }] }],
    };
    const set = {
      ...deployment({ template: { metadata: template['metadata'], spec } }),
      kind: 'StatefulSet',
    };
    const claims = [{ metadata: { name: 'data' }, spec: { accessModes: ['ReadWriteOnce'] } }];
    const made = { ...set, spec: { ...set.spec, serviceName: 's', volumeClaimTemplates: claims } };
    expect(() => testCluster().store.create('statefulsets.apps', made)).not.toThrow('Not found');
    const without = { ...made, spec: { ...made.spec, volumeClaimTemplates: [] } };
    expect(() => testCluster().store.create('statefulsets.apps', without)).toThrow('Not found: "data"');
  });
});
