import type { RollDraft } from './draft.js';
import { isAway, type GroupState, type Member } from './group-state.js';
import { queuePatch, readMark } from './marks.js';
import { giveBack } from './park.js';

export const AZ_REBALANCE = 'AZRebalance';
/** Tag on the auto scaling group: the suspension is ours. Holds the sizes from before, in words that a tag may carry. */
export const ROLL_TAG = 'fairway.dev/roll';

/** What a group needs while it rolls, besides surge: no rebalancing, no scale-in, and waiting nodes marked as such. */
export function prepareGroup(draft: RollDraft, group: GroupState): void {
  suspendRebalancing(draft, group);
  protect(draft, group);
  markWaiting(draft, group);
}

function suspendRebalancing(draft: RollDraft, group: GroupState): void {
  const memory = draft.pool(group.name);
  const { suspendedProcesses, tags } = group.pool.group;
  if (!memory || suspendedProcesses.includes(AZ_REBALANCE)) return;
  const { minSize, maxSize, desiredCapacity } = memory.original;
  const theirs = group.members.filter(
    (member) => member.instance.protectedFromScaleIn && draft.instance(member.id)?.protectedByUs !== true,
  );
  draft.changePool(group.name, { azRebalanceSuspendedByUs: true });
  draft.act({
    kind: 'suspend-az-rebalance',
    pool: group.pool.pool,
    key: group.name,
    reason: 'rebalancing would terminate nodes that were not drained',
    group: group.name,
    tags: {
      [ROLL_TAG]:
        tags[ROLL_TAG] ??
        `update=${draft.scope.updateId} min=${minSize} max=${maxSize} desired=${desiredCapacity} protected=${theirs.length}`,
    },
  });
}

export interface BeforeRoll {
  readonly sizes: { readonly minSize: number; readonly maxSize: number; readonly desiredCapacity: number };
  /** No instance was protected from scale-in before us. */
  readonly unprotected: boolean;
}

/** What the tag says of the time before the roll: all that is known when our memory is lost. */
export function beforeRoll(tag: string | undefined): BeforeRoll | undefined {
  const match = /min=(\d+) max=(\d+) desired=(\d+)(?: protected=(\d+))?/.exec(tag ?? '');
  if (!match) return undefined;
  const sizes = { minSize: Number(match[1]), maxSize: Number(match[2]), desiredCapacity: Number(match[3]) };
  return { sizes, unprotected: match[4] === '0' };
}

/** Only AWS's own choice of a victim is prevented: our terminations name their instance. */
function protect(draft: RollDraft, group: GroupState): void {
  const open = group.members.filter(
    (member) =>
      member.instance.lifecycleState === 'InService' &&
      !member.instance.protectedFromScaleIn &&
      !member.leaving &&
      draft.instance(member.id)?.terminate === undefined,
  );
  if (open.length === 0) return;
  for (const member of open) draft.changeInstance(member.id, { protectedByUs: true });
  draft.act({
    kind: 'protect-from-scale-in',
    pool: group.pool.pool,
    key: `${group.name}/protect`,
    reason: 'a scale-in must not take an undrained node',
    group: group.name,
    instances: open.map((member) => member.id),
    protect: true,
  });
}

function markWaiting(draft: RollDraft, group: GroupState): void {
  for (const member of group.members) {
    const { node } = member;
    const memory = draft.instance(member.id);
    if (!member.outdated || !node || member.leaving || member.locked || isAway(memory)) continue;
    if (memory?.state === 'quarantined' || memory?.state === 'lost') continue;
    if (readMark(node) !== undefined) {
      if (memory?.state === 'current') draft.enter(member.id, 'queued');
      continue;
    }
    const marks = { updateId: draft.scope.updateId, now: draft.now, policy: group.policy };
    const patch = queuePatch(node, marks);
    draft.enter(member.id, memory?.state === 'slow-lane' ? 'slow-lane' : 'queued');
    draft.act({
      kind: 'mark-queued',
      pool: group.pool.pool,
      key: node.name,
      reason: member.reason,
      node: node.name,
      uid: node.uid,
      instance: member.id,
      patch,
    });
  }
}

/** On hold for long: waiting nodes lose our marks. The node in flight is not touched. */
export function unmarkFrozen(draft: RollDraft, group: GroupState): void {
  const since = draft.pool(group.name)?.frozenSince;
  if (since === undefined) return;
  const left = group.policy.frozenGrace - (draft.now - since);
  if (left > 0) return draft.look(left);
  unmarkWaiting(draft, group, 'the pool is on hold');
}

/** Takes our marks off every node that only waits for its turn. */
export function unmarkWaiting(draft: RollDraft, group: GroupState, reason: string): void {
  for (const member of group.members) {
    if (isWaiting(draft, member)) giveBack(draft, group, member, 'current', reason);
  }
}

const isWaiting = (draft: RollDraft, member: Member): boolean =>
  member.node !== undefined &&
  readMark(member.node) !== undefined &&
  !member.leaving &&
  !isAway(draft.instance(member.id));

/**
 * After a halt or an abort nothing stays cordoned that still runs workloads; what is drained already is finished, and what
 * takes the surge back in an abort goes on.
 */
export function giveBackUndrained(
  draft: RollDraft,
  group: GroupState,
  to: 'queued' | 'current',
  reason: string,
): void {
  for (const member of group.members) {
    const memory = draft.instance(member.id);
    if (!isAway(memory) || member.leaving || memory?.terminate !== undefined || memory?.state === 'drained')
      continue;
    if (memory?.leaves === 'failed-boot') continue;
    if (draft.aborted && memory?.leaves === 'surplus') continue;
    giveBack(draft, group, member, to, reason);
  }
}
