import type { ClusterView } from './cluster-view.js';
import { allocatableOf, matchesNodeAffinity, requestsOf, usedBy } from './node-fit.js';
import type { KubeNode, Pod, PodAffinityTerm, PodSpec, TopologySpread } from './objects.js';
import { isFinished, isTerminating } from './pods.js';
import { selects } from './selector.js';
import { firstUntolerated, isTolerated, UNSCHEDULABLE } from './tolerations.js';
import { claimNamesOf, claimsOf, volumesAllow, type Claim } from './volumes.js';

interface Seat {
  readonly node: KubeNode;
  /** Pods on the node that are not finished; terminating ones still take their room. */
  readonly pods: readonly Pod[];
}

/** Everything one scheduling cycle looks at. */
export interface Room {
  readonly seats: readonly Seat[];
  readonly view: ClusterView;
}

export const roomOf = (view: ClusterView): Room => ({
  view,
  seats: view.nodes().map((node) => ({
    node,
    pods: view.podsOn(node.metadata.name).filter((pod) => !isFinished(pod)),
  })),
});

/** Why a node will not do, in kube-scheduler's words; undefined where it will. */
function whyNot(
  pod: Pod,
  seat: Seat,
  room: Room,
  claims: readonly (Claim | undefined)[],
): string | undefined {
  const spec = pod.spec as PodSpec;
  const { node } = seat;
  if (
    node.spec?.unschedulable &&
    !isTolerated({ key: UNSCHEDULABLE, effect: 'NoSchedule' }, spec.tolerations)
  ) {
    return 'node(s) were unschedulable';
  }
  const taint = firstUntolerated(node.spec?.taints, spec.tolerations);
  if (taint) return `node(s) had untolerated taint {${taint.key}: ${taint.value ?? ''}}`;
  if (!matchesNodeAffinity(spec, node)) return "node(s) didn't match Pod's node affinity/selector";
  return whyNoRoom(pod, seat) ?? whyNotVolumes(claims, node, room) ?? whyNotTopology(pod, spec, seat, room);
}

function whyNoRoom(pod: Pod, seat: Seat): string | undefined {
  const have = allocatableOf(seat.node);
  const used = usedBy(seat.pods);
  const wanted = requestsOf(pod);
  if (used.pods + 1 > have.pods) return 'Too many pods';
  if (wanted.cpu > 0 && used.cpu + wanted.cpu > have.cpu + 1e-9) return 'Insufficient cpu';
  if (wanted.memory > 0 && used.memory + wanted.memory > have.memory) return 'Insufficient memory';
  return undefined;
}

const whyNotVolumes = (
  claims: readonly (Claim | undefined)[],
  node: KubeNode,
  room: Room,
): string | undefined =>
  volumesAllow(room.view, claims, node) ? undefined : 'node(s) had volume node affinity conflict';

function whyNotTopology(pod: Pod, spec: PodSpec, seat: Seat, room: Room): string | undefined {
  for (const constraint of spec.topologySpreadConstraints ?? []) {
    if (constraint.whenUnsatisfiable === 'DoNotSchedule' && !spreads(pod, constraint, seat, room)) {
      return "node(s) didn't match pod topology spread constraints";
    }
  }
  const anti = spec.affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
  if (anti.some((term) => meetsTerm(pod, term, seat, room)))
    return "node(s) didn't match pod anti-affinity rules";
  if (refusedByOthers(pod, seat, room)) return "node(s) didn't satisfy existing pods anti-affinity rules";
  const near = spec.affinity?.podAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
  const satisfied = near.every(
    (term) =>
      meetsTerm(pod, term, seat, room) || (isFirst(pod, term, room) && hasLabel(seat, term.topologyKey)),
  );
  return satisfied ? undefined : "node(s) didn't match pod affinity rules";
}

const labelOf = (node: KubeNode, key: string): string | undefined => node.metadata.labels?.[key];
const hasLabel = (seat: Seat, key: string): boolean => labelOf(seat.node, key) !== undefined;

const inScope = (pod: Pod, other: Pod, term: PodAffinityTerm): boolean =>
  (term.namespaces ?? [pod.metadata.namespace]).includes(other.metadata.namespace as string) &&
  selects(term.labelSelector, other.metadata.labels);

/** Is there a pod that the term means in the seat's domain? */
function meetsTerm(pod: Pod, term: PodAffinityTerm, seat: Seat, room: Room): boolean {
  const domain = labelOf(seat.node, term.topologyKey);
  if (domain === undefined) return false;
  return room.seats.some(
    (other) =>
      labelOf(other.node, term.topologyKey) === domain &&
      other.pods.some((candidate) => inScope(pod, candidate, term)),
  );
}

/** The first of a group that wants to be near its own kind may go anywhere. */
const isFirst = (pod: Pod, term: PodAffinityTerm, room: Room): boolean =>
  inScope(pod, pod, term) && !room.seats.some((seat) => seat.pods.some((other) => inScope(pod, other, term)));

