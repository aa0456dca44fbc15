import type { KubernetesObject } from '#fleet';
import { APPLY_SET_ID, PART_OF_LABEL } from './apply-set.js';
import type { Ownership } from './types.js';

/** The field manager of every apply. */
export const FIELD_MANAGER = 'fairway';
export const MANAGED_BY_LABEL = 'app.kubernetes.io/managed-by';
export const CLUSTER_LABEL = 'fairway.dev/cluster';
export const COMPONENT_LABEL = 'fairway.dev/component';
export const PRUNE_ANNOTATION = 'fairway.dev/prune';
export const FORCE_ANNOTATION = 'fairway.dev/force';

/** Label values allow no colons: `aws:123456789012:eu-central-1:kube-1` becomes `aws-123456789012-eu-central-1-kube-1`. */
export function labelValue(text: string): string {
  return text
    .replace(/[^A-Za-z0-9._-]/g, '-')
    .slice(0, 63)
    .replace(/^[^A-Za-z0-9]+|[^A-Za-z0-9]+$/g, '');
}

const ownerLabels = ({ clusterId, component }: Ownership): Readonly<Record<string, string>> => ({
  [MANAGED_BY_LABEL]: 'fairway',
  [CLUSTER_LABEL]: labelValue(clusterId),
  [COMPONENT_LABEL]: labelValue(component),
  [PART_OF_LABEL]: APPLY_SET_ID,
});

/** The object with the labels that say whose it is. `managed-by` of the author's gives way: prune depends on it. */
export function labelObject(object: KubernetesObject, owner: Ownership): KubernetesObject {
  const labels = { ...object.metadata.labels, ...ownerLabels(owner) };
  return { ...object, metadata: { ...object.metadata, labels } };
}

/** Whether a live object says that Fairway applied it to this cluster. */
export function isOurs(object: KubernetesObject, clusterId: string): boolean {
  const labels = object.metadata.labels ?? {};
  return labels[MANAGED_BY_LABEL] === 'fairway' && labels[CLUSTER_LABEL] === labelValue(clusterId);
}
