import type { RollDraft } from './draft.js';
import type { GroupState } from './group-state.js';

/** How many of these boots the fleet's throttle lets begin now; tells when that is none. */
export function bootPermits(draft: RollDraft, group: GroupState, wanted: number): number {
  const permits = Math.min(wanted, draft.bootsAllowed);
  if (permits > 0) return permits;
  draft.look(group.policy.pollInterval);
  draft.note({
    pool: group.pool.pool,
    code: 'boots-throttled',
    severity: 'info',
    message: `Another boot waits: ${draft.scope.bootThrottle?.reason ?? 'too many are in flight'}.`,
  });
  return 0;
}
