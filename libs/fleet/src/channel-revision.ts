import type { Instant } from '#kernel';
import type { RevisionPhase } from './channel.js';
import type { Problem } from './problem.js';

/** A revision on its way through one channel. */
export interface ChannelRevision {
  readonly channel: string;
  readonly revisionId: string;
  readonly phase: RevisionPhase;
  /** Waves started so far and in all. */
  readonly wave: number;
  readonly waves: number;
  readonly enteredAt: Instant;
  readonly convergedAt?: Instant;
  readonly verifiedAt?: Instant;
  /** Start of the uninterrupted healthy time that counts as soak. */
  readonly soakingSince?: Instant;
  readonly promotedAt?: Instant;
  /** True where it came by promotion by Fairway or its content already had the evidence. */
  readonly admitted: boolean;
  /** Why it is not further, for people: all reasons at once. */
  readonly reasons: readonly GateReason[];
}

export interface GateReason {
  readonly gate: string;
  readonly state: 'pass' | 'fail' | 'pending' | 'error';
  readonly message: string;
  /** When this can change by itself. */
  readonly nextChangeAt?: Instant;
}

export interface RepositoryRecord {
  readonly url: string;
  readonly lastFetchAt?: Instant;
  readonly lastSuccessAt?: Instant;
  readonly problem?: Problem;
}

/** A ref that is about to be moved by Fairway, or was. */
export interface Promotion {
  readonly id: string;
  readonly revisionId: string;
  readonly fromChannel: string;
  readonly toChannel: string;
  readonly expectedCommit?: string;
  readonly state: 'intended' | 'done' | 'refused';
  readonly reason?: string;
  readonly evidence: readonly GateReason[];
  readonly createdAt: Instant;
  readonly settledAt?: Instant;
}
