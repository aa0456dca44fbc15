import type { Duration, Instant } from '#kernel';
import { minutes } from '#kernel';
import type { ChannelRevision, SoakRecord } from '#fleet';
import type { ClusterFacts } from './cluster-facts.js';
import { isConverged, livingClusters } from './cluster-facts.js';

/** Clocks of replicas differ by seconds; more than this is a jump of one of them. */
const CLOCK_TOLERANCE = minutes(1);
/** No cluster has been well since then: whoever recovers begins anew. */
const NEVER: Instant = 0;

export interface SoakState {
  readonly soaked: Duration;
  /** Every cluster that counts is well, so time counts now. */
  readonly running: boolean;
}

/** Clusters whose health counts: offline ones and those that came after the verification do not. */
const countedClusters = (clusters: readonly ClusterFacts[]): readonly ClusterFacts[] =>
  livingClusters(clusters).filter((cluster) => !cluster.unreachable && cluster.newcomer !== true);

/** Start of the present uninterrupted health of all clusters that count; undefined while one is unwell. */
export function healthySince(clusters: readonly ClusterFacts[], verifiedAt: Instant): Instant | undefined {
  const counted = countedClusters(clusters);
  if (counted.length === 0 || !counted.every(isConverged)) return undefined;
  return Math.max(verifiedAt, ...counted.map((cluster) => cluster.since));
}

type Health = 'well' | 'unwell' | 'broken-off' | 'dark';

/**
 * Health since the last step. Starts of health are compared for equality only, never by a clock: another one means that
 * the cluster was unwell in between, however the clocks stand.
 */
function healthOf({ basis }: SoakRecord, clusters: readonly ClusterFacts[]): Health {
  const counted = countedClusters(clusters).filter((cluster) => typeof basis[cluster.id] === 'number');
  if (counted.some((cluster) => !isConverged(cluster))) return 'unwell';
  if (counted.some((cluster) => basis[cluster.id] !== cluster.since)) return 'broken-off';
  return counted.length === 0 ? 'dark' : 'well';
}

/** What is counted so far, against the health of now. Adds nothing itself: only a step of the channel's pass does. */
export function soakOf(
  entry: Pick<ChannelRevision, 'soak' | 'verifiedAt'>,
  clusters: readonly ClusterFacts[],
  now: Instant,
): SoakState {
  const { soak, verifiedAt } = entry;
  if (verifiedAt === undefined) return { soaked: 0, running: false };
  if (soak === undefined) {
    const since = healthySince(clusters, verifiedAt);
    return { soaked: since === undefined ? 0 : Math.max(0, now - since), running: since !== undefined };
  }
  const health = healthOf(soak, clusters);
  const soaked = health === 'well' || health === 'dark' ? soak.accumulated : 0;
  return { soaked, running: health === 'well' || health === 'broken-off' };
}

/** One step: the record after a look at the clusters at `now` (worker's clock) and `storeNow` (the database's). */
export function countSoak(
  entry: Pick<ChannelRevision, 'soak' | 'verifiedAt'>,
  clusters: readonly ClusterFacts[],
  now: Instant,
  storeNow: Instant,
): SoakRecord {
  const { soak } = entry;
  const at = { storeAt: storeNow, workerAt: now };
  if (soak === undefined) {
    const { soaked } = soakOf(entry, clusters, now);
    return { ...at, accumulated: soaked, basis: firstBasis(clusters, entry.verifiedAt === undefined) };
  }
  const basis = followBasis(soak.basis, clusters);
  switch (healthOf(soak, clusters)) {
    case 'well':
      return { ...at, accumulated: soak.accumulated + creditOf(soak, now, storeNow), basis };
    case 'dark':
      return { ...at, accumulated: soak.accumulated, basis };
    case 'broken-off':
      return { ...at, accumulated: 0, basis };
    case 'unwell':
      return { ...at, accumulated: 0, basis: soak.basis };
  }
}

/** The time that both clocks agree on. One that went backwards, or far ahead of the other, does not count. */
function creditOf(soak: SoakRecord, now: Instant, storeNow: Instant): Duration {
  const byStore = storeNow - soak.storeAt;
  const byWorker = now - soak.workerAt;
  if (byStore < 0 || byWorker < 0) return Math.max(0, byStore, byWorker);
  return Math.abs(byStore - byWorker) <= CLOCK_TOLERANCE ? byStore : Math.min(byStore, byWorker);
}

/** At the verification, coverage may leave some clusters out; later nobody is excused. */
function firstBasis(clusters: readonly ClusterFacts[], verifying: boolean): SoakRecord['basis'] {
  return Object.fromEntries(
    countedClusters(clusters).map((cluster) => [
      cluster.id,
      isConverged(cluster) ? cluster.since : verifying ? null : NEVER,
    ]),
  );
}

function followBasis(basis: SoakRecord['basis'], clusters: readonly ClusterFacts[]): SoakRecord['basis'] {
  const next = { ...basis };
  for (const cluster of countedClusters(clusters)) {
    if (cluster.id in basis && isConverged(cluster)) next[cluster.id] = cluster.since;
  }
  return next;
}
