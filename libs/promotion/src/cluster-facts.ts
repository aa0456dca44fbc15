import type { Instant } from '#kernel';
import type { ClusterPhase, Hold, Severity } from '#fleet';
import { admissionHoldsOn, holdsOn } from '#fleet';

/** What promotion decisions need to know of one cluster of a channel. */
export interface ClusterFacts {
  readonly id: string;
  readonly alias: string;
  readonly environment: string;
  readonly criticality: number;
  /** Label or config item `fairway.dev/canary` = true: goes first. */
  readonly canary: boolean;
  readonly phase: ClusterPhase;
  readonly currentVersion?: string;
  readonly admittedRevisionId?: string;
  /** It runs the content of the revision in question, completely. */
  readonly onRevision: boolean;
  readonly healthy: boolean;
  /** When its present uninterrupted state (on the revision and healthy, or not) began; from stored events. */
  readonly since: Instant;
  readonly unreachable: boolean;
  /** Evidence counts only for this rendered content, where known. */
  readonly desiredDigest?: string;
  /** Evidence counts only for this Kubernetes version, where known. */
  readonly serverVersion?: string;
  /** Open problems that people should look at: what health and preflight are judged by. Absent: none. */
  readonly troubles?: readonly ClusterTrouble[];
  /** It joined the channel, or came back, after the revision was verified: it neither resets soak nor needs runs. */
  readonly newcomer?: boolean;
}

export interface ClusterTrouble {
  /** Last part of the problem's type, e.g. `version-skew`. */
  readonly code: string;
  readonly severity: Severity;
  readonly message: string;
}

const GONE: readonly ClusterPhase[] = ['decommissioning', 'decommissioned'];
const BROKEN: readonly ClusterPhase[] = ['failed', 'halted', 'stalled'];

/** Clusters that take part in a channel's life at all. */
export const livingClusters = (clusters: readonly ClusterFacts[]): readonly ClusterFacts[] =>
  clusters.filter((cluster) => !GONE.includes(cluster.phase));

/** Runs the revision and is well. */
export const isConverged = (cluster: ClusterFacts): boolean =>
  cluster.onRevision && cluster.healthy && !cluster.unreachable;

/** The revision was tried on it and it does not come through. */
export const isBroken = (cluster: ClusterFacts, revisionId: string): boolean =>
  cluster.admittedRevisionId === revisionId && !cluster.onRevision && BROKEN.includes(cluster.phase);

/** The revision is on its way in. Clusters that went offline meanwhile count apart. */
export const isInFlight = (cluster: ClusterFacts, revisionId: string): boolean =>
  cluster.admittedRevisionId === revisionId &&
  !cluster.onRevision &&
  !cluster.unreachable &&
  !BROKEN.includes(cluster.phase);

/**
 * A hold of the fleet, the channel or the cluster itself (not of one pool) that keeps it from starting now. One that only
 * stops promotion keeps a single cluster where it is, but lets a channel go on with what it has.
 */
export const heldBy = (
  holds: readonly Hold[],
  channel: string,
  clusterId: string,
  now: Instant,
): Hold | undefined =>
  admissionHoldsOn(holds, { channel, clusterId }, now).find(
    (hold) => hold.blocks === undefined || hold.scope.kind === 'cluster',
  );

/** Holds that stop a whole channel now. */
export const channelHolds = (holds: readonly Hold[], channel: string, now: Instant): readonly Hold[] =>
  holdsOn(holds, { channel, clusterId: '' }, now);

/** Holds that keep anything newer out of a channel now. */
export const promotionHolds = (holds: readonly Hold[], channel: string, now: Instant): readonly Hold[] =>
  admissionHoldsOn(holds, { channel, clusterId: '' }, now);

/** `kube-1, kube-2 and 5 more`, for messages. */
export function nameSome(clusters: readonly Pick<ClusterFacts, 'alias'>[], limit = 5): string {
  const names = clusters.slice(0, limit).map((cluster) => cluster.alias);
  const rest = clusters.length - names.length;
  return rest > 0 ? `${names.join(', ')} and ${rest} more` : names.join(', ');
}
