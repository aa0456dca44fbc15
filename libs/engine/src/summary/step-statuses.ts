import type { Instant, Outcome } from '#kernel';
import { assertNever } from '#kernel';
import type { StepKind, StepStatus } from '#fleet';

export interface StepSources {
  readonly steps: readonly StepKind[];
  readonly runs: readonly { readonly kind: StepKind; readonly outcome: Outcome }[];
  /** Statuses of the same update's last pass. */
  readonly before: readonly StepStatus[];
  readonly now: Instant;
}

/** The timeline: a step that did not run in this pass is pending; times are kept from pass to pass. */
export function stepStatuses({ steps, runs, before, now }: StepSources): readonly StepStatus[] {
  const outcomes = new Map(runs.map((run) => [run.kind, run.outcome]));
  const known = new Map(before.map((step) => [step.kind, step]));
  return steps.map((kind) => {
    const outcome = outcomes.get(kind);
    const old = known.get(kind);
    if (!outcome) return { kind, state: 'pending', message: '' };
    const finishedAt = old?.state === 'done' && old.finishedAt ? old.finishedAt : now;
    return {
      kind,
      ...wordsOf(outcome),
      startedAt: old?.startedAt ?? now,
      ...(outcome.kind === 'done' && { finishedAt }),
    };
  });
}

function wordsOf(
  outcome: Outcome,
): Pick<StepStatus, 'state' | 'message' | 'unblock' | 'progress' | 'failure'> {
  switch (outcome.kind) {
    case 'done':
      return { state: 'done', message: outcome.summary };
    case 'waiting':
      return {
        state: 'waiting',
        message: `waiting for ${outcome.for}`,
        ...(outcome.progress && { progress: outcome.progress }),
      };
    case 'blocked':
      return {
        state: 'blocked',
        message: `blocked by ${outcome.by}`,
        unblock: outcome.unblock,
        ...(outcome.progress && { progress: outcome.progress }),
      };
    case 'failed':
      return { state: 'failed', message: outcome.failure.message, failure: outcome.failure };
    default:
      return assertNever(outcome);
  }
}
