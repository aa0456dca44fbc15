import type { ConformanceRun, Revision } from '#fleet';
import { digestOfValue } from '#kernel';
import type { ClusterFacts } from './cluster-facts.js';
import { isConverged, livingClusters } from './cluster-facts.js';
import type { RequiredSuite } from './policy.js';
import { rolloutOrder } from './waves.planner.js';

/** First try and at most two more, and only after inconclusive ones. */
export const MAX_ATTEMPTS = 3;

/** What is known about one suite on one cluster for one content. */
export interface SuiteEvidence {
  readonly cluster: ClusterFacts;
  readonly suite: string;
  readonly state: 'missing' | 'running' | 'pass' | 'fail' | 'retry' | 'exhausted';
  /** The newest run of this content. */
  readonly latest?: ConformanceRun;
  readonly attempts: number;
}

/** A run proves something about exactly one content: tree, cluster, desired state and Kubernetes version. */
export function isAbout(run: ConformanceRun, treeDigest: string, cluster: ClusterFacts): boolean {
  if (run.treeDigest !== treeDigest || run.clusterId !== cluster.id) return false;
  if (cluster.desiredDigest !== undefined && run.desiredDigest !== cluster.desiredDigest) return false;
  const known = cluster.serverVersion !== undefined && run.serverVersion !== undefined;
  return !known || run.serverVersion === cluster.serverVersion;
}

/** Evidence per required suite and cluster. With a number of clusters, those that already have runs come first. */
export function gatherEvidence(
  revision: Pick<Revision, 'treeDigest'>,
  required: readonly RequiredSuite[],
  clusters: readonly ClusterFacts[],
  runs: readonly ConformanceRun[],
): readonly SuiteEvidence[] {
  const candidates = rolloutOrder(livingClusters(clusters)).filter((cluster) => cluster.newcomer !== true);
  return required.flatMap(({ suite, clusters: wanted }) => {
    const all = candidates
      .map((cluster) => evidenceOf(revision.treeDigest, suite, cluster, runs))
      .filter((one) => counts(one));
    if (wanted === 'all') return all;
    const tried = all.filter((one) => one.state !== 'missing');
    return [...tried, ...all.filter((one) => one.state === 'missing')].slice(0, wanted);
  });
}

/** A failure counts for ever; from a cluster out of reach nothing else is expected; who is not there yet owes nothing. */
const counts = ({ cluster, state }: SuiteEvidence): boolean =>
  state === 'fail' || (!cluster.unreachable && (cluster.onRevision || state !== 'missing'));

/** Missing or inconclusive, on a cluster that is fit to run it. */
export const isStartable = (evidence: SuiteEvidence): boolean =>
  (evidence.state === 'missing' || evidence.state === 'retry') && isConverged(evidence.cluster);

function evidenceOf(
  treeDigest: string,
  suite: string,
  cluster: ClusterFacts,
  runs: readonly ConformanceRun[],
): SuiteEvidence {
  const mine = runs.filter((run) => run.suite === suite && isAbout(run, treeDigest, cluster));
  const latest = mine.reduce<ConformanceRun | undefined>(
    (best, run) => (best === undefined || isLater(run, best) ? run : best),
    undefined,
  );
  const attempts = mine.reduce((most, run) => Math.max(most, run.attempt), 0);
  return { cluster, suite, attempts, state: stateOf(latest, attempts), ...(latest && { latest }) };
}

const isLater = (a: ConformanceRun, b: ConformanceRun): boolean =>
  a.createdAt !== b.createdAt ? a.createdAt > b.createdAt : a.attempt > b.attempt;

function stateOf(latest: ConformanceRun | undefined, attempts: number): SuiteEvidence['state'] {
  if (latest === undefined) return 'missing';
  if (latest.state !== 'finished') return 'running';
  if (latest.verdict === 'pass') return 'pass';
  if (latest.verdict === 'fail') return 'fail';
  return attempts < MAX_ATTEMPTS ? 'retry' : 'exhausted';
}

/** `quick on dev-1: tests-failed (2): [sig-node] …`, for people. */
export function describeEvidence(evidence: SuiteEvidence): string {
  const where = `${evidence.suite} on ${evidence.cluster.alias}`;
  const run = evidence.latest;
  switch (evidence.state) {
    case 'missing':
      return `${where}: not run yet`;
    case 'running':
      return `${where}: ${run?.state ?? 'pending'}, attempt ${run?.attempt ?? 1}`;
    case 'pass':
      return `${where}: passed (${run?.executed ?? 0} tests)`;
    case 'retry':
      return `${where}: inconclusive (${run?.reason ?? 'unknown'}), is tried again`;
    case 'exhausted':
      return `${where}: inconclusive ${evidence.attempts} times, last ${run?.reason ?? 'unknown'}`;
    case 'fail': {
      const names = run?.failedTests.slice(0, 3).join('; ') ?? '';
      return `${where}: ${run?.reason ?? 'failed'}${names === '' ? '' : ` (${run?.failedTests.length}): ${names}`}`;
    }
  }
}

/** Identity of the evidence that an approval was given on: it changes when a verdict or a rendered content does. */
export const evidenceDigest = (evidence: readonly SuiteEvidence[]): string =>
  digestOfValue(
    evidence
      .map((one) =>
        [one.cluster.id, one.suite, one.latest?.desiredDigest ?? '', one.latest?.verdict ?? ''].join('|'),
      )
      .sort(),
  );
