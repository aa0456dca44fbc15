import type { GroupState } from './group-state.js';

/** Nodes of the group that may be missing from its size. */
export function unavailableAllowed({ policy, members }: GroupState): number {
  if (policy.strategy === 'all-at-once') return members.length;
  return policy.strategy === 'one-at-a-time' ? Math.max(1, policy.maxUnavailable) : policy.maxUnavailable;
}

/** Nodes of the pool that may be drained at the same time; masters go one by one whatever the policy says. */
export function drainsAllowed({ pool, policy, members }: GroupState): number {
  if (pool.master) return 1;
  return policy.strategy === 'all-at-once' ? Math.max(1, members.length) : policy.parallelDrains;
}
