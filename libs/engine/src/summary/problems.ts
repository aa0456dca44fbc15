import type { Failure, Instant, Outcome } from '#kernel';
import type { ConfigProblem, Problem } from '#fleet';
import { problemOf, problemType } from '#fleet';

export interface ProblemSources {
  readonly clusterId: string;
  readonly failure: Failure | undefined;
  readonly last: Outcome | undefined;
  readonly warnings: readonly ConfigProblem[];
  /** What steps told of themselves. */
  readonly reported: readonly Problem[];
}

/** Everything that people should know about a cluster after a pass: what failed, what blocks, what the author is warned of. */
export function problemsOf({
  clusterId,
  failure,
  last,
  warnings,
  reported,
}: ProblemSources): readonly Problem[] {
  const instance = `cluster/${clusterId}`;
  const problems: Problem[] = [];
  if (failure) {
    const severity = severityOf(failure);
    problems.push(problemOf(failure, instance, severity));
    for (const detail of (failure.details ?? []).slice(0, 50)) {
      problems.push(problemOf({ ...failure, ...detail }, instance, severity));
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
  return [
    ...problems,
    ...reported,
    ...warnings.slice(0, 20).map((warning) => warningProblem(warning, instance)),
  ];
}

function warningProblem(warning: ConfigProblem, instance: string): Problem {
  const where = warning.line === undefined ? warning.file : `${warning.file}:${warning.line}`;
  return {
    type: problemType(warning.code),
    title: warning.code.replaceAll('-', ' '),
    detail: `${where}: ${warning.message}`,
    instance,
    severity: 'warning',
    ...(warning.hint !== undefined && { hint: warning.hint }),
  };
}

const severityOf = (failure: Failure): Problem['severity'] => {
  if (failure.class === 'bug' || failure.class === 'denied') return 'critical';
  const passes =
    failure.class === 'transient' || failure.class === 'throttled' || failure.class === 'conflict';
  return passes ? 'warning' : 'error';
};

/** What makes two problems the same one: never a time. */
export const problemKey = (problem: Problem): string => `${problem.type}|${problem.detail}`;

/** A problem that was there before keeps the time it was first seen. */
export function datedProblems(
  problems: readonly Problem[],
  previous: readonly Problem[],
  now: Instant,
): readonly Problem[] {
  const seen = new Map(previous.map((problem) => [problemKey(problem), problem.firstSeen]));
  return problems.map((problem) => ({
    ...problem,
    firstSeen: seen.get(problemKey(problem)) ?? now,
    lastSeen: now,
  }));
}
