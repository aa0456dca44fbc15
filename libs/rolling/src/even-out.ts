import { raiseBy } from './capacity.js';
import type { RollDraft } from './draft.js';
import type { GroupState } from './group-state.js';
import { AZ_REBALANCE, ROLL_TAG } from './prepare.js';
import { isUneven, spreadOf, zoneOutlook } from './zones.js';

/**
 * Before AZRebalance is resumed: the zones must be even, or AWS would end machines that nobody drained. `evening` one more
 * instance was asked for, AWS starts it in the emptiest zone, and one of the fullest is drained for it · `given-up` it
 * did not help (a zone without capacity): the process stays suspended, and people are told.
 */
export function evenOut(draft: RollDraft, group: GroupState): 'even' | 'evening' | 'given-up' {
  const memory = draft.pool(group.name);
  const zones = zoneOutlook(draft, group).live;
  if (!memory || !isUneven(zones) || !suspendedByUs(draft, group)) {
    draft.changePool(group.name, { evening: undefined, leftUneven: undefined });
    return 'even';
  }
  const spread = spreadOf(zones);
  if (memory.evening !== undefined && spread >= memory.evening) {
    draft.changePool(group.name, { leftUneven: true });
    tellUneven(draft, group);
    return 'given-up';
  }
  const began = raiseBy(draft, group, 1, `the zones have ${inWords(zones)} nodes: even them out`);
  if (began === 'raised') draft.changePool(group.name, { evening: spread });
  return 'evening';
}

/** Zones that were left uneven after this update, and still are: nothing to do but to tell. */
export function staysUneven(draft: RollDraft, group: GroupState): boolean {
  const memory = draft.pool(group.name);
  const left = memory?.leftUneven === true && memory.finished?.updateId === draft.scope.updateId;
  if (!left || !suspendedByUs(draft, group) || !isUneven(zoneOutlook(draft, group).live)) return false;
  tellUneven(draft, group);
  return true;
}

function suspendedByUs(draft: RollDraft, group: GroupState): boolean {
  const { suspendedProcesses, tags } = group.pool.group;
  const ours = draft.pool(group.name)?.azRebalanceSuspendedByUs === true || tags[ROLL_TAG] !== undefined;
  return ours && suspendedProcesses.includes(AZ_REBALANCE);
}

function tellUneven(draft: RollDraft, group: GroupState): void {
  draft.note({
    pool: group.pool.pool,
    code: 'zones-uneven',
    severity: 'warning',
    message: `${group.name} has ${inWords(zoneOutlook(draft, group).live)} nodes in its zones, and AWS does not launch where they are missing; AZRebalance stays suspended, because it would end nodes undrained.`,
    unblock: `It is resumed when the zones are even. Or resume AZRebalance of ${group.name} yourself, which lets AWS replace nodes without a drain.`,
  });
}

const inWords = (zones: ReadonlyMap<string, number>): string =>
  [...zones].map(([zone, count]) => `${zone} ${count}`).join(', ');
