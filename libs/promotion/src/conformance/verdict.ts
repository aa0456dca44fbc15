import type { Verdict } from '#fleet';
import { upstreamVersion } from './conformance-objects.js';
import type { JUnitOutcome } from './frame.js';
import type { JUnitSummary } from './junit.reader.js';

/** Everything that a run left behind, as seen from outside. */
export interface RunOutcome {
  /** Exit code of the container with the tests; undefined where nobody saw it end. */
  readonly exit?: number | undefined;
  readonly junit: JUnitOutcome;
  /** Value of E2E_DRYRUN in the pod that ran; undefined where it was not set. */
  readonly dryRunEnv?: string | undefined;
  readonly expectedMin: number;
  readonly serverVersionBefore?: string | undefined;
  readonly serverVersionAfter?: string | undefined;
  readonly digestBefore?: string | undefined;
  readonly digestAfter?: string | undefined;
  /** Reason of the Job, the pod or its container, e.g. `DeadlineExceeded`, `Evicted`, `NodeLost`, `OOMKilled`. */
  readonly jobFailureReason?: string | undefined;
}

export interface Judgement {
  readonly verdict: Verdict;
  readonly reason: VerdictReason;
  readonly executed: number;
  readonly failedTests: readonly string[];
  readonly message: string;
}

/** One reason for every way in which a run can end; only `passed` is a pass. */
export type VerdictReason =
  | 'passed'
  | 'tests-failed'
  | 'failures-with-exit-0'
  | 'claimed-failures'
  | 'exit-nonzero'
  | 'exit-unknown'
  | 'no-tests'
  | 'all-skipped'
  | 'too-few-tests'
  | 'no-expectation'
  | 'dry-run'
  | 'content-changed'
  | 'content-unknown'
  | 'server-version-changed'
  | 'server-version-unknown'
  | 'deadline'
  | 'node-lost'
  | 'evicted'
  | 'out-of-memory'
  | 'image-unavailable'
  | 'job-disappeared'
  | 'results-unreadable'
  | 'infrastructure'
  | Extract<JUnitOutcome, { ok: false }>['error']['reason'];

/** Infrastructure's faults, by the words of the Job controller, the kubelet and the node controller. */
const INFRASTRUCTURE: Readonly<Record<string, VerdictReason>> = {
  DeadlineExceeded: 'deadline',
  NodeLost: 'node-lost',
  NodeShutdown: 'node-lost',
  Terminated: 'node-lost',
  DeletionByTaintManager: 'node-lost',
  DeletionByPodGC: 'node-lost',
  TerminationByKubelet: 'node-lost',
  Evicted: 'evicted',
  EvictionByEvictionAPI: 'evicted',
  Preempting: 'evicted',
  PreemptionByScheduler: 'evicted',
  OOMKilled: 'out-of-memory',
  ErrImagePull: 'image-unavailable',
  ImagePullBackOff: 'image-unavailable',
  InvalidImageName: 'image-unavailable',
  Disappeared: 'job-disappeared',
};

/** What the Job controller says of any failed pod: it tells nothing more than the exit code. */
const SAYS_NOTHING = new Set(['BackoffLimitExceeded', 'Error', 'Completed', 'PodFailurePolicy']);

/**
 * The verdict on one run. A pass needs everything at once: exit 0, JUnit read whole, no dry run, no failure, enough tests
 * executed, and the same server version and content from start to end. Only `inconclusive` ones are tried again.
 */
export function judge(outcome: RunOutcome): Judgement {
  return (
    dryRun(outcome) ??
    infrastructure(outcome) ??
    changedUnderneath(outcome) ??
    unreadable(outcome) ??
    counted(outcome)
  );
}

const judged = (
  verdict: Verdict,
  reason: VerdictReason,
  message: string,
  junit?: JUnitSummary,
): Judgement => ({
  verdict,
  reason,
  message,
  executed: junit?.executed ?? 0,
  failedTests: junit?.failedTests ?? [],
});

