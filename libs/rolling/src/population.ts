import type { NodeView, PodView } from '#fleet';
import { antiAffinityTerms, namespacesOf, type Keeper, type Standing } from './pod-relations.js';

/** What is free on a node. */
export interface Room {
  readonly node: NodeView;
  cpuMillis: number;
  memoryBytes: number;
  pods: number;
}

/**
 * The pods of a cluster on its nodes, indexed once for all the questions of one look: a roll asks for every node that waits
 * whether its pods would find homes, and clusters have thousands of pods.
 */
export class Population {
  private readonly rooms: ReadonlyMap<string, Room>;
  private readonly standing: Standing[] = [];
  private readonly keepers = new Map<string, Keeper[]>();
  private byLabel: Map<string, Standing[]> | undefined;

  /** `nodes`: all that pods may stand on; what stands elsewhere, or has finished, is not counted. */
  constructor(nodes: readonly NodeView[], running: readonly PodView[]) {
    this.rooms = new Map(nodes.map((node) => [node.name, { node, ...node.allocatable }]));
    for (const pod of running) {
      const room = this.rooms.get(pod.nodeName ?? '');
      if (!room || pod.phase === 'Succeeded' || pod.phase === 'Failed') continue;
      take(room, pod);
      const standing = { pod, node: room.node };
      this.standing.push(standing);
      for (const keeper of keepersOf(standing)) {
        const label = firstLabel(keeper.term.labelSelector);
        for (const namespace of namespacesOf(pod, keeper.term))
          push(this.keepers, keyOf(namespace, label), keeper);
      }
    }
  }

  /** A copy that the caller may fill. */
  roomOn(node: NodeView): Room {
    const { cpuMillis, memoryBytes, pods } = this.rooms.get(node.name) ?? node.allocatable;
    return { node, cpuMillis, memoryBytes, pods };
  }

  /** At least all that the selector means in these namespaces. */
  near(namespaces: readonly string[], selector: unknown): readonly Standing[] {
    this.byLabel ??= indexed(this.standing);
    const label = firstLabel(selector);
    const found = namespaces.map((namespace) => this.byLabel?.get(keyOf(namespace, label)) ?? []);
    return found.length === 1 ? (found[0] ?? []) : found.flat();
  }

  /** At least all terms that keep this pod away. */
  keepersFor({ namespace, labels }: PodView): readonly Keeper[] {
    if (this.keepers.size === 0) return [];
    const keys = [undefined, ...Object.entries(labels)].map((label) => keyOf(namespace, label));
    return keys.flatMap((key) => this.keepers.get(key) ?? []);
  }
}

export function take(room: Room, { requests }: PodView): void {
  room.cpuMillis -= requests.cpuMillis;
  room.memoryBytes -= requests.memoryBytes;
  room.pods -= 1;
}

export const keepersOf = (standing: Standing): readonly Keeper[] =>
  antiAffinityTerms(standing.pod).map((term) => ({ standing, term }));

/** What a selector asks for at least; undefined where that is no certain label. */
function firstLabel(selector: unknown): readonly [string, string] | undefined {
  const { matchLabels } = (selector ?? {}) as { matchLabels?: Readonly<Record<string, string>> | null };
  return Object.entries(matchLabels ?? {})[0];
}

/** Every pod under each of its labels, and under its namespace alone. */
function indexed(standing: readonly Standing[]): Map<string, Standing[]> {
  const index = new Map<string, Standing[]>();
  for (const one of standing) {
    const { namespace, labels } = one.pod;
    push(index, keyOf(namespace, undefined), one);
    for (const label of Object.entries(labels)) push(index, keyOf(namespace, label), one);
  }
  return index;
}

const keyOf = (namespace: string, label: readonly [string, string] | undefined): string =>
  label === undefined ? namespace : `${namespace} ${label[0]}=${label[1]}`;

function push<T>(lists: Map<string, T[]>, key: string, value: T): void {
  const list = lists.get(key);
  if (list) list.push(value);
  else lists.set(key, [value]);
}
