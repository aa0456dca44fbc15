import { raiseInFlight } from './capacity.js';
import type { RollDraft } from './draft.js';
import { isAway, type GroupState } from './group-state.js';
import { nominateSurplus, type DrainSlots } from './nominate.js';
import { giveBackUndrained, unmarkWaiting } from './prepare.js';

/**
 * One look at a group whose roll an operator ended: marks off, undrained nodes back to work. What is drained already is
 * finished by the usual way.
 */
export function abortGroup(draft: RollDraft, group: GroupState): void {
  const reason = `the roll is aborted: ${draft.aborted?.reason ?? ''}`;
  giveBackUndrained(draft, group, 'current', reason);
  unmarkWaiting(draft, group, reason);
}

/** The surge goes back through nodes that are drained like any other. */
export function takeSurgeBack(draft: RollDraft, group: GroupState, slots: DrainSlots): void {
  if (!lowerUnfilled(draft, group)) nominateSurplus(draft, group, slots);
}

/** Surge that AWS has not launched is simply not asked for any more; no instance can be hit by that. */
function lowerUnfilled(draft: RollDraft, group: GroupState): boolean {
  const memory = draft.pool(group.name);
  const { desiredCapacity: from, minSize } = group.pool.group;
  // One more to even out the zones is wanted after all.
  if (!memory || memory.surgeOwed <= 0 || memory.evening !== undefined) return false;
  if (raiseInFlight(draft, group)) return true;
  const live = group.members.filter((member) => !member.leaving).length;
  const unfilled = Math.min(memory.surgeOwed, from - live, from - minSize);
  if (unfilled <= 0 || group.members.some((member) => isAway(draft.instance(member.id)))) return false;
  const to = from - unfilled;
  draft.changePool(group.name, { surgePending: { from, to, at: draft.now } });
  draft.act({
    kind: 'set-desired-capacity',
    pool: group.pool.pool,
    key: group.name,
    reason: 'the roll is aborted; the surge was not launched yet',
    group: group.name,
    from,
    to,
  });
  return true;
}