function refusedByOthers(pod: Pod, seat: Seat, room: Room): boolean {
  return room.seats.some((other) =>
    other.pods.some((resident) =>
      (resident.spec?.affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []).some(
        (term) => {
          const domain = labelOf(other.node, term.topologyKey);
          return (
            domain !== undefined &&
            domain === labelOf(seat.node, term.topologyKey) &&
            inScope(resident, pod, term)
          );
        },
      ),
    ),
  );
}

/** Counts per domain among the nodes that the pod's own selectors allow; terminating pods do not count. */
function spreads(pod: Pod, constraint: TopologySpread, seat: Seat, room: Room): boolean {
  const here = labelOf(seat.node, constraint.topologyKey);
  if (here === undefined) return false;
  const counts = new Map<string, number>();
  for (const other of room.seats) {
    const domain = labelOf(other.node, constraint.topologyKey);
    if (domain === undefined || !matchesNodeAffinity(pod.spec as PodSpec, other.node)) continue;
    const matching = other.pods.filter(
      (candidate) =>
        candidate.metadata.namespace === pod.metadata.namespace &&
        !isTerminating(candidate) &&
        selects(constraint.labelSelector, candidate.metadata.labels),
    ).length;
    counts.set(domain, (counts.get(domain) ?? 0) + matching);
  }
  const least = counts.size < (constraint.minDomains ?? 1) ? 0 : Math.min(...counts.values());
  const self = selects(constraint.labelSelector, pod.metadata.labels) ? 1 : 0;
  return (counts.get(here) ?? 0) + self - least <= constraint.maxSkew;
}

export type Choice =
  { readonly ok: true; readonly node: KubeNode } | { readonly ok: false; readonly message: string };

/** The best node, or the message of a FailedScheduling event. */
export function chooseNode(pod: Pod, room: Room): Choice {
  const missing = claimNamesOf(pod).find(
    (name) => !room.view.get('persistentvolumeclaims', pod.metadata.namespace, name),
  );
  const total = room.seats.length;
  if (total === 0) return { ok: false, message: 'no nodes available to schedule pods' };
  if (missing)
    return {
      ok: false,
      message: `0/${total} nodes are available: persistentvolumeclaim "${missing}" not found.`,
    };
  const claims = claimsOf(room.view, pod);
  const reasons = new Map<string, number>();
  const fitting: Seat[] = [];
  for (const seat of room.seats) {
    const why = whyNot(pod, seat, room, claims);
    if (why === undefined) fitting.push(seat);
    else reasons.set(why, (reasons.get(why) ?? 0) + 1);
  }
  const siblings = siblingsOf(pod, room);
  const best = fitting.map((seat) => ({ seat, score: scoreOf(pod, seat, siblings) })).sort(byScore)[0];
  if (best) return { ok: true, node: best.seat.node };
  const parts = [...reasons].map(([reason, count]) => `${count} ${reason}`).sort();
  return { ok: false, message: `0/${total} nodes are available: ${parts.join(', ')}.` };
}

const byScore = (a: { seat: Seat; score: number }, b: { seat: Seat; score: number }): number =>
  b.score - a.score || (a.seat.node.metadata.name < b.seat.node.metadata.name ? -1 : 1);

interface Siblings {
  /** By node name, and by zone. */
  readonly onNode: ReadonlyMap<string, number>;
  readonly inZone: ReadonlyMap<string | undefined, number>;
}

const zoneOf = (seat: Seat): string | undefined => labelOf(seat.node, 'topology.kubernetes.io/zone');

function siblingsOf(pod: Pod, room: Room): Siblings {
  const owner = pod.metadata.ownerReferences?.[0]?.uid;
  const onNode = new Map<string, number>();
  const inZone = new Map<string | undefined, number>();
  if (owner === undefined) return { onNode, inZone };
  for (const seat of room.seats) {
    const count = seat.pods.filter(
      (candidate) => candidate.metadata.ownerReferences?.[0]?.uid === owner,
    ).length;
    onNode.set(seat.node.metadata.name, count);
    inZone.set(zoneOf(seat), (inZone.get(zoneOf(seat)) ?? 0) + count);
  }
  return { onNode, inZone };
}

/** Away from siblings (node, then zone), off nodes that PreferNoSchedule, towards the emptier node. */
function scoreOf(pod: Pod, seat: Seat, { onNode, inZone }: Siblings): number {
  const have = allocatableOf(seat.node);
  const used = usedBy(seat.pods);
  const load = used.cpu / (have.cpu || 1) + used.memory / (have.memory || 1) + used.pods / (have.pods || 1);
  const avoid = firstUntolerated(seat.node.spec?.taints, pod.spec?.tolerations, ['PreferNoSchedule'])
    ? 100
    : 0;
  return (
    -avoid - 10 * (onNode.get(seat.node.metadata.name) ?? 0) - 3 * (inZone.get(zoneOf(seat)) ?? 0) - load
  );
}
