import { sha256Hex } from '#kernel';
import type { KubernetesObject, ObjectRef } from '#fleet';

/** The object that tells other tools which set a cluster's objects belong to. Its name is part of the set's identity. */
const PARENT: ObjectRef = { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'kube-system', name: 'fairway' };
const PREFIX = 'applyset.kubernetes.io';

/** Source: KEP-3659, "ApplySet identification": the parent's name, namespace, kind and group. */
export const APPLY_SET_ID = `applyset-${Buffer.from(
  sha256Hex([PARENT.name, PARENT.namespace, PARENT.kind, ''].join('.')),
  'hex',
).toString('base64url')}-v1`;

/** Label of every member. */
export const PART_OF_LABEL = `${PREFIX}/part-of`;

/**
 * The parent of an ApplySet with these members: which kinds and namespaces to look into. `kubectl apply --applyset` leaves
 * a set of another tool alone.
 */
export function applySetParent(members: readonly ObjectRef[]): KubernetesObject {
  const kinds = new Set(members.map(groupKind));
  const namespaces = new Set(
    members.flatMap(({ namespace }) => (namespace === undefined ? [] : [namespace])),
  );
  namespaces.delete(PARENT.namespace ?? '');
  return {
    apiVersion: PARENT.apiVersion,
    kind: PARENT.kind,
    metadata: {
      name: PARENT.name,
      ...(PARENT.namespace !== undefined && { namespace: PARENT.namespace }),
      labels: { [`${PREFIX}/id`]: APPLY_SET_ID },
      annotations: {
        [`${PREFIX}/tooling`]: 'fairway/v1',
        [`${PREFIX}/contains-group-kinds`]: [...kinds].sort().join(','),
        [`${PREFIX}/additional-namespaces`]: [...namespaces].sort().join(','),
      },
    },
  };
}

/** `Deployment.apps`, `ConfigMap` */
function groupKind({ apiVersion, kind }: ObjectRef): string {
  const [group, version] = apiVersion.split('/');
  return version === undefined ? kind : `${kind}.${group}`;
}
