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

interface Room {
  readonly node: NodeView;
  cpuMillis: number;
  memoryBytes: number;
  pods: number;
}

export interface Homeless {
  readonly pod: PodView;
  /** Why no node takes it: the most frequent reason, for people. */
  readonly reason: string;
}

/**
 * Places pods one after the other, biggest first, on the nodes given, as the scheduler's filters would (taints, node
 * selector, required node affinity, allocatable). Zones of volumes, pod affinity and spread are not looked at, so it
 * finds sure trouble only.
 */
export function findHomes(
  pods: readonly PodView[],
  nodes: readonly NodeView[],
  running: readonly PodView[],
): readonly Homeless[] {
  const rooms = nodes
    .filter((node) => node.ready && !node.unschedulable)
    .map((node) => roomOn(node, running));
  const bySize = [...pods].sort(
    (a, b) => b.requests.cpuMillis - a.requests.cpuMillis || (a.uid < b.uid ? -1 : 1),
  );
  const homeless: Homeless[] = [];
  for (const pod of bySize) {
    const refusals = rooms.map((room) => refusal(pod, room));
    const home = rooms.find((_, index) => refusals[index] === undefined);
    if (home) take(home, pod);
    else homeless.push({ pod, reason: mostFrequent(refusals) ?? 'no schedulable node' });
  }
  return homeless;
}

function roomOn(node: NodeView, running: readonly PodView[]): Room {
  const { cpuMillis, memoryBytes, pods } = node.allocatable;
  const room: Room = { node, cpuMillis, memoryBytes, pods };
  for (const pod of running) {
    if (pod.nodeName === node.name && pod.phase !== 'Succeeded' && pod.phase !== 'Failed') take(room, pod);
  }
  return room;
}

function take(room: Room, pod: PodView): void {
  room.cpuMillis -= pod.requests.cpuMillis;
  room.memoryBytes -= pod.requests.memoryBytes;
  room.pods -= 1;
}

function refusal(pod: PodView, room: Room): string | undefined {
  const { node } = room;
  const taint = node.taints.find((t) => t.effect !== 'PreferNoSchedule' && !tolerates(pod.tolerations, t));
  if (taint) return `taint ${taint.key} is not tolerated`;
  const label = Object.entries(pod.nodeSelector).find(([key, value]) => node.labels[key] !== value);
  if (label) return `node selector ${label[0]}=${label[1]} is not met`;
  if (!meetsAffinity(pod, node)) return 'required node affinity is not met';
  if (room.cpuMillis < pod.requests.cpuMillis) return 'not enough CPU';
  if (room.memoryBytes < pod.requests.memoryBytes) return 'not enough memory';
  return room.pods < 1 ? 'too many pods' : undefined;
}

function meetsAffinity(pod: PodView, node: NodeView): boolean {
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
    return (
      listOf(matchExpressions).every((requirement) => matchesRequirement(requirement, node.labels)) &&
      listOf(matchFields).every((requirement) => matchesRequirement(requirement, fields))
    );
  });
}

function mostFrequent(reasons: readonly (string | undefined)[]): string | undefined {
  const counts = new Map<string, number>();
  for (const reason of reasons) if (reason !== undefined) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))[0]?.[0];
}
