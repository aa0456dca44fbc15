import type { Duration } from '#kernel';
import { formatDuration } from '#kernel';
import type { NodeProgress } from '#fleet';
import { bootsOf } from './boots.js';
import { NO_NODE, type RollDecision, type RollNote } from './decision.js';
import type { RollDraft } from './draft.js';
import { firstPerCause } from './drain.js';
import { efficiencyOf, groupEta } from './estimate.js';
import { etaCondition } from './foreseen.js';
import { isAway, remainingOutdated, type GroupState, type Member } from './group-state.js';
import type { Blocker, InstanceMemory } from './memory.js';
import { standing } from './park.js';
import { ownerOf, pdbName } from './pdb.js';
import type { RollPolicy } from './policy.js';
import { stillGiven } from './unreachable.js';

/** Why a group may not start another node now, other than holds and halts. */
export interface Turn {
  readonly waits?: string;
  /** It waits for other groups of this roll, so that it is as stuck as they are. */
  readonly forOthers?: boolean;
}

export interface GroupReport {
  readonly group: GroupState;
  readonly finished: boolean;
  readonly turn: Turn;
  /** New instances on their way in. */
  readonly coming: number;
  readonly frozen: boolean;
}

/** The decision as people and the engine read it. */
export function report(draft: RollDraft, policy: RollPolicy, groups: readonly GroupReport[]): RollDecision {
  const state = stateOf(draft, groups);
  const { message, unblock } = wordsOf(draft, groups, state);
  // What is blocked ends when somebody else acts: nobody knows when.
  const etaMs = state === 'working' ? eta(draft, groups) : undefined;
  const etaIf = etaMs === undefined ? undefined : etaCondition(draft, groups);
  return {
    state,
    actions: draft.actions,
    notes: draft.notes,
    memory: draft.memory(),
    nodes: groups.flatMap(({ group }) => group.members.map((member) => nodeProgress(draft, group, member))),
    progress: progressOf(draft, groups),
    boots: bootsOf(draft, groups),
    efficiency: groups.flatMap((group) => efficiencyOf(draft, group) ?? []),
    ...(etaMs !== undefined && { etaMs }),
    ...(etaIf !== undefined && { etaIf }),
    nextLookIn: nextLook(draft, policy, state),
    message,
    ...(unblock !== undefined && { unblock }),
  };
}

/** How many causes a node's note names. */
const NAMED_BLOCKERS = 3;

function stateOf(draft: RollDraft, groups: readonly GroupReport[]): RollDecision['state'] {
  if (draft.halted) return 'halted';
  if (groups.every((group) => group.finished)) {
    const left = groups.some(({ group }) => group.members.some((member) => member.outdated));
    return draft.aborted && left ? 'aborted' : 'done';
  }
  return groups.some((group) => isMoving(draft, group)) ? 'working' : 'blocked';
}

/** Something was started, or will end by itself. */
function isMoving(draft: RollDraft, { group, finished, coming, turn }: GroupReport): boolean {
  if (finished) return false;
  if (turn.waits !== undefined && turn.forOthers !== true) return true;
  const name = group.pool.pool;
  if (
    draft.actions.some(
      (action) => action.pool === name && action.kind !== 'evict' && action.kind !== 'forget',
    )
  )
    return true;
  if (coming > 0 || draft.pool(group.name)?.surgePending !== undefined) return true;
  if (withoutNode(draft, group) !== undefined) return true;
  // Its Node object goes when the cloud controller finds the instance gone.
  if (draft.instancesOf(group.name).some(([, { state }]) => state === 'instance-gone')) return true;
  return group.members.some((member) => isAway(draft.instance(member.id)) && !isStuck(draft, group, member));
}

const withoutNode = (draft: RollDraft, { members }: GroupState): RollNote | undefined =>
  draft.notes.find(({ code, instance }) => code === NO_NODE && members.some(({ id }) => id === instance));

const isStuck = (draft: RollDraft, group: GroupState, member: Member): boolean => {
  const since = draft.instance(member.id)?.blockedSince;
  return since !== undefined && draft.now - since >= group.policy.tellBlockedAfter;
};

