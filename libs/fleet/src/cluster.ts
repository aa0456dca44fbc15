import type { Instant } from '#kernel';
import type { NodePool } from './node-pool.js';

export type ClusterLifecycle =
  'requested' | 'creating' | 'ready' | 'decommission-requested' | 'decommissioned';

/** String settings of a cluster or a node pool. */
export type ConfigItems = Readonly<Record<string, string>>;

/** A cluster as registered: what people and Git may change. What Fairway found out lives in {@link ClusterStatus}. */
export interface Cluster {
  /** `aws:123456789012:eu-central-1:kube-1` */
  readonly id: string;
  /** Unique, may change. */
  readonly alias: string;
  /** Id of the account, `aws:123456789012`. */
  readonly infrastructureAccount: string;
  readonly region: string;
  readonly localId: string;
  readonly provider: string;
  readonly apiServerUrl: string;
  readonly channel: string;
  readonly environment: string;
  readonly criticalityLevel: number;
  readonly lifecycleStatus: ClusterLifecycle;
  readonly configItems: ConfigItems;
  readonly nodePools: readonly NodePool[];
  readonly createdAt: Instant;
  /** Grows with every change of the record or its pools; the ETag. */
  readonly recordVersion: number;
}

/** The cluster config item with which a team stops all updates of its cluster; its value is the reason. */
export const UPDATE_BLOCK_ITEM = 'cluster_update_block';
