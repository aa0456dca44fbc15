import type { KubernetesObject, ObjectRef } from '#fleet';

/** What others refer to comes first, what sends traffic or starts pods last. Kinds not listed go before workloads. */
const ORDER: readonly string[] = [
  'Namespace',
  'ResourceQuota',
  'LimitRange',
  'ServiceAccount',
  'Role',
  'ClusterRole',
  'RoleBinding',
  'ClusterRoleBinding',
  'Secret',
  'ConfigMap',
  'PersistentVolume',
  'PersistentVolumeClaim',
  'NetworkPolicy',
  'Service',
  'Endpoints',
  'EndpointSlice',
  'PodDisruptionBudget',
  '*',
  'DaemonSet',
  'StatefulSet',
  'Deployment',
  'ReplicaSet',
  'ReplicationController',
  'Pod',
  'Job',
  'CronJob',
  'HorizontalPodAutoscaler',
  'VerticalPodAutoscaler',
  'Ingress',
  'APIService',
];
const OTHER = ORDER.indexOf('*');

function kindRank(kind: string): number {
  const rank = ORDER.indexOf(kind);
  return rank === -1 ? OTHER : rank;
}

const DEFINITIONS = ['CustomResourceDefinition', 'Namespace', 'ClusterRole'];
const CLASSES = [
  'PriorityClass',
  'StorageClass',
  'IngressClass',
  'RuntimeClass',
  'GatewayClass',
  'VolumeSnapshotClass',
  'VolumeAttributesClass',
  'CSIDriver',
  'DeviceClass',
  'FlowSchema',
  'PriorityLevelConfiguration',
];
const WEBHOOKS = [
  'ValidatingAdmissionPolicy',
  'ValidatingAdmissionPolicyBinding',
  'MutatingAdmissionPolicy',
  'MutatingAdmissionPolicyBinding',
  'MutatingWebhookConfiguration',
  'ValidatingWebhookConfiguration',
];

export type StagePart = 'definitions' | 'classes' | 'component' | 'webhooks';

export function partOf(object: Pick<KubernetesObject, 'kind'>): StagePart {
  if (DEFINITIONS.includes(object.kind)) return 'definitions';
  if (CLASSES.includes(object.kind)) return 'classes';
  return WEBHOOKS.includes(object.kind) ? 'webhooks' : 'component';
}

const PARTS: readonly StagePart[] = ['definitions', 'classes', 'component', 'webhooks'];

/** Rank of a kind within its part: definitions and webhooks keep the order of their lists above. */
export function rankWithin(part: StagePart, kind: string): number {
  const list = { definitions: DEFINITIONS, classes: CLASSES, webhooks: WEBHOOKS, component: undefined }[part];
  return list ? list.indexOf(kind) : kindRank(kind);
}

/** Position in the order of apply over all parts; its reverse is the order of deletion. */
export const applyRank = (ref: Pick<ObjectRef, 'kind'>): number =>
  PARTS.indexOf(partOf(ref)) * 1000 + rankWithin(partOf(ref), ref.kind);
