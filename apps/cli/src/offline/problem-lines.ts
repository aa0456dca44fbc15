import type { ConfigProblem } from '#fleet';
import type { RevisionProblem } from '#config';
import { paint } from '../output.js';

/** `cluster/cluster.yaml:3:7: error unknown-profile: …`, as editors and CI find places. */
export function problemLines(problem: ConfigProblem | RevisionProblem, clusterCount = 1): readonly string[] {
  const place = [problem.file, problem.line, problem.line === undefined ? undefined : problem.column]
    .filter((part) => part !== undefined)
    .join(':');
  const field = problem.field === undefined ? '' : ` (${problem.field})`;
  const severity = paint(problem.severity === 'error' ? 'red' : 'yellow', problem.severity);
  const lines = [`${place}: ${severity} ${problem.code}: ${problem.message}${field}`];
  if (problem.hint !== undefined) lines.push(`  → ${problem.hint}`);
  if ('clusters' in problem && clusterCount > 1) lines.push(`  in ${someOf(problem.clusters, clusterCount)}`);
  return lines;
}

/** `all 41 clusters`, `3 clusters: a, b, c`, `12 clusters: a, b, c, …` */
export function someOf(names: readonly string[], of: number): string {
  if (names.length === of && of > 1) return `all ${of} clusters`;
  const noun = names.length === 1 ? 'cluster' : 'clusters';
  return `${names.length} ${noun}: ${names.slice(0, 5).join(', ')}${names.length > 5 ? ', …' : ''}`;
}

export const errorsOf = <P extends ConfigProblem>(problems: readonly P[]): readonly P[] =>
  problems.filter(({ severity }) => severity === 'error');

/** `2 errors, 1 warning` */
export function tally(problems: readonly ConfigProblem[]): string {
  const errors = errorsOf(problems).length;
  const warnings = problems.length - errors;
  const count = (n: number, noun: string): string => `${n} ${noun}${n === 1 ? '' : 's'}`;
  return `${count(errors, 'error')}, ${count(warnings, 'warning')}`;
}
