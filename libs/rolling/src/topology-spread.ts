import type { NodeView, PodView } from '#fleet';
import { hasNodeWishes, meetsNodeWishes, toleratesAll } from './node-fit.js';
import { sameLabels, type Refusal, type Surroundings } from './pod-relations.js';
import { listOf, matchesSelector } from './selector.js';

interface Constraint {
  readonly maxSkew?: unknown;
  readonly topologyKey?: unknown;
  readonly whenUnsatisfiable?: unknown;
  readonly labelSelector?: unknown;
  readonly minDomains?: unknown;
  readonly matchLabelKeys?: unknown;
  readonly nodeAffinityPolicy?: unknown;
  readonly nodeTaintsPolicy?: unknown;
}

/**
 * Why a pod may not stand on a node because its `DoNotSchedule` spread would become too uneven. Cordoned nodes count as
 * domains where the constraint does not honour taints (the default): a drained node that is empty is the emptiest one,
 * and a strict spread over hostnames then finds no home at all until the node is gone.
 * Source: kubernetes/pkg/scheduler/framework/plugins/podtopologyspread/filtering.go.
 */
export function spreadOf(pod: PodView, nodes: readonly NodeView[], around: Surroundings): Refusal {
  const all = listOf(pod.topologySpreadConstraints) as readonly Constraint[];
  const strict = all.filter(({ whenUnsatisfiable }) => whenUnsatisfiable !== 'ScheduleAnyway');
  const keys = strict.map(({ topologyKey }) => String(topologyKey));
  const checks = strict.map((constraint) => {
    const counts = countDomains(pod, constraint, keys, nodes, around);
    return evenness(constraint, counts, matchesSelector(constraint.labelSelector, pod.labels) ? 1 : 0);
  });
  return (node) => {
    for (const check of checks) {
      const reason = check(node);
      if (reason !== undefined) return reason;
    }
    return undefined;
  };
}

/** `self`: what the pod itself would add to its domain. */
function evenness(constraint: Constraint, counts: ReadonlyMap<string, number>, self: 0 | 1): Refusal {
  const key = String(constraint.topologyKey);
  const enough = counts.size > 0 && counts.size >= Number(constraint.minDomains ?? 1);
  const least = enough ? Math.min(...counts.values()) : 0;
  const most = Number(constraint.maxSkew ?? 1);
  return (node) => {
    const domain = node.labels[key];
    if (domain === undefined) return `it has no label ${key} to spread over`;
    const skew = (counts.get(domain) ?? 0) + self - least;
    return skew > most ? `topology spread over ${key} would be uneven` : undefined;
  };
}

/** Matching pods by domain, over the nodes that count for the pod. */
function countDomains(
  pod: PodView,
  constraint: Constraint,
  keys: readonly string[],
  nodes: readonly NodeView[],
  around: Surroundings,
): ReadonlyMap<string, number> {
  const counting = (node: NodeView): boolean =>
    keys.every((key) => node.labels[key] !== undefined) &&
    (constraint.nodeAffinityPolicy === 'Ignore' || meetsNodeWishes(pod, node)) &&
    (constraint.nodeTaintsPolicy !== 'Honor' || (!node.unschedulable && toleratesAll(pod, node)));
  const key = String(constraint.topologyKey);
  const plain = constraint.nodeTaintsPolicy !== 'Honor' && !hasNodeWishes(pod);
  const counts = new Map(plain ? around.domains(key, keys) : domainsAmong(nodes.filter(counting), key));
  for (const other of around.near([pod.namespace], constraint.labelSelector)) {
    const domain = other.node.labels[key] ?? '';
    if (isCounted(pod, constraint, other.pod) && counting(other.node)) {
      counts.set(domain, (counts.get(domain) ?? 0) + 1);
    }
  }
  return counts;
}

const domainsAmong = (nodes: readonly NodeView[], key: string): ReadonlyMap<string, number> =>
  new Map(nodes.map((node) => [node.labels[key] ?? '', 0]));

const isCounted = (pod: PodView, constraint: Constraint, other: PodView): boolean =>
  other.namespace === pod.namespace &&
  other.deletionTimestamp === undefined &&
  matchesSelector(constraint.labelSelector, other.labels) &&
  sameLabels(pod, other, constraint.matchLabelKeys);
