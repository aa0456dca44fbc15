import type { RollDraft } from './draft.js';
import { evenOut } from './even-out.js';
import { isAway, type GroupState, type Member } from './group-state.js';
import { readMark } from './marks.js';
import { giveBack } from './park.js';
import { AZ_REBALANCE, ROLL_TAG } from './prepare.js';

/**
 * Takes back everything that the roll left on the group. True when nothing is left: sizes, processes, protection and
 * nodes are as they were before, plus or minus what others changed meanwhile.
 */
export function finishGroup(draft: RollDraft, group: GroupState): boolean {
  const before = draft.actions.length;
  const zones = evenOut(draft, group);
  if (zones === 'evening') return false;
  if (zones === 'even') resumeRebalancing(draft, group);
  restoreBounds(draft, group);
  unprotect(draft, group);
  for (const member of group.members) {
    if (member.node && readMark(member.node) && !member.leaving && !isAway(draft.instance(member.id))) {
      giveBack(draft, group, member, 'current', 'the roll has ended');
    }
  }
  if (draft.actions.length > before) return false;
  for (const [id] of draft.instancesOf(group.name)) draft.dropInstance(id);
  draft.changePool(group.name, {
    finished: { updateId: draft.scope.updateId, at: draft.now },
    shortSince: undefined,
  });
  return true;
}

function resumeRebalancing(draft: RollDraft, group: GroupState): void {
  const { suspendedProcesses, tags } = group.pool.group;
  const ours = draft.pool(group.name)?.azRebalanceSuspendedByUs === true || tags[ROLL_TAG] !== undefined;
  const left = suspendedProcesses.includes(AZ_REBALANCE) || tags[ROLL_TAG] !== undefined;
  if (!ours || !left) return draft.changePool(group.name, { azRebalanceSuspendedByUs: false });
  draft.act({
    kind: 'resume-az-rebalance',
    pool: group.pool.pool,
    key: group.name,
    reason: 'the roll has ended',
    group: group.name,
    untag: [ROLL_TAG],
  });
}

/** The maximum goes back only if it still is what we set, and never below what others want now. */
function restoreBounds(draft: RollDraft, group: GroupState): void {
  const memory = draft.pool(group.name);
  if (memory?.raisedMax === undefined) return;
  const { maxSize, desiredCapacity } = group.pool.group;
  const back = Math.max(memory.original.maxSize, desiredCapacity);
  if (maxSize !== memory.raisedMax || back >= maxSize)
    return draft.changePool(group.name, { raisedMax: undefined });
  draft.act({
    kind: 'restore-bounds',
    pool: group.pool.pool,
    key: group.name,
    reason: 'the surge needs no room any more',
    group: group.name,
    maxSize: back,
  });
}

function unprotect(draft: RollDraft, group: GroupState): void {
  const ours = (member: Member): boolean =>
    draft.instance(member.id)?.protectedByUs === true &&
    member.instance.protectedFromScaleIn &&
    !member.leaving;
  const instances = group.members.filter(ours).map((member) => member.id);
  if (instances.length === 0) return;
  draft.act({
    kind: 'protect-from-scale-in',
    pool: group.pool.pool,
    key: `${group.name}/unprotect`,
    reason: 'the roll has ended',
    group: group.name,
    instances,
    protect: false,
  });
}
