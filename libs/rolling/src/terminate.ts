import { minutes, seconds } from '#kernel';
import { bootPermits } from './boot-permits.js';
import type { RollDraft } from './draft.js';
import { isAvailable, remainingOutdated, type GroupState, type Member } from './group-state.js';
import { openNeedyZones } from './zone-surge.js';
import { fittingLaunches } from './zones.js';

/** A terminated instance that is still there after this is told. */
const SLOW_TERMINATION = minutes(15);
/** A call that failed is made again; one that succeeded may not be visible at once. */
const TERMINATE_AGAIN = seconds(10);

/**
 * Terminates an instance, once. The scheme (rolling.md, "Duration"): the group runs at N + s; an old instance is terminated
 * *without* decrement as long as more outdated ones remain than the surge that is still owed, so that the group launches
 * the next replacement by itself and at once (l[n] = k[n−s]); *with* decrement as soon as the surge alone covers the rest.
 * N launches in all, never a scale-in of an instance that was not drained.
 */
export function orderTermination(
  draft: RollDraft,
  group: GroupState,
  member: Member,
  exemption?: string,
): void {
  const before = draft.instance(member.id)?.terminate;
  if (before === undefined && !record(draft, group, member, exemption)) return;
  draft.enter(member.id, before ? 'terminating' : 'drained');
  const order = draft.instance(member.id)?.terminate;
  if (order === undefined) return;
  tellSlow(draft, group, member, order.at);
  const waited = draft.now - order.at;
  if (before && waited < TERMINATE_AGAIN) return draft.look(TERMINATE_AGAIN - waited);
  const outcome = order.decrement ? 'the surge is taken back' : 'the group launches its replacement';
  draft.act({
    kind: 'terminate',
    pool: group.pool.pool,
    key: member.id,
    reason: order.exemption ?? `drained; ${outcome}`,
    group: group.name,
    instance: member.id,
    decrementDesired: order.decrement,
    ...(member.node && { nodeUid: member.node.uid }),
    ...(order.exemption !== undefined && { exemption: order.exemption }),
  });
}

/** The order is remembered before it is given, decrement included: it must be the same when it is given again. */
function record(draft: RollDraft, group: GroupState, member: Member, exemption: string | undefined): boolean {
  const decrement = wantsDecrement(draft, group, member);
  // One decrement at a time: two at once could not be told apart by the capacity that is seen afterwards.
  if (decrement && decrementPending(draft, group)) {
    draft.look(group.policy.lookAfterAction);
    return false;
  }
  // The group launches the replacement in the same moment: that is a boot like any other.
  if (!decrement && exemption === undefined && bootPermits(draft, group, 1) === 0) return false;
  if (!decrement) draft.bootsAllowed -= 1;
  const desiredBefore = group.pool.group.desiredCapacity;
  draft.changeInstance(member.id, {
    terminate: { decrement, desiredBefore, at: draft.now, ...(exemption !== undefined && { exemption }) },
  });
  return true;
}

function wantsDecrement(draft: RollDraft, group: GroupState, member: Member): boolean {
  const owed = draft.pool(group.name)?.surgeOwed ?? 0;
  const others = remainingOutdated(draft, group).filter((other) => other.id !== member.id);
  const { desiredCapacity, minSize } = group.pool.group;
  if (owed <= 0 || desiredCapacity <= minSize) return false;
  if (draft.aborted !== undefined || owed > others.length) return true;
  // The zone's last node may have left volumes behind that wait for the next one there.
  if (!group.members.some((other) => servesBeside(draft, other, member))) return false;
  // The surge is needed in another zone: it is taken back here and asked for there.
  if (openNeedyZones(draft, group).some((zone) => zone !== member.instance.zone)) return true;
  // AWS would replace it where the pool has no lasting room: the surge is asked for again, in a zone of our choice.
  return fittingLaunches(draft, group, 1, member) === 0;
}

const servesBeside = (draft: RollDraft, other: Member, member: Member): boolean =>
  other.id !== member.id && other.instance.zone === member.instance.zone && isAvailable(draft, other);

export const decrementPending = (draft: RollDraft, group: GroupState): boolean =>
  draft
    .instancesOf(group.name)
    .some(([, { terminate }]) => terminate?.decrement === true && !terminate.settled);

function tellSlow(draft: RollDraft, group: GroupState, member: Member, at: number): void {
  if (draft.now - at < SLOW_TERMINATION) return;
  draft.note({
    pool: group.pool.pool,
    instance: member.id,
    code: 'termination-slow',
    severity: 'warning',
    message: `${member.id} was told to terminate and is still there.`,
    unblock: 'Look at lifecycle hooks of its auto scaling group and at the state of the instance.',
  });
}
