import type { Duration } from '#kernel';
import type { InstanceView, NodeView, PodView } from '#fleet';
import { bootStage, poolDaemons, type BootStage, type PoolDaemons } from './boot.js';
import type { RollDraft } from './draft.js';
import { drainablePods } from './drainable.js';
import { readMark, UPGRADE_LOCK } from './marks.js';
import type { InstanceMemory, OldNodeState, PoolMemory } from './memory.js';
import { outdated } from './outdated.js';
import type { RollPolicy } from './policy.js';
import type { PoolScope } from './scope.js';

/** One instance of a group with everything that is known of it. */
export interface Member {
  readonly id: string;
  readonly instance: InstanceView;
  readonly node: NodeView | undefined;
  readonly pods: readonly PodView[];
  readonly drainable: readonly PodView[];
  readonly outdated: boolean;
  readonly reason: string;
  readonly boot: BootStage;
  /** AWS is taking it away, by whoever's order. */
  readonly leaving: boolean;
  readonly locked: boolean;
}

/** One auto scaling group in one pass. `N` is what others want: the desired capacity without our surge. */
export interface GroupState {
  readonly pool: PoolScope;
  readonly policy: RollPolicy;
  readonly name: string;
  readonly members: readonly Member[];
}

const AWAY: readonly string[] = [
  'nominated',
  'cordoned',
  'lb-excluded',
  'draining',
  'drained',
  'terminating',
] satisfies readonly OldNodeState[];

/** Between nomination and its end: it takes a drain slot and does not count as available. */
export const isAway = (memory: InstanceMemory | undefined): boolean =>
  memory !== undefined && AWAY.includes(memory.state);

export function groupState(draft: RollDraft, pool: PoolScope, fallback: RollPolicy): GroupState {
  const policy = pool.policy ?? fallback;
  const nodes = new Map(
    pool.nodes.flatMap((node) => (node.instanceId ? [[node.instanceId, node] as const] : [])),
  );
  const byNode = podsByNode(draft.scope.pods);
  const daemons = poolDaemons(pool.nodes, byNode);
  const members = pool.group.instances
    .filter((instance) => instance.ec2State !== 'terminated' && instance.lifecycleState !== 'Terminated')
    .map((instance) => {
      const node = nodes.get(instance.instanceId);
      const pods = node ? (byNode.get(node.name) ?? []) : [];
      return member(draft, pool, policy, { instance, node, pods, daemons });
    })
    .sort((a, b) => (a.id < b.id ? -1 : 1));
  return { pool, policy, name: pool.group.groupName, members };
}

function member(
  draft: RollDraft,
  pool: PoolScope,
  policy: RollPolicy,
  seen: Pick<Member, 'instance' | 'node' | 'pods'> & { readonly daemons: PoolDaemons },
): Member {
  const { instance, node, pods } = seen;
  const verdict = outdated(instance, pool);
  let stage: BootStage | undefined;
  return {
    id: instance.instanceId,
    instance,
    node,
    pods,
    drainable: drainablePods(pods),
    ...verdict,
    /** Asked of new nodes only, most of the time. */
    get boot() {
      return (stage ??= bootStage({ draft, pool, policy, ...seen }));
    },
    leaving: isLeaving(instance),
    locked: node !== undefined && (UPGRADE_LOCK in node.annotations || UPGRADE_LOCK in node.labels),
  };
}

const isLeaving = (instance: InstanceView): boolean =>
  instance.lifecycleState.startsWith('Terminating') ||
  instance.lifecycleState.startsWith('Detach') ||
  instance.ec2State === 'shutting-down' ||
  instance.ec2State === 'terminated';

const podsOfNodes = new WeakMap<readonly PodView[], ReadonlyMap<string, readonly PodView[]>>();

/** Sorted once for all groups of a look. */
function podsByNode(pods: readonly PodView[]): ReadonlyMap<string, readonly PodView[]> {
  const known = podsOfNodes.get(pods);
  if (known) return known;
  const byNode = new Map<string, PodView[]>();
  for (const pod of pods) {
    if (pod.nodeName === undefined) continue;
    const list = byNode.get(pod.nodeName);
    if (list) list.push(pod);
    else byNode.set(pod.nodeName, [pod]);
  }
  podsOfNodes.set(pods, byNode);
  return byNode;
}

/** Serves workloads now. A current node has to have been Initialised once; afterwards Ready and InService are enough. */
export function isAvailable(draft: RollDraft, member: Member): boolean {
  const memory = draft.instance(member.id);
  if (member.leaving || isAway(memory) || !member.node?.ready) return false;
  if (member.instance.lifecycleState !== 'InService') return false;
  return member.outdated || memory?.initialisedAt !== undefined || member.boot.initialised;
}

/** What others want of the group: its desired capacity without what we added. */
export const wantedSize = (group: GroupState, memory: PoolMemory | undefined): number =>
  Math.max(0, group.pool.group.desiredCapacity - (memory?.surgeOwed ?? 0));

/** Outdated members that are still to be taken away (those whose termination was ordered are not). */
export const remainingOutdated = (draft: RollDraft, group: GroupState): readonly Member[] =>
  group.members.filter(
    (member) => member.outdated && !member.leaving && draft.instance(member.id)?.terminate === undefined,
  );

/** Begins or continues the memory of an instance; a node with our marks but without memory is taken up where it was. */
export function remember(draft: RollDraft, group: GroupState, member: Member): InstanceMemory {
  const known = draft.instance(member.id);
  const node = member.node;
  if (known) {
    const sameNode = known.nodeUid === undefined || node === undefined || known.nodeUid === node.uid;
    draft.changeInstance(member.id, {
      ...(node && { nodeName: node.name, nodeUid: node.uid }),
      ...(!sameNode && { emptySince: undefined, drainStartedAt: undefined }),
    });
    return draft.instance(member.id) ?? known;
  }
  const mark = node && readMark(node);
  const cordoned = mark?.stage === 'cordoned';
  const state =
    member.outdated || cordoned ? (cordoned ? 'cordoned' : mark ? 'queued' : 'current') : member.boot.state;
  const fresh: InstanceMemory = {
    pool: group.pool.pool,
    group: group.name,
    zone: member.instance.zone,
    state,
    since: draft.now,
    firstSeenAt: draft.now,
    ...(node && { nodeName: node.name, nodeUid: node.uid }),
    ...(mark && { prior: mark.prior }),
    ...(cordoned && {
      nominatedAt: draft.now,
      leaves: member.outdated ? ('outdated' as const) : ('surplus' as const),
    }),
  };
  draft.setInstance(member.id, fresh);
  return fresh;
}

export const sinceLaunch = (draft: RollDraft, member: Member): Duration => {
  const launched = Date.parse(member.instance.launchedAt ?? '');
  const seen = draft.instance(member.id)?.firstSeenAt ?? draft.now;
  return draft.now - (Number.isNaN(launched) ? seen : Math.min(launched, seen));
};
