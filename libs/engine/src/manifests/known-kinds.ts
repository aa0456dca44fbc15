import type { Component } from '#fleet';

/** Kinds that deletions.yaml may name without saying their group. Source: Kubernetes API reference, 1.36. */
const BUILT_IN: Readonly<Record<string, readonly string[]>> = {
  v1: [
    'ConfigMap',
    'Endpoints',
    'Event',
    'LimitRange',
    'Namespace',
    'Node',
    'PersistentVolume',
    'PersistentVolumeClaim',
    'Pod',
    'PodTemplate',
    'ReplicationController',
    'ResourceQuota',
    'Secret',
    'Service',
    'ServiceAccount',
  ],
  'apps/v1': ['DaemonSet', 'Deployment', 'ReplicaSet', 'StatefulSet'],
  'batch/v1': ['CronJob', 'Job'],
  'autoscaling/v2': ['HorizontalPodAutoscaler'],
  'policy/v1': ['PodDisruptionBudget'],
  'networking.k8s.io/v1': ['Ingress', 'IngressClass', 'NetworkPolicy'],
  'rbac.authorization.k8s.io/v1': ['ClusterRole', 'ClusterRoleBinding', 'Role', 'RoleBinding'],
  'storage.k8s.io/v1': ['CSIDriver', 'StorageClass', 'VolumeAttachment'],
  'scheduling.k8s.io/v1': ['PriorityClass'],
  'coordination.k8s.io/v1': ['Lease'],
  'admissionregistration.k8s.io/v1': ['MutatingWebhookConfiguration', 'ValidatingWebhookConfiguration'],
  'apiextensions.k8s.io/v1': ['CustomResourceDefinition'],
  'apiregistration.k8s.io/v1': ['APIService'],
};

/** The kind that a deletion means, without regard to case; kinds of the revision's own manifests count too. */
export function kindOf(
  name: string,
  components: readonly Component[],
): { readonly apiVersion: string; readonly kind: string } | undefined {
  const wanted = name.toLowerCase();
  for (const [apiVersion, kinds] of Object.entries(BUILT_IN)) {
    const kind = kinds.find((candidate) => candidate.toLowerCase() === wanted);
    if (kind !== undefined) return { apiVersion, kind };
  }
  for (const { object } of components.flatMap((component) => component.objects)) {
    if (object.kind.toLowerCase() === wanted) return { apiVersion: object.apiVersion, kind: object.kind };
  }
  return undefined;
}
