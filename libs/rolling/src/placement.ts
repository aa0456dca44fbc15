import type { NodeView, PodView } from '#fleet';
import { meetsNodeAffinity, repellingTaint, unmetSelector } from './node-fit.js';
import { keepsOthersAway, relationsOf, type Refusal, type Standing } from './pod-relations.js';
import { spreadOf } from './topology-spread.js';

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

/** Where pods are to go, and what they find there. */
export interface Move {
  /** The node that they leave: it takes nobody, but still counts where pods are spread over nodes. */
  readonly from: NodeView | undefined;
  /** All others. */
  readonly nodes: readonly NodeView[];
  /** Pods of the whole cluster. */
  readonly running: readonly PodView[];
  /**
   * Zones of volumes by `namespace/claim`, none for one that can be used everywhere. A claim that is not there is taken
   * to be where its pod is.
   */
  readonly volumeZones?: Readonly<Record<string, readonly string[]>>;
}

/**
 * Places pods one after the other, biggest first, on the nodes given, as the scheduler's filters would: taints, node
 * selector, node affinity, zones of volumes, affinity and anti-affinity of pods, topology spread, allocatable. What it
 * cannot know (host ports, extended resources, limits of attached volumes) is taken as met: it finds sure trouble only.
 */
export function findHomes(pods: readonly PodView[], move: Move): readonly Homeless[] {
  const town = new Town(pods, move);
  const bySize = [...pods].sort(
    (a, b) => b.requests.cpuMillis - a.requests.cpuMillis || (a.uid < b.uid ? -1 : 1),
  );
  return bySize.flatMap((pod) => {
    const reason = town.settle(pod);
    return reason === undefined ? [] : [{ pod, reason }];
  });
}

/** The cluster without the pods that move, filling up as they find homes. */
class Town {
  private readonly rooms: readonly Room[];
  private readonly standing: Standing[] = [];
  private readonly exclusive: Standing[] = [];
  private readonly domains: readonly NodeView[];

  constructor(
    pods: readonly PodView[],
    private readonly move: Move,
  ) {
    const { nodes, from, running } = move;
    this.domains = from ? [...nodes, from] : nodes;
    const free = nodes.filter((node) => node.ready && !node.unschedulable);
    this.rooms = free.map((node) => ({ node, ...node.allocatable }));
    const rooms = new Map(this.rooms.map((room) => [room.node.name, room]));
    const byName = new Map(this.domains.map((node) => [node.name, node]));
    const moving = new Set(pods.map(({ uid }) => uid));
    for (const pod of running) {
      const node = byName.get(pod.nodeName ?? '');
      if (!node || moving.has(pod.uid) || pod.phase === 'Succeeded' || pod.phase === 'Failed') continue;
      this.put(pod, node, rooms.get(node.name));
    }
  }

  /** Finds the pod a home; why there is none. */
  settle(pod: PodView): string | undefined {
    const reasons: string[] = [];
    const among = [
      relationsOf(pod, this.standing, this.exclusive),
      spreadOf(pod, this.domains, this.standing),
    ];
    for (const room of this.rooms) {
      const reason = this.refusal(pod, room) ?? firstOf(among, room.node);
      if (reason === undefined) {
        this.put(pod, room.node, room);
        return undefined;
      }
      reasons.push(reason);
    }
    return mostFrequent(reasons) ?? 'no schedulable node';
  }

  private put(pod: PodView, node: NodeView, room: Room | undefined): void {
    this.standing.push({ pod, node });
    if (keepsOthersAway(pod)) this.exclusive.push({ pod, node });
    if (!room) return;
    room.cpuMillis -= pod.requests.cpuMillis;
    room.memoryBytes -= pod.requests.memoryBytes;
    room.pods -= 1;
  }

  /** What concerns the node alone. */
  private refusal(pod: PodView, room: Room): string | undefined {
    const { node } = room;
    const taint = repellingTaint(pod, node);
    if (taint) return `taint ${taint.key} is not tolerated`;
    const selector = unmetSelector(pod, node);
    if (selector !== undefined) return `node selector ${selector} is not met`;
    if (!meetsNodeAffinity(pod, node)) return 'required node affinity is not met';
    const zone = this.missedZone(pod, node);
    if (zone !== undefined) return `its volume is in zone ${zone}`;
    if (room.cpuMillis < pod.requests.cpuMillis) return 'not enough CPU';
    if (room.memoryBytes < pod.requests.memoryBytes) return 'not enough memory';
    return room.pods < 1 ? 'too many pods' : undefined;
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
