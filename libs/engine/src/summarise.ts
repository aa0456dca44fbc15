import type { Failure, Instant, Outcome } from '#kernel';
import { assertNever } from '#kernel';
import type {
  ClusterPhase,
  ClusterStatus,
  ConfigProblem,
  FleetEvent,
  Hold,
  NodeProgress,
  Problem,
  StepKind,
  StepStatus,
  Update,
} from '#fleet';
import { problemOf, problemType } from '#fleet';

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
  readonly holds: readonly Hold[];
  readonly warnings: readonly ConfigProblem[];
  readonly desiredDigest?: string;
  readonly commit?: string;
  readonly etaMs?: number;
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
  const problems = problemsOf(input, failure, last);
  const serverVersion = input.serverVersion ?? previous?.serverVersion;
  const status: ClusterStatus = {
    clusterId: input.clusterId,
    phase,
    message: messageOf(last, finished, input.runs.at(-1)?.kind),
    ...versionsOf(input, finished),
    problems: datedProblems(problems, previous?.problems ?? [], now),
    updateId: input.update.id,
    steps: stepStatuses(input, finished),
    nodes: input.nodes,
    ...(input.desiredDigest !== undefined && { desiredDigest: input.desiredDigest }),
    ...(!finished && input.etaMs !== undefined && { etaMs: input.etaMs }),
    since: sinceOf(previous, phase, finished ? input.commit : undefined, now),
    ...(serverVersion !== undefined && { serverVersion }),
    consecutiveFailures,
    updatedAt: now,
  };
  return { status, events: eventsOf(input, status) };
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

function messageOf(last: Outcome | undefined, finished: boolean, kind: StepKind | undefined): string {
  if (finished) return 'at its desired state';
  switch (last?.kind) {
    case undefined:
      return 'not started';
    case 'done':
      return last.summary;
    case 'waiting':
      return `${kind}: waiting for ${last.for}`;
    case 'blocked':
      return `${kind}: blocked by ${last.by}. ${last.unblock}`;
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

function problemsOf(
  input: SummaryInput,
  failure: Failure | undefined,
  last: Outcome | undefined,
): readonly Problem[] {
  const instance = `cluster/${input.clusterId}`;
  const problems: Problem[] = [];
  if (failure) {
    problems.push(problemOf(failure, instance, severityOf(failure)));
    for (const detail of (failure.details ?? []).slice(0, 50)) {
      problems.push(problemOf({ ...failure, ...detail }, instance, severityOf(failure)));
    }
  }
  if (last?.kind === 'blocked') {
    problems.push({
      type: problemType('update-blocked'),
      title: 'update blocked',
      detail: `blocked by ${last.by}`,
      hint: last.unblock,
      instance,
      severity: 'warning',
    });
  }
  for (const warning of input.warnings.slice(0, 20)) {
    const where = warning.line === undefined ? warning.file : `${warning.file}:${warning.line}`;
    problems.push({
      type: problemType(warning.code),
      title: warning.code.replaceAll('-', ' '),
      detail: `${where}: ${warning.message}`,
      instance,
      severity: 'warning',
      ...(warning.hint !== undefined && { hint: warning.hint }),
    });
  }
  return problems;
}

const severityOf = (failure: Failure): Problem['severity'] =>
  failure.class === 'bug' || failure.class === 'denied'
    ? 'critical'
    : failure.class === 'transient' || failure.class === 'throttled' || failure.class === 'conflict'
      ? 'warning'
      : 'error';

/** A problem that was there before keeps the time it was first seen. */
function datedProblems(
  problems: readonly Problem[],
  previous: readonly Problem[],
  now: Instant,
): readonly Problem[] {
  const key = (problem: Problem): string => `${problem.type}|${problem.detail}|${problem.instance}`;
  const seen = new Map(previous.map((problem) => [key(problem), problem.firstSeen]));
  return problems.map((problem) => ({
    ...problem,
    firstSeen: seen.get(key(problem)) ?? now,
    lastSeen: now,
  }));
}

function stepStatuses(input: SummaryInput, finished: boolean): readonly StepStatus[] {
  const { now } = input;
  const sameUpdate = input.previous?.updateId === input.update.id;
  const before = new Map((sameUpdate ? (input.previous?.steps ?? []) : []).map((step) => [step.kind, step]));
  const runs = new Map(input.runs.map((run) => [run.kind, run.outcome]));
  return input.steps.map((kind) => {
    const outcome = runs.get(kind);
    const old = before.get(kind);
    if (!outcome) return { kind, state: 'pending', message: '' };
    const startedAt = old?.startedAt ?? now;
    const ended = outcome.kind === 'done' || finished;
    return {
      kind,
      ...wordsOf(outcome),
      startedAt,
      ...(ended && { finishedAt: old?.state === 'done' && old.finishedAt ? old.finishedAt : now }),
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

function eventsOf(input: SummaryInput, status: ClusterStatus): readonly FleetEvent[] {
  const { previous, now } = input;
  const base = {
    at: now,
    subject: `cluster/${input.clusterId}`,
    channel: input.channel,
    clusterId: input.clusterId,
  };
  const events: FleetEvent[] = [];
  const known = new Set((previous?.problems ?? []).map((problem) => `${problem.type}|${problem.detail}`));
  const current = new Set(status.problems.map((problem) => `${problem.type}|${problem.detail}`));
  for (const problem of status.problems) {
    if (known.has(`${problem.type}|${problem.detail}`)) continue;
    events.push({
      ...base,
      type: 'problem.raised',
      severity: problem.severity,
      message: `${problem.title}: ${problem.detail ?? ''}`,
      data: { problem, updateId: input.update.id },
      dedupeKey: `${problem.type}|${problem.detail}`,
    });
  }
  for (const problem of previous?.problems ?? []) {
    if (current.has(`${problem.type}|${problem.detail}`)) continue;
    events.push({
      ...base,
      type: 'problem.resolved',
      severity: 'info',
      message: `resolved: ${problem.title}`,
      data: { problem },
      dedupeKey: `${problem.type}|${problem.detail}`,
    });
  }
  if (previous?.phase !== status.phase) {
    events.push({
      ...base,
      type: `cluster.${status.phase}`,
      severity: severityOfPhase(status.phase),
      message: status.message,
      data: { from: previous?.phase, to: status.phase, commit: input.commit, updateId: input.update.id },
    });
  }
  return events;
}

const severityOfPhase = (phase: ClusterPhase): FleetEvent['severity'] =>
  phase === 'failed' || phase === 'stalled'
    ? 'error'
    : phase === 'halted'
      ? 'critical'
      : phase === 'blocked'
        ? 'warning'
        : 'info';
