import type { Deletion, KubernetesObject } from '#fleet';
import { describe, expect, it } from 'vitest';
import { matchDeletion } from './deletions.js';
import { classifyImmutable, mayRecreate } from './immutable.js';

const make = (
  kind: string,
  name: string,
  namespace: string,
  labels: Record<string, string> = {},
  owned = false,
): KubernetesObject => ({
  apiVersion: 'v1',
  kind,
  metadata: {
    name,
    namespace,
    labels,
    ...(owned && { ownerReferences: [{ apiVersion: 'v1', kind: 'X', name: 'x', uid: 'u' }] }),
  },
});
const objects = [
  make('ConfigMap', 'a', 'x', { app: 'web', tier: 'front' }),
  make('ConfigMap', 'b', 'x', { app: 'db' }, true),
  make('ConfigMap', 'a', 'y', {}),
  make('Secret', 'a', 'x', { app: 'web' }),
];

describe('matchDeletion', () => {
  it.each<[Deletion, readonly string[]]>([
    [{ kind: 'ConfigMap', namespace: 'x', name: 'a' }, ['x/a']],
    [{ kind: 'ConfigMap', name: 'a' }, ['x/a', 'y/a']],
    [{ kind: 'ConfigMap', labels: { app: 'web' } }, ['x/a']],
    [{ kind: 'ConfigMap', labels: {} }, []],
    [{ kind: 'ConfigMap' }, []],
    [{ kind: 'ConfigMap', selector: '' }, []],
    [{ kind: 'ConfigMap', selector: 'app in (web, db)' }, ['x/a', 'x/b']],
    [{ kind: 'ConfigMap', selector: 'app in (web,db),tier!=front' }, ['x/b']],
    [{ kind: 'ConfigMap', selector: 'app notin (web)' }, ['x/b', 'y/a']],
    [{ kind: 'ConfigMap', selector: '!app' }, ['y/a']],
    [{ kind: 'ConfigMap', selector: 'app==db' }, ['x/b']],
    [{ kind: 'ConfigMap', selector: 'app~db' }, []],
    [{ kind: 'ConfigMap', selector: 'app', hasOwner: false }, ['x/a']],
    [{ kind: 'ConfigMap', selector: 'app', hasOwner: true }, ['x/b']],
  ])('%o', (deletion, expected) => {
    expect(
      matchDeletion(deletion, objects).map(({ metadata }) => `${metadata.namespace ?? ''}/${metadata.name}`),
    ).toEqual(expected);
  });
});

describe('classifyImmutable', () => {
  it.each([
    [
      'Job.batch "x" is invalid: spec.template: Invalid value: core.PodTemplateSpec{…}: field is immutable',
      true,
      ['spec.template'],
    ],
    [
      'Deployment.apps "x" is invalid: spec.selector: Invalid value: v1.LabelSelector{…}: field is immutable',
      true,
      ['spec.selector'],
    ],
    [
      'StatefulSet.apps "x" is invalid: spec: Forbidden: updates to statefulset spec for fields other than \'replicas\' are forbidden',
      true,
      ['spec'],
    ],
    [
      'Service "x" is invalid: spec.clusterIPs[0]: Invalid value: ["1.2.3.4"]: may not change once set',
      true,
      ['spec.clusterIPs[0]'],
    ],
    [
      'RoleBinding.rbac.authorization.k8s.io "x" is invalid: roleRef: Invalid value: rbac.RoleRef{}: cannot change roleRef',
      true,
      ['roleRef'],
    ],
    [
      'ConfigMap "x" is invalid: metadata.labels: Invalid value: "a b": a valid label must be an empty string or …',
      false,
      [],
    ],
  ])('%s', (message, immutable, fields) => expect(classifyImmutable(message)).toEqual({ immutable, fields }));

  it('lets only what is forced and holds no data be recreated', () => {
    const forced = (kind: string): KubernetesObject => ({
      apiVersion: 'v1',
      kind,
      metadata: { name: 'x', annotations: { 'fairway.dev/force': 'enabled' } },
    });
    expect(mayRecreate(forced('Job')).allowed).toBe(true);
    expect(mayRecreate(make('Job', 'x', 'y')).allowed).toBe(false);
    for (const kind of ['StatefulSet', 'PersistentVolumeClaim', 'Namespace', 'CustomResourceDefinition']) {
      expect(mayRecreate(forced(kind)).allowed).toBe(false);
    }
  });
});
