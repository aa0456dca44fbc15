import type { Failure, Result } from '#kernel';
import { err, ok } from '#kernel';
import type { DesiredNodePool } from '#fleet';
import { policyFor, type RollPolicy } from '#rolling';
import type { Pass } from '../pass/pass.js';

/** Policies of the pools, and the one for what they share (taken from the cluster's own config items). */
export interface PoolPolicies {
  readonly scope: RollPolicy;
  readonly byPool: ReadonlyMap<string, RollPolicy>;
}

export function poolPolicies(pass: Pass, pools: readonly DesiredNodePool[]): Result<PoolPolicies, Failure> {
  const overrides = overridesOf(pass);
  const scope = policyFor(pass.cluster.configItems, pass.cluster.environment, overrides);
  if (!scope.ok) return scope;
  const byPool = new Map<string, RollPolicy>();
  for (const pool of pools) {
    const policy = policyFor(pool.configItems, pass.cluster.environment, overrides);
    if (!policy.ok)
      return err({ ...policy.error, message: `node pool ${pool.name}: ${policy.error.message}` });
    byPool.set(pool.name, policy.value);
  }
  return ok({ scope: scope.value, byPool });
}

/** Rhythms that the installation sets for all pools (the sandbox lives faster than production). */
function overridesOf(pass: Pass): Partial<RollPolicy> {
  const { roll, pollInterval } = pass.settings;
  return {
    pollInterval,
    ...(roll.minReady !== undefined && { minReady: roll.minReady }),
    ...(roll.drainedQuiet !== undefined && { drainedReadGap: roll.drainedQuiet }),
    ...(roll.maxDeregistrationDelay !== undefined && { deregistrationDelayCap: roll.maxDeregistrationDelay }),
    ...(roll.lookAfterAction !== undefined && { lookAfterAction: roll.lookAfterAction }),
  };
}
