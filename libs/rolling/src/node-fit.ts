import type { NodeView, PodView, Taint } from '#fleet';
import { listOf, matchesRequirement } from './selector.js';

interface Toleration {
  readonly key?: string;
  readonly operator?: string;
  readonly value?: string;
  readonly effect?: string;
}

/** Whether a list of tolerations covers a taint (Kubernetes rules: empty key with Exists covers all). */
export function tolerates(tolerations: readonly unknown[], taint: Taint): boolean {
  return listOf(tolerations).some((entry) => {
    const { key, operator = 'Equal', value, effect } = (entry ?? {}) as Toleration;
    if (effect !== undefined && effect !== '' && effect !== taint.effect) return false;
    if (key === undefined || key === '') return operator === 'Exists';
    return key === taint.key && (operator === 'Exists' || (value ?? '') === (taint.value ?? ''));
  });
}

/** The first taint that keeps the pod from being scheduled there. */
export const repellingTaint = (pod: PodView, node: NodeView): Taint | undefined =>
  node.taints.find((taint) => taint.effect !== 'PreferNoSchedule' && !tolerates(pod.tolerations, taint));

export const toleratesAll = (pod: PodView, node: NodeView): boolean =>
  repellingTaint(pod, node) === undefined;

/** It may ask for certain nodes. */
export const hasNodeWishes = (pod: PodView): boolean =>
  Object.keys(pod.nodeSelector).length > 0 ||
  (pod.affinity as { nodeAffinity?: unknown } | undefined)?.nodeAffinity !== undefined;

/** Node selector and required node affinity. */
export const meetsNodeWishes = (pod: PodView, node: NodeView): boolean =>
  unmetSelector(pod, node) === undefined && meetsNodeAffinity(pod, node);

/** `key=value` of the node selector that the node does not have. */
export function unmetSelector(pod: PodView, node: NodeView): string | undefined {
  for (const key in pod.nodeSelector) {
    if (node.labels[key] !== pod.nodeSelector[key]) return `${key}=${pod.nodeSelector[key]}`;
  }
  return undefined;
}

export function meetsNodeAffinity(pod: PodView, node: NodeView): boolean {
  const affinity = pod.affinity as
    | { nodeAffinity?: { requiredDuringSchedulingIgnoredDuringExecution?: { nodeSelectorTerms?: unknown } } }
    | undefined;
  const terms = listOf(
    affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms,
  );
  if (terms.length === 0) return true;
  const fields = { 'metadata.name': node.name };
  return terms.some((term) => {
    const { matchExpressions, matchFields } = (term ?? {}) as {
      matchExpressions?: unknown;
      matchFields?: unknown;
    };
    // A term without requirements matches nothing.
    if (listOf(matchExpressions).length + listOf(matchFields).length === 0) return false;
    return (
      listOf(matchExpressions).every((requirement) => matchesRequirement(requirement, node.labels)) &&
      listOf(matchFields).every((requirement) => matchesRequirement(requirement, fields))
    );
  });
}
