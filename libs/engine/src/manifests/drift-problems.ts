import { toIso, type Failure } from '#kernel';
import type { DriftFinding, Problem } from '#fleet';
import { problemOf, problemType, refKey } from '#fleet';
import type { Pass } from '../pass/pass.js';

/** More would hide the rest of the cluster's problems; `fairway drift list` shows all. */
const SHOWN = 20;

/** Shows open differences as problems, one per field, with who made them and since when. */
export function reportDrift(
  pass: Pass,
  findings: readonly DriftFinding[],
  refusals: readonly Failure[] = [],
): void {
  const instance = `cluster/${pass.cluster.id}`;
  const shown = findings.filter(({ state }) => state === 'open' || state === 'fight');
  for (const finding of shown.slice(0, SHOWN)) pass.report.problems.push(driftProblem(finding, instance));
  for (const refusal of refusals.slice(0, SHOWN))
    pass.report.problems.push(problemOf(refusal, instance, 'warning'));
}

function driftProblem(finding: DriftFinding, instance: string): Problem {
  const fight = finding.state === 'fight';
  const where = `${refKey(finding.ref)} ${finding.path}`.trim();
  const by = finding.manager === undefined ? '' : ` by ${finding.manager}`;
  const since = finding.managedSince === undefined ? '' : ` since ${toIso(finding.managedSince)}`;
  const what =
    finding.path === ''
      ? `${where} is missing`
      : fight
        ? `${where} was corrected several times and is changed again${by}; it is left alone`
        : `${where} differs from Git${by}${since}`;
  return {
    type: problemType(fight ? 'drift-fight' : 'drift'),
    title: fight ? 'drift fight' : 'drift',
    detail: what,
    hint: fight
      ? `Stop ${finding.manager ?? 'the other writer'}, or leave the field out of Git (or in component.yaml's ignore); then fairway drift correct.`
      : finding.path === ''
        ? 'fairway drift correct creates it, and so does the next update; to do without it, take it out of Git.'
        : 'fairway drift correct puts it back, fairway drift accept leaves it; or change Git.',
    instance,
    severity: 'warning',
  };
}
