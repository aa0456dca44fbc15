/**
 * What kind of trouble it is decides when it is tried again and who is told.
 * - `transient` network, 5xx: backoff 5 s → 60 s with jitter
 * - `throttled` 429, RequestLimitExceeded: after `retryAfter`
 * - `conflict` precondition failed, 409: observe again now, at most 5 times
 * - `blocked` PDB, quota, window, hold, approval: on an event or a slow poll
 * - `invalid` bad revision or record: when the revision or the record changes
 * - `denied` IAM, RBAC, credentials: after 5 min; operators are told
 * - `terminal` a step's verdict: never by itself
 * - `bug` a broken invariant or an unknown throw: the cluster is halted, evidence is kept
 */
export type FailureClass =
  'transient' | 'throttled' | 'conflict' | 'blocked' | 'invalid' | 'denied' | 'terminal' | 'bug';

/** Where in a person's input the trouble sits. Lines and columns start at 1. */
export interface Place {
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
  /** A path such as `node_pools[1].min_size`. */
  readonly field?: string;
}

/** Trouble as a value. Texts are for people on call: what happened, and what would cure it. Never a secret. */
export interface Failure {
  readonly class: FailureClass;
  /** Stable kebab-case name of the trouble, for example `stack-rolled-back`. */
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
  readonly place?: Place;
  /** Several faults of one input, reported together. */
  readonly details?: readonly FailureDetail[];
  /** Milliseconds that the other side asked us to wait. */
  readonly retryAfterMs?: number;
}

export interface FailureDetail {
  readonly message: string;
  readonly hint?: string;
  readonly place?: Place;
}

/** The one exception type that crosses a port: adapters classify SDK errors into it. */
export class FailureError extends Error {
  override readonly name = 'FailureError';
  constructor(
    readonly failure: Failure,
    options?: { cause?: unknown },
  ) {
    super(`${failure.code}: ${failure.message}`, options);
  }
}

export const fail = (failure: Failure, cause?: unknown): never => {
  throw new FailureError(failure, cause === undefined ? undefined : { cause });
};

/** Anything thrown, as a failure. What nobody classified is a bug, not something to try again. */
export function toFailure(thrown: unknown): Failure {
  if (thrown instanceof FailureError) return thrown.failure;
  const message = thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown);
  return { class: 'bug', code: 'unclassified-error', message };
}
