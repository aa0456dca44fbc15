import { quantityValue } from '../api/quantity.js';
import type { KubeNode, NodeSelectorTerm, Pod, PodSpec, StringMap } from './objects.js';
import { isFinished } from './pods.js';
import { meets } from './selector.js';

export interface Resources {
  /** Cores. */
  readonly cpu: number;
  /** Bytes. */
  readonly memory: number;
  readonly pods: number;
}

const amount = (map: StringMap | undefined, name: string): number =>
  quantityValue(String(map?.[name] ?? '0')) ?? 0;

const allocatable = new WeakMap<KubeNode, Resources>();

/** Read once per version of the node. */
export function allocatableOf(node: KubeNode): Resources {
  const known = allocatable.get(node);
  if (known) return known;
  const map = node.status?.allocatable;
  const result = { cpu: amount(map, 'cpu'), memory: amount(map, 'memory'), pods: amount(map, 'pods') };
  allocatable.set(node, result);
  return result;
}

const requested = new WeakMap<PodSpec, Resources>();

/** Sum over the containers, or the largest init container where that asks for more. Read once per spec. */
export function requestsOf(pod: Pod): Resources {
  if (!pod.spec) return { cpu: 0, memory: 0, pods: 1 };
  const known = requested.get(pod.spec);
  if (known) return known;
  const of = (name: string): number => {
    const main =
      pod.spec?.containers.reduce((sum, container) => sum + amount(container.resources?.requests, name), 0) ??
      0;
    return Math.max(
      main,
      ...(pod.spec?.initContainers ?? []).map((container) => amount(container.resources?.requests, name)),
    );
  };
  const result = { cpu: of('cpu'), memory: of('memory'), pods: 1 };
  requested.set(pod.spec, result);
  return result;
}

export function usedBy(pods: readonly Pod[]): Resources {
  let cpu = 0;
  let memory = 0;
  let count = 0;
  for (const pod of pods) {
    if (isFinished(pod)) continue;
    const wanted = requestsOf(pod);
    cpu += wanted.cpu;
    memory += wanted.memory;
    count++;
  }
  return { cpu, memory, pods: count };
}

/** Terms are alternatives, what a term lists must all hold; a term without anything matches nothing. */
export function matchesTerms(terms: readonly NodeSelectorTerm[], node: KubeNode): boolean {
  const fields = { 'metadata.name': node.metadata.name };
  return terms.some(({ matchExpressions = [], matchFields = [] }) => {
    if (matchExpressions.length + matchFields.length === 0) return false;
    return (
      matchExpressions.every((requirement) => meets(requirement, node.metadata.labels)) &&
      matchFields.every((requirement) => meets(requirement, fields))
    );
  });
}

/** Node selector and required node affinity. */
export function matchesNodeAffinity(spec: PodSpec, node: KubeNode): boolean {
  const labels = node.metadata.labels ?? {};
  for (const [key, value] of Object.entries(spec.nodeSelector ?? {})) if (labels[key] !== value) return false;
  const required = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  return !required || matchesTerms(required.nodeSelectorTerms, node);
}
