import type { Duration, Outcome } from '#kernel';
import type { StepKind } from '#fleet';
import type { BasePass, Pass } from '../pass/pass.js';

/** One kind of step. Runs once per pass, never sleeps, and may be killed at any line. */
export interface StepRunner<P extends BasePass = Pass> {
  readonly kind: StepKind;
  /** For people, e.g. `Create or update the cluster stack`. */
  readonly title: string;
  /** Longest time in one update before the step is reported as overdue. It is not aborted: half-done work is worse. */
  readonly timeLimit: Duration;
  /** Failures of one class in a row before the step is reported to operators. */
  readonly errorThreshold: number;
  readonly irreversible: boolean;
  run(pass: P): Promise<Outcome>;
}

/** Runners by kind. Throws at boot if a kind has no runner, or two. */
export function createStepRegistry<P extends BasePass>(
  kinds: readonly StepKind[],
  runners: readonly StepRunner<P>[],
): ReadonlyMap<StepKind, StepRunner<P>> {
  const registry = new Map<StepKind, StepRunner<P>>();
  for (const runner of runners) {
    if (registry.has(runner.kind)) throw new Error(`two runners for step kind ${runner.kind}`);
    registry.set(runner.kind, runner);
  }
  const missing = kinds.filter((kind) => !registry.has(kind));
  if (missing.length > 0) throw new Error(`no runner for step kind ${missing.join(', ')}`);
  return registry;
}
