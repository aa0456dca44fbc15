import type { Failure, Instant, Outcome } from '#kernel';
import { assertNever } from '#kernel';
import type {
  ClusterPhase,
  ClusterStatus,
  ConfigProblem,
  FleetEvent,
  NodeProgress,
  Problem,
  RollProgress,
  StepKind,
  Update,
} from '#fleet';
import { eventsOf } from './summary/events.js';
import { datedProblems, problemsOf } from './summary/problems.js';
import { stepStatuses } from './summary/step-statuses.js';

/** How the pass went, step by step; steps after the first that is not done did not run. */
export interface StepRun {
  readonly kind: StepKind;
  readonly outcome: Outcome;
}

export interface SummaryInput {
  readonly clusterId: string;
  readonly channel: string;
  readonly previous: ClusterStatus | undefined;
  readonly update: Update;
  readonly steps: readonly StepKind[];
  readonly runs: readonly StepRun[];
  readonly nodes: readonly NodeProgress[];
  readonly rolls?: readonly RollProgress[];
  readonly warnings: readonly ConfigProblem[];
  /** Trouble that steps told of and that did not stop them. */
  readonly reported?: readonly Problem[];
  readonly desiredDigest?: string;
  readonly commit?: string;
  readonly etaMs?: number;
  readonly etaIf?: string;
  readonly serverVersion?: string;
  readonly now: Instant;
}

export interface Summary {
  readonly status: ClusterStatus;
  readonly events: readonly FleetEvent[];
}

/** The only place where a cluster's status comes from. Pure: the same pass gives the same words. */
export function summarise(input: SummaryInput): Summary {
  const { previous, now } = input;
  const last = input.runs.at(-1)?.outcome;
  const finished = last?.kind === 'done' && input.runs.length === input.steps.length;
  const failure = last?.kind === 'failed' ? last.failure : undefined;
  const phase = phaseOf(last, finished, input.update);
  const consecutiveFailures = failure ? (previous?.consecutiveFailures ?? 0) + 1 : 0;
  const problems = problemsOf({
    clusterId: input.clusterId,
    failure,
    last,
    warnings: input.warnings,
    reported: input.reported ?? [],
  });
  const sameUpdate = previous?.updateId === input.update.id;
  const serverVersion = input.serverVersion ?? previous?.serverVersion;
  const status: ClusterStatus = {
    clusterId: input.clusterId,
    phase,
    message: messageOf(last, phase, input.runs.at(-1)?.kind),
    ...versionsOf(input, finished),
    problems: datedProblems(problems, previous?.problems ?? [], now),
    updateId: input.update.id,
    steps: stepStatuses({ ...input, before: sameUpdate ? (previous?.steps ?? []) : [] }),
    nodes: input.nodes,
    ...rollsOf(input, sameUpdate),
    ...(input.desiredDigest !== undefined && { desiredDigest: input.desiredDigest }),
    ...(!finished && input.etaMs !== undefined && { etaMs: input.etaMs }),
    ...(!finished && input.etaIf !== undefined && { etaIf: input.etaIf }),
    since: sinceOf(previous, phase, finished ? input.commit : undefined, now),
    ...(serverVersion !== undefined && { serverVersion }),
    consecutiveFailures,
    updatedAt: now,
  };
  return { status, events: eventsOf({ channel: input.channel, commit: input.commit, previous, status }) };
}

/** The figures of a finished roll stay until the next update. */
function rollsOf({ rolls = [], previous }: SummaryInput, sameUpdate: boolean): Pick<ClusterStatus, 'rolls'> {
  if (rolls.length > 0) return { rolls };
  return sameUpdate && previous?.rolls ? { rolls: previous.rolls } : {};
}

/** The same phase at the same version goes on; anything else begins now. */
function sinceOf(
  previous: ClusterStatus | undefined,
  phase: ClusterPhase,
  version: string | undefined,
  now: Instant,
): Instant {
  if (previous?.phase !== phase) return now;
  return version !== undefined && previous.currentVersion !== version ? now : previous.since;
}

function phaseOf(last: Outcome | undefined, finished: boolean, update: Update): ClusterPhase {
  if (finished) return update.kind === 'decommission' ? 'decommissioned' : 'ready';
  if (last === undefined) return 'pending';
  switch (last.kind) {
    case 'done':
      return 'updating';
    case 'waiting':
      return update.kind === 'decommission' ? 'decommissioning' : 'updating';
    case 'blocked':
      return last.by === 'hold' ? 'held' : 'blocked';
    case 'failed':
      return phaseOfFailure(last.failure);
    default:
      return assertNever(last);
  }
}

function phaseOfFailure(failure: Failure): ClusterPhase {
  switch (failure.class) {
    case 'transient':
    case 'throttled':
    case 'conflict':
      return 'waiting';
    case 'blocked':
      return 'blocked';
    case 'invalid':
    case 'denied':
      return 'stalled';
    case 'terminal':
      return 'failed';
    case 'bug':
      return 'halted';
    default:
      return assertNever(failure.class);
  }
}

function messageOf(last: Outcome | undefined, phase: ClusterPhase, kind: StepKind | undefined): string {
  if (phase === 'ready') return 'at its desired state';
  switch (last?.kind) {
    case undefined:
      return 'not started';
    case 'done':
      return last.summary;
    case 'waiting':
      return `${kind}: waiting for ${last.for}`;
    case 'blocked':
      return `${kind}: blocked by ${last.by.replace(/\.$/, '')}. ${last.unblock}`;
    case 'failed':
      return `${kind}: ${last.failure.message}`;
    default:
      return assertNever(last as never);
  }
}

function versionsOf(
  input: SummaryInput,
  finished: boolean,
): Pick<ClusterStatus, 'currentVersion' | 'lastVersion' | 'nextVersion'> {
  const { previous, commit } = input;
  if (finished && commit !== undefined) {
    const last = previous?.currentVersion === commit ? previous.lastVersion : previous?.currentVersion;
    return { currentVersion: commit, ...(last !== undefined && { lastVersion: last }) };
  }
  return {
    ...(previous?.currentVersion !== undefined && { currentVersion: previous.currentVersion }),
    ...(previous?.lastVersion !== undefined && { lastVersion: previous.lastVersion }),
    ...(commit !== undefined && commit !== previous?.currentVersion && { nextVersion: commit }),
  };
}
