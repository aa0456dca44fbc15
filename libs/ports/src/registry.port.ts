import type {
  AccountLifecycle,
  Cluster,
  ClusterLifecycle,
  ClusterStatus,
  InfrastructureAccount,
  NodePool,
  ReportedStatus,
} from '#fleet';

/** Equality filters; undefined members do not filter. */
export interface AccountFilter {
  readonly criticalityLevel?: number;
  readonly environment?: string;
  readonly externalId?: string;
  readonly lifecycleStatus?: AccountLifecycle;
  readonly name?: string;
  readonly owner?: string;
  readonly type?: string;
  readonly costCenter?: string;
}

export interface ClusterFilter {
  readonly alias?: string;
  readonly apiServerUrl?: string;
  readonly channel?: string;
  readonly criticalityLevel?: number;
  readonly environment?: string;
  readonly infrastructureAccount?: string;
  readonly lifecycleStatus?: ClusterLifecycle;
  readonly localId?: string;
  readonly provider?: string;
  readonly region?: string;
  /** Of the cluster's account. */
  readonly costCenter?: string;
}

export type NewCluster = Omit<Cluster, 'createdAt' | 'recordVersion'>;
export type AccountPatch = Partial<Omit<InfrastructureAccount, 'id'>>;
export type ClusterPatch = Partial<Omit<Cluster, 'id' | 'createdAt' | 'recordVersion' | 'nodePools'>>;

/** Who changes a record, for the audit log, and which version they saw (If-Match). */
export interface Change {
  readonly actor: string;
  readonly reason?: string;
  readonly expectedVersion?: number;
}

/**
 * The inventory of accounts, clusters and pools. Rejects with `FailureError`: `not-found` and `already-exists`
 * (class invalid), `version-mismatch` (class conflict). Every change of a cluster grows its `recordVersion`, writes an
 * audit row, makes the cluster due at once, and records an event, all in one transaction.
 */
export interface RegistryPort {
  listAccounts(filter: AccountFilter): Promise<readonly InfrastructureAccount[]>;
  getAccount(id: string): Promise<InfrastructureAccount | undefined>;
  createAccount(account: InfrastructureAccount, change: Change): Promise<InfrastructureAccount>;
  updateAccount(id: string, patch: AccountPatch, change: Change): Promise<InfrastructureAccount>;

  listClusters(filter: ClusterFilter): Promise<readonly Cluster[]>;
  getCluster(id: string): Promise<Cluster | undefined>;
  /** The account must exist. Alias and id are unique. */
  createCluster(cluster: NewCluster, change: Change): Promise<Cluster>;
  /**
   * Account, region, local id and provider of a cluster for which something may stand outside never change: rejects with
   * `cluster-not-empty` (class invalid), as `updateAccount` does with `account-not-empty` for the account they stand in.
   */
  updateCluster(id: string, patch: ClusterPatch, change: Change): Promise<Cluster>;
  /**
   * Removes the record of a cluster for which Fairway holds nothing outside (no intent was ever recorded, or it is
   * decommissioned). Otherwise rejects with `cluster-not-empty` (class invalid).
   */
  deleteCluster(id: string, change: Change): Promise<void>;
  setConfigItem(clusterId: string, key: string, value: string, change: Change): Promise<void>;
  deleteConfigItem(clusterId: string, key: string, change: Change): Promise<void>;

  putNodePool(clusterId: string, pool: NodePool, change: Change): Promise<NodePool>;
  updateNodePool(
    clusterId: string,
    name: string,
    patch: Partial<NodePool>,
    change: Change,
  ): Promise<NodePool>;
  deleteNodePool(clusterId: string, name: string, change: Change): Promise<void>;
  setPoolConfigItem(
    clusterId: string,
    pool: string,
    key: string,
    value: string,
    change: Change,
  ): Promise<void>;
  deletePoolConfigItem(clusterId: string, pool: string, key: string, change: Change): Promise<void>;

  /** Statuses of the clusters asked for; those never reconciled are absent. */
  statuses(clusterIds: readonly string[]): Promise<ReadonlyMap<string, ClusterStatus>>;
  /** Keeps what a client reports of a cluster. It is no change of the record: no version, no audit row, nothing is due. */
  reportStatus(clusterId: string, status: ReportedStatus): Promise<void>;
  /** What clients reported last, by cluster id. */
  reportedStatuses(clusterIds: readonly string[]): Promise<ReadonlyMap<string, ReportedStatus>>;
}
