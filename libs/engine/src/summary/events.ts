import type { ClusterPhase, ClusterStatus, FleetEvent, Problem } from '#fleet';
import { problemKey } from './problems.js';

export interface EventSources {
  readonly channel: string;
  readonly commit: string | undefined;
  readonly previous: ClusterStatus | undefined;
  readonly status: ClusterStatus;
}

/** Problems that came and went, and a change of phase. A problem that stays says nothing again. */
export function eventsOf({ channel, commit, previous, status }: EventSources): readonly FleetEvent[] {
  const base = {
    at: status.updatedAt,
    subject: `cluster/${status.clusterId}`,
    channel,
    clusterId: status.clusterId,
  };
  const before = previous?.problems ?? [];
  const known = new Set(before.map(problemKey));
  const current = new Set(status.problems.map(problemKey));
  const raised = status.problems.filter((problem) => !known.has(problemKey(problem)));
  const resolved = before.filter((problem) => !current.has(problemKey(problem)));
  const events: FleetEvent[] = [
    ...raised.map((problem) => ({ ...base, ...raisedEvent(problem, status.updateId) })),
    ...resolved.map((problem) => ({ ...base, ...resolvedEvent(problem) })),
  ];
  if (previous?.phase === status.phase) return events;
  return [
    ...events,
    {
      ...base,
      type: `cluster.${status.phase}`,
      severity: SEVERITY_OF_PHASE[status.phase] ?? 'info',
      message: status.message,
      data: { from: previous?.phase, to: status.phase, commit, updateId: status.updateId },
    },
  ];
}

type Told = Pick<FleetEvent, 'type' | 'severity' | 'message' | 'data' | 'dedupeKey'>;

const raisedEvent = (problem: Problem, updateId: string | undefined): Told => ({
  type: 'problem.raised',
  severity: problem.severity,
  message: `${problem.title}: ${problem.detail ?? ''}`,
  data: { problem, updateId },
  dedupeKey: problemKey(problem),
});

const resolvedEvent = (problem: Problem): Told => ({
  type: 'problem.resolved',
  severity: 'info',
  message: `resolved: ${problem.title}`,
  data: { problem },
  dedupeKey: problemKey(problem),
});

const SEVERITY_OF_PHASE: Readonly<Partial<Record<ClusterPhase, FleetEvent['severity']>>> = {
  failed: 'error',
  stalled: 'error',
  halted: 'critical',
  blocked: 'warning',
};