function dryRun({ dryRunEnv, junit }: RunOutcome): Judgement | undefined {
  if (dryRunEnv === undefined || dryRunEnv === '') return undefined;
  const message = `E2E_DRYRUN was "${dryRunEnv}": any value makes a dry run, in which no test is executed`;
  return judged('fail', 'dry-run', message, junit.ok ? { ...junit.value, executed: 0 } : undefined);
}

function infrastructure({ jobFailureReason: word }: RunOutcome): Judgement | undefined {
  if (word === undefined || word === '' || SAYS_NOTHING.has(word)) return undefined;
  const reason = INFRASTRUCTURE[word] ?? 'infrastructure';
  return judged('inconclusive', reason, `the run was cut off: ${word}`);
}

function changedUnderneath(outcome: RunOutcome): Judgement | undefined {
  const { serverVersionBefore, serverVersionAfter, digestBefore, digestAfter } = outcome;
  if (digestBefore === undefined || digestAfter === undefined) {
    return judged('inconclusive', 'content-unknown', 'what the cluster ran at start and end is not known');
  }
  if (digestBefore !== digestAfter) {
    return judged('inconclusive', 'content-changed', 'the cluster got another content while the tests ran');
  }
  if (serverVersionBefore === undefined || serverVersionAfter === undefined) {
    return judged(
      'inconclusive',
      'server-version-unknown',
      'the Kubernetes version at start and end is not known',
    );
  }
  if (serverVersionBefore !== serverVersionAfter) {
    const change = `${upstreamVersion(serverVersionBefore) ?? serverVersionBefore} → ${upstreamVersion(serverVersionAfter) ?? serverVersionAfter}`;
    return judged(
      'inconclusive',
      'server-version-changed',
      `the Kubernetes version changed while the tests ran: ${change}`,
    );
  }
  return undefined;
}

/** Lost on the way: tried again. Wrong in itself: the same again would not help. */
function unreadable({ junit, exit }: RunOutcome): Judgement | undefined {
  if (junit.ok) return undefined;
  const { reason, message } = junit.error;
  const lost =
    reason === 'truncated-junit' || reason === 'corrupt-junit' || (reason === 'no-junit' && exit !== 0);
  return judged(lost ? 'inconclusive' : 'fail', reason, message);
}

function counted({ junit, exit, expectedMin }: RunOutcome): Judgement {
  if (!junit.ok) return judged('fail', junit.error.reason, junit.error.message);
  const { tests, executed, skipped, failedTests, claimedFailures } = junit.value;
  const say = (verdict: Verdict, reason: VerdictReason, message: string): Judgement =>
    judged(verdict, reason, message, junit.value);
  if (failedTests.length > 0) {
    const message = `${failedTests.length} of ${executed} tests failed: ${failedTests.slice(0, 3).join('; ')}`;
    if (exit === 0) return say('fail', 'failures-with-exit-0', `${message} (although the exit code is 0)`);
    return say('fail', 'tests-failed', message);
  }
  if (claimedFailures > 0) {
    return say(
      'fail',
      'claimed-failures',
      `the suite claims ${claimedFailures} failures that no test case shows`,
    );
  }
  if (tests === 0) return say('fail', 'no-tests', 'the JUnit file holds no test case');
  if (executed === 0) return say('fail', 'all-skipped', `all ${skipped} tests were skipped`);
  if (!(expectedMin > 0))
    return say('fail', 'no-expectation', 'the suite does not say how many tests must have run');
  if (executed < expectedMin) {
    return say(
      'fail',
      'too-few-tests',
      `${executed} tests were executed, at least ${expectedMin} are expected`,
    );
  }
  if (exit === undefined) return say('inconclusive', 'exit-unknown', 'nobody saw how the tests ended');
  if (exit !== 0) return say('fail', 'exit-nonzero', `exit code ${exit} although no test failed`);
  return say('pass', 'passed', `${executed} tests passed`);
}
