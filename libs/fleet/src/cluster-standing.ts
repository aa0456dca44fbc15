import type { Cluster } from './cluster.js';
import type { ClusterStatus } from './cluster-status.js';
import type { Problem } from './problem.js';

/** What decisions over a whole channel need of one of its clusters: a few hundred bytes, whatever the cluster is busy with. */
export interface ClusterStanding
  extends
    Pick<Cluster, 'id' | 'alias' | 'environment' | 'criticalityLevel' | 'lifecycleStatus' | 'createdAt'>,
    Partial<Pick<ClusterStatus, 'phase' | 'since' | 'currentVersion' | 'desiredDigest' | 'serverVersion'>> {
  /** Config item `fairway_canary` is `true`. */
  readonly canary: boolean;
  readonly admittedRevisionId?: string;
  /** Digest of the tree that it was last brought to and verified against. */
  readonly settledTree?: string;
  readonly problems: readonly Pick<
    Problem,
    'type' | 'title' | 'detail' | 'severity' | 'firstSeen' | 'lastSeen'
  >[];
}

/** The config item that makes a cluster a canary. */
export const CANARY_ITEM = 'fairway_canary';
/** Problems of a cluster that decisions over channels look at. */
export const STANDING_PROBLEMS = 10;
