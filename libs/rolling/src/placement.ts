import type { NodeView, PodView } from '#fleet';
import { meetsNodeAffinity, repellingTaint, unmetSelector } from './node-fit.js';
import { relationsOf, type Keeper, type Refusal, type Standing, type Surroundings } from './pod-relations.js';
import { keepersOf, Population, take, type Room } from './population.js';
import { spreadOf } from './topology-spread.js';

export interface Homeless {
  readonly pod: PodView;
  /** Why no node takes it: the most frequent reason, for people. */
  readonly reason: string;
}

/** Where pods are to go, and what they find there. */
export interface Move {
  /** The node that they leave: it takes nobody, but still counts where pods are spread over nodes. */
  readonly from: NodeView | undefined;
  /** All others. */
  readonly nodes: readonly NodeView[];
  /** Pods of the whole cluster. */
  readonly running: readonly PodView[];
  /** The same on their nodes, for who asks more than once. */
  readonly population?: Population;
  /**
   * Zones of volumes by `namespace/claim`, none for one that can be used everywhere. A claim that is not there is taken
   * to be where its pod is.
   */
  readonly volumeZones?: Readonly<Record<string, readonly string[]>>;
}

/**
 * Places pods (those of `from`, or new ones) one after the other, biggest first, on the nodes given, as the scheduler's filters would: taints, node
 * selector, node affinity, zones of volumes, affinity and anti-affinity of pods, topology spread, allocatable. What it
 * cannot know (host ports, extended resources, limits of attached volumes) is taken as met: it finds sure trouble only.
 */
export function findHomes(pods: readonly PodView[], move: Move): readonly Homeless[] {
  const town = new Town(pods, move);
  return biggestFirst(pods).flatMap((pod) =>
    town.settle(pod) ? [] : [{ pod, reason: town.whyHomeless(pod) }],
  );
}

/** How many find none, and of the first of them why. */
export function countHomeless(
  pods: readonly PodView[],
  move: Move,
): { readonly count: number; readonly first: Homeless } | undefined {
  const town = new Town(pods, move);
  let [count, first] = [0, undefined as Homeless | undefined];
  for (const pod of biggestFirst(pods)) {
    if (town.settle(pod)) continue;
    count += 1;
    first ??= { pod, reason: town.whyHomeless(pod) };
  }
  return first && { count, first };
}

/** Whether any finds none. */
export function leavesHomeless(pods: readonly PodView[], move: Move): boolean {
  const town = new Town(pods, move);
  return biggestFirst(pods).some((pod) => !town.settle(pod));
}

const biggestFirst = (pods: readonly PodView[]): readonly PodView[] =>
  [...pods].sort((a, b) => b.requests.cpuMillis - a.requests.cpuMillis || (a.uid < b.uid ? -1 : 1));

/** The cluster without the pods that move, filling up as they find homes. */
class Town implements Surroundings {
  private readonly population: Population;
  private readonly rooms: readonly Room[];
  private readonly nodes: readonly NodeView[];
  private readonly empty = new Map<string, ReadonlyMap<string, number>>();
  private readonly moving: ReadonlySet<string>;
  private readonly settled: Standing[] = [];
  private readonly settledKeepers: Keeper[] = [];

  constructor(
    pods: readonly PodView[],
    private readonly move: Move,
  ) {
    const { nodes, from, running } = move;
    this.nodes = from ? [...nodes, from] : nodes;
    const population = move.population ?? new Population(this.nodes, running);
    this.population = population;
    this.moving = new Set(pods.map(({ uid }) => uid));
    this.rooms = nodes.flatMap((node) =>
      node.ready && !node.unschedulable ? [population.roomOn(node)] : [],
    );
  }

  /** Finds the pod a home; false where there is none. */
  settle(pod: PodView): boolean {
    let among: readonly Refusal[] | undefined;
    const { cpuMillis, memoryBytes } = pod.requests;
    for (const room of this.rooms) {
      // What is refused most often and costs least to ask comes first.
      if (room.cpuMillis < cpuMillis || room.memoryBytes < memoryBytes || room.pods < 1) continue;
      if (this.unfit(pod, room.node) !== undefined) continue;
      among ??= this.amongPods(pod);
      if (firstOf(among, room.node) !== undefined) continue;
      this.put(pod, room);
      return true;
    }
    return false;
  }

  whyHomeless(pod: PodView): string {
    const among = this.amongPods(pod);
    const reasons = this.rooms.map(
      (room) => this.unfit(pod, room.node) ?? tooSmall(pod, room) ?? firstOf(among, room.node) ?? '',
    );
    return mostFrequent(reasons) ?? 'no schedulable node';
  }

  near(namespaces: readonly string[], selector: unknown): readonly Standing[] {
    const before = this.population.near(namespaces, selector).filter(({ pod }) => !this.moving.has(pod.uid));
    return this.settled.length === 0 ? before : [...before, ...this.settled];
  }

  keepersFor(pod: PodView): readonly Keeper[] {
    const before = this.population.keepersFor(pod);
    const staying = before.filter(({ standing }) => !this.moving.has(standing.pod.uid));
    return this.settledKeepers.length === 0 ? staying : [...staying, ...this.settledKeepers];
  }

  domains(key: string, keys: readonly string[]): ReadonlyMap<string, number> {
    const name = [key, ...keys].join(' ');
    const known = this.empty.get(name);
    if (known) return known;
    const having = this.nodes.filter(({ labels }) => keys.every((each) => labels[each] !== undefined));
    const fresh = new Map(having.map(({ labels }) => [labels[key] ?? '', 0]));
    this.empty.set(name, fresh);
    return fresh;
  }

  private amongPods(pod: PodView): readonly Refusal[] {
    return [relationsOf(pod, this), spreadOf(pod, this.nodes, this)];
  }

  private put(pod: PodView, room: Room): void {
    const standing = { pod, node: room.node };
    this.settled.push(standing);
    this.settledKeepers.push(...keepersOf(standing));
    take(room, pod);
  }

  /** What concerns the node alone, whoever stands there. */
  private unfit(pod: PodView, node: NodeView): string | undefined {
    const taint = repellingTaint(pod, node);
    if (taint) return `taint ${taint.key} is not tolerated`;
    const selector = unmetSelector(pod, node);
    if (selector !== undefined) return `node selector ${selector} is not met`;
    if (!meetsNodeAffinity(pod, node)) return 'required node affinity is not met';
    const zone = this.missedZone(pod, node);
    return zone === undefined ? undefined : `its volume is in zone ${zone}`;
  }

  private missedZone(pod: PodView, node: NodeView): string | undefined {
    for (const claim of pod.persistentVolumeClaims) {
      const here = this.move.from?.zone;
      const known = this.move.volumeZones?.[`${pod.namespace}/${claim}`];
      const zones = known ?? (here === undefined ? [] : [here]);
      if (zones.length > 0 && !zones.includes(node.zone ?? '')) return zones.join(' or ');
    }
    return undefined;
  }
}

function tooSmall({ requests }: PodView, room: Room): string | undefined {
  if (room.cpuMillis < requests.cpuMillis) return 'not enough CPU';
  if (room.memoryBytes < requests.memoryBytes) return 'not enough memory';
  return room.pods < 1 ? 'too many pods' : undefined;
}

function firstOf(refusals: readonly Refusal[], node: NodeView): string | undefined {
  for (const refusal of refusals) {
    const reason = refusal(node);
    if (reason !== undefined) return reason;
  }
  return undefined;
}

function mostFrequent(reasons: readonly string[]): string | undefined {
  const counts = new Map<string, number>();
  for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))[0]?.[0];
}
