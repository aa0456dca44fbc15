import { toFailure, type Outcome } from '#kernel';
import type { StepKind } from '#fleet';
import { isUnderWay, readRollMemory } from '#rolling';
import type { Pass } from '../pass/pass.js';
import type { StepRun } from '../summarise.js';
import { rollPools } from './roll-pools.js';
import { rollMemoryKey } from './roll-requests.js';

/** Steps before the workers' that may wait for long: for masters, for workloads to be healthy. */
const WAITS_LONG: readonly StepKind[] = ['control-plane', 'manifests'];

/**
 * A worker that an earlier update had in flight goes on while a step before the workers' turn waits: it would stand cordoned
 * all that time. So do workers that are dead: the step may wait for the very pods that nobody but the roll takes off them.
 */
export async function finishInFlight(pass: Pass, runs: readonly StepRun[]): Promise<void> {
  const last = runs.at(-1);
  if (!last || !WAITS_LONG.includes(last.kind) || !mayGoOn(last.outcome)) return;
  const memory = readRollMemory(pass.memory.get(rollMemoryKey('node-pools')), pass.update.id);
  if (!isUnderWay(memory)) return;
  const workers = pass.desired.nodePools.filter((pool) => !pool.master);
  try {
    const outcome = await rollPools(pass, 'node-pools', workers, 'in-flight');
    if (outcome.kind !== 'waiting' && outcome.kind !== 'blocked') return;
    const at = pass.ports.clock.now() + outcome.recheckIn;
    pass.report.lookAgainAt = Math.min(pass.report.lookAgainAt ?? at, at);
  } catch (thrown) {
    // What the pass has to say is of the step that waits; the next pass tries again.
    const { code, message } = toFailure(thrown);
    if (code === 'lease-lost') throw thrown;
    pass.ports.log.warn('node in flight could not be looked after', {
      clusterId: pass.cluster.id,
      code,
      reason: message,
    });
  }
}

/** Not where we may not act, or do not know what we do. */
const mayGoOn = (outcome: Outcome): boolean =>
  outcome.kind === 'failed'
    ? outcome.failure.class !== 'denied' && outcome.failure.class !== 'bug'
    : outcome.kind !== 'done';
