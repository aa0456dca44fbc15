import type { Outcome } from '#kernel';
import type { BasePass } from '../pass/pass.js';

/** Blocked while somebody holds the fleet, the channel or the cluster; holds of single pools only freeze their rolls. */
export function heldOutcome(pass: Pick<BasePass, 'holds' | 'settings'>): Outcome | undefined {
  const hold = pass.holds.find((candidate) => candidate.scope.kind !== 'pool');
  return (
    hold && {
      kind: 'blocked',
      by: 'hold',
      unblock: `${hold.owner}: ${hold.reason}. Release the hold to go on.`,
      recheckIn: pass.settings.resyncInterval,
    }
  );
}