function nextLook(draft: RollDraft, policy: RollPolicy, state: RollDecision['state']): Duration {
  const acted = draft.actions.some((action) => action.kind !== 'forget');
  const due = Math.min(policy.pollInterval, draft.nextLook ?? policy.pollInterval);
  if (state === 'done' && !acted) return policy.pollInterval;
  return acted ? Math.min(policy.lookAfterAction, Math.max(due, 1)) : Math.max(due, 1);
}

function progressOf(draft: RollDraft, groups: readonly GroupReport[]): { done: number; total: number } {
  let [done, left] = [0, 0];
  for (const { group } of groups) {
    done += draft.pool(group.name)?.replaced.length ?? 0;
    left += group.members.filter((member) => member.outdated).length;
  }
  return { done, total: done + left };
}

function nodeProgress(draft: RollDraft, group: GroupState, member: Member): NodeProgress {
  const memory = draft.instance(member.id);
  const state = memory?.state ?? (member.outdated ? 'current' : member.boot.state);
  const note =
    givenUp(draft, group, member) ?? noteOf(blockersOf(draft, member, memory), state === 'draining', member);
  const launched = Date.parse(member.instance.launchedAt ?? '');
  return {
    pool: group.pool.pool,
    instanceId: member.id,
    ...(member.node && { nodeName: member.node.name }),
    zone: member.instance.zone,
    outdated: member.outdated,
    state,
    since: memory?.since ?? (Number.isNaN(launched) ? draft.now : launched),
    ...(note !== undefined && { note }),
  };
}

/** What keeps a node, all of it: with only the first, its owner would act and the next would come to light. */
function blockersOf(
  draft: RollDraft,
  member: Member,
  memory: InstanceMemory | undefined,
): string | undefined {
  const patient = memory?.state === 'draining' ? (memory.waitsFor ?? []) : [];
  // One that gave way is not asked for meanwhile: what is gone since is not told.
  const hard = memory?.state === 'draining' ? (memory.blockedBy ?? []) : standing(draft, member);
  const causes = [...firstPerCause([...hard, ...patient]).values()];
  if (causes.length === 0) return undefined;
  const more = causes.length > NAMED_BLOCKERS ? `; and ${causes.length - NAMED_BLOCKERS} more` : '';
  const named = causes
    .slice(0, NAMED_BLOCKERS)
    .map((blocker) => `${blocker.message}${whose(draft, blocker)}`);
  return `${named.join('; ')}${more}`;
}

/** Who can end it. */
function whose(draft: RollDraft, blocker: Blocker): string {
  const pdb = draft.scope.pdbs.find((each) => pdbName(each) === blocker.pdb);
  const owner = pdb && ownerOf(pdb);
  return owner === undefined ? '' : `, owner ${owner}`;
}

/** A dead kubelet lets nobody drain its node: what is waited for is a time. */
function givenUp(draft: RollDraft, group: GroupState, member: Member): string | undefined {
  const given = stillGiven(draft, group, member.id);
  if (given === undefined || member.leaving || !isAway(draft.instance(member.id))) return undefined;
  return `${SILENT}; if it stays silent, its machine goes in ${formatDuration(given)}`;
}

const SILENT = 'its Node is not Ready';

function endingPods({ node, drainable }: Member): string | undefined {
  const ending = drainable.filter((pod) => pod.deletionTimestamp !== undefined).length;
  const words = ending === 1 ? '1 pod is ending' : `${ending} pods are ending`;
  const silent = node?.ready === false ? SILENT : undefined;
  return (
    [silent, ending > 0 ? words : undefined].filter((part) => part !== undefined).join('; ') || undefined
  );
}

function noteOf(blocked: string | undefined, draining: boolean, member: Member): string | undefined {
  if (blocked !== undefined) return blocked;
  if (draining) return endingPods(member) ?? member.reason;
  if (member.outdated) return member.node?.ready === false ? `${SILENT}; ${member.reason}` : member.reason;
  return member.boot.waitsFor === undefined ? undefined : `waits for ${member.boot.waitsFor}`;
}

/** By the recurrence, from what the pools measured: master groups one after the other, then worker groups together. */
function eta(draft: RollDraft, groups: readonly GroupReport[]): number | undefined {
  let [masters, workers] = [0, 0];
  for (const { group, finished } of groups) {
    if (finished) continue;
    const left = groupEta(draft, group);
    if (group.pool.master) masters += left;
    else workers = Math.max(workers, left);
  }
  const total = masters + workers;
  return Number.isFinite(total) ? Math.round(total) : undefined;
}

