import type { Instant } from '#kernel';

export type ConformanceState = 'pending' | 'running' | 'finished';
export type Verdict = 'pass' | 'fail' | 'inconclusive';

/** One run of a suite on one cluster; its verdict is evidence for the content that the cluster ran. */
export interface ConformanceRun {
  readonly id: string;
  readonly channel: string;
  readonly clusterId: string;
  readonly suite: string;
  readonly revisionId: string;
  readonly commit: string;
  readonly treeDigest: string;
  readonly desiredDigest: string;
  readonly attempt: number;
  readonly state: ConformanceState;
  readonly serverVersion?: string;
  readonly verdict?: Verdict;
  /** Stable kebab-case reason of the verdict: `passed`, `tests-failed`, `no-tests`, `dry-run`, `truncated-junit` … */
  readonly reason?: string;
  readonly executed?: number;
  readonly failedTests: readonly string[];
  readonly message?: string;
  readonly createdAt: Instant;
  readonly startedAt?: Instant;
  readonly finishedAt?: Instant;
}

/** The end of what the tests of a run printed, secrets masked. Kept when the Job is gone. */
export interface ConformanceLog {
  readonly runId: string;
  readonly text: string;
  /** Characters that stood before the text and were dropped: the text begins at this offset. */
  readonly dropped: number;
  readonly updatedAt: Instant;
}
