import type { KubernetesObject } from '#fleet';
import type { TerminatingNamespace, WorkloadView } from '#upgrade';
import { fields, items, text } from './fields.js';

/** Deployments and StatefulSets with what happens to their pods when the template changes. */
export function workloadsOf(
  deployments: readonly KubernetesObject[],
  statefulSets: readonly KubernetesObject[],
): readonly WorkloadView[] {
  const named = (kind: string, { metadata }: KubernetesObject): string =>
    `${kind} ${metadata.namespace ?? 'default'}/${metadata.name}`;
  return [
    ...deployments.map((object) => ({
      name: named('Deployment', object),
      replicas: replicasOf(object),
      surges: surges(object),
    })),
    ...statefulSets.map((object) => ({
      name: named('StatefulSet', object),
      replicas: replicasOf(object),
      surges: false,
    })),
  ];
}

function replicasOf(object: KubernetesObject): number {
  const { replicas } = fields(object['spec']);
  return typeof replicas === 'number' ? replicas : 1;
}

/** Percentages are rounded up, so that anything but zero is a pod. */
function surges(deployment: KubernetesObject): boolean {
  const strategy = fields(fields(deployment['spec'])['strategy']);
  if (strategy['type'] === 'Recreate') return false;
  const { maxSurge = '25%' } = fields(strategy['rollingUpdate']);
  return maxSurge !== 0 && maxSurge !== '0' && maxSurge !== '0%';
}

/** Namespaces on their way out, and what holds them in the words of the namespace controller. */
export function terminatingAmong(namespaces: readonly KubernetesObject[]): readonly TerminatingNamespace[] {
  return namespaces.flatMap((object) => {
    const since = Date.parse(object.metadata.deletionTimestamp ?? '');
    if (Number.isNaN(since)) return [];
    const held = items(fields(object['status'])['conditions'])
      .filter((one) => one['status'] === 'True')
      .map((one) => text(one['message']))
      .filter((message) => message !== '');
    const because = held.length > 0 ? held.join('; ') : 'the namespace controller has not said what holds it';
    return [{ name: object.metadata.name, since, because }];
  });
}