function wordsOf(
  draft: RollDraft,
  groups: readonly GroupReport[],
  state: RollDecision['state'],
): { readonly message: string; readonly unblock?: string } {
  if (draft.halted) {
    const details = draft.halted.diagnostics.length > 0 ? ` (${draft.halted.diagnostics.join('; ')})` : '';
    return {
      message: `${draft.halted.reason}${details}`,
      unblock: 'Find out why, then merge a cure or resume the roll.',
    };
  }
  if (draft.aborted) return abortedWords(draft, groups, state);
  if (state === 'done') return { message: 'all nodes are current' };
  const open = groups.filter((group) => !group.finished);
  if (state === 'blocked') return blockedWords(draft.notes, open);
  return { message: open.map((group) => groupWords(draft, group)).join('; ') };
}

function abortedWords(
  draft: RollDraft,
  groups: readonly GroupReport[],
  state: RollDecision['state'],
): { readonly message: string; readonly unblock?: string } {
  const why = `${draft.aborted?.by ?? 'somebody'}: ${draft.aborted?.reason ?? ''}`;
  if (state === 'done') return { message: 'all nodes are current' };
  if (state !== 'aborted') {
    const open = groups.filter((group) => !group.finished).map((group) => groupWords(draft, group));
    return { message: `aborting (${why}): ${open.join('; ')}` };
  }
  const left = groups.flatMap(({ group }) => group.members).filter((member) => member.outdated).length;
  return {
    message: `the roll was aborted by ${why}; ${left} nodes are as they were`,
    unblock: 'Resume the roll, or merge a change.',
  };
}

function blockedWords(
  notes: readonly RollNote[],
  open: readonly GroupReport[],
): { readonly message: string; readonly unblock?: string } {
  const frozen = open.filter((group) => group.frozen).map(({ group }) => group.pool.pool);
  if (frozen.length > 0) {
    return {
      message: `a hold on ${[...new Set(frozen)].join(', ')}`,
      unblock:
        'End it: fairway roll resume CLUSTER for a pause, fairway release for a hold (see fairway holds).',
    };
  }
  const worst =
    notes.find((note) => note.severity === 'error') ??
    notes.find((note) => note.severity === 'warning') ??
    notes.find((note) => note.code.startsWith('drain-blocked-'));
  if (!worst)
    return {
      message: `no node of ${[...new Set(open.map(({ group }) => group.pool.pool))].join(', ')} may be taken away now`,
      unblock: 'Look at the nodes of the pool: too few are available.',
    };
  return { message: worst.message, ...(worst.unblock !== undefined && { unblock: worst.unblock }) };
}

function groupWords(draft: RollDraft, { group, turn, coming }: GroupReport): string {
  const left = remainingOutdated(draft, group).length;
  const done = draft.pool(group.name)?.replaced.length ?? 0;
  const count = `${done} of ${done + group.members.filter((member) => member.outdated).length} replaced`;
  const away = group.members.filter((member) => isAway(draft.instance(member.id)));
  const what = away.map((member) => {
    const memory = draft.instance(member.id);
    return `${member.node?.name ?? member.id} ${memory?.state ?? ''} for ${formatDuration(draft.now - (memory?.since ?? draft.now))}`;
  });
  if (coming > 0) what.push(`${coming} on the way in${firstWait(group)}`);
  if (what.length === 0 && turn.waits !== undefined) what.push(`waits ${turn.waits}`);
  const unregistered = what.length === 0 ? withoutNode(draft, group) : undefined;
  if (unregistered) what.push(unregistered.message);
  if (what.length === 0) what.push(left > 0 ? 'next node soon' : 'tidying up');
  return `${group.pool.pool}: ${count}, ${what.join(', ')}`;
}

function firstWait(group: GroupState): string {
  const first = group.members.find(
    (member) => !member.outdated && !member.leaving && member.boot.waitsFor !== undefined,
  );
  return first ? ` (${first.id} waits for ${first.boot.waitsFor ?? ''})` : '';
}
