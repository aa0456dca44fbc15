import type { Duration, Instant } from '#kernel';
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
  /** Soak as it was counted so far; absent until the revision is verified. */
  readonly soak?: SoakRecord;
  /** A rollback or broken glass: its clusters start outside of windows and freezes as well. */
  readonly expedited?: boolean;
  readonly promotedAt?: Instant;
  /** True where it came by promotion by Fairway or its content already had the evidence. */
  readonly admitted: boolean;
  /** Why it is not further, for people: all reasons at once. */
  readonly reasons: readonly GateReason[];
}

/**
 * Uninterrupted healthy time since the verification, counted in steps that two clocks agree on: a restart, a jump of one
 * clock or a change of the worker neither adds nor takes away. See `countSoak` of promotion.
 */
export interface SoakRecord {
  readonly accumulated: Duration;
  /** Of the last step, by the store's clock and by the clock of the worker that made it. */
  readonly storeAt: Instant;
  readonly workerAt: Instant;
  /**
   * Clusters that count, with the start of their present health; null for those that coverage allowed to be missing.
   * Clusters that are not in here came later.
   */
  readonly basis: Readonly<Record<string, Instant | null>>;
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
  /** `rollback` brings an earlier content back; absent is `promote`. */
  readonly kind?: 'promote' | 'rollback';
  /** The commit that the branch has now: the revision's own, or the merge or revert that was made of it. */
  readonly resultCommit?: string;
  /** Who asked; absent where automation did. */
  readonly requestedBy?: string;
  readonly state: 'intended' | 'done' | 'refused';
  readonly reason?: string;
  readonly evidence: readonly GateReason[];
  readonly createdAt: Instant;
  readonly settledAt?: Instant;
}
