import type { Instant } from '#kernel';
import type { Cluster, ConfigItems, InfrastructureAccount, NodePool } from '#fleet';
import { big, count, instant, json, key, optional, ordinal, small, table, word } from './columns.js';

export interface AccountRow extends InfrastructureAccount {
  readonly recordVersion: number;
  readonly createdAt: Instant;
}

export const AccountEntity = table<AccountRow>('infrastructure_accounts', {
  id: key(),
  type: word(),
  name: word(),
  owner: word(),
  costCenter: word(),
  environment: word(),
  criticalityLevel: count(),
  externalId: word(),
  lifecycleStatus: word(),
  recordVersion: count(),
  createdAt: instant(),
});

export type ClusterRow = Omit<Cluster, 'nodePools'>;

export const ClusterEntity = table<ClusterRow>('clusters', {
  id: key(),
  alias: word(),
  infrastructureAccount: word(),
  region: word(),
  localId: word(),
  provider: word(),
  apiServerUrl: word(),
  channel: word(),
  environment: word(),
  criticalityLevel: count(),
  lifecycleStatus: word(),
  configItems: json(),
  recordVersion: count(),
  createdAt: instant(),
});

export interface NodePoolRow extends NodePool {
  readonly clusterId: string;
  readonly ordinal?: number;
}

export const NodePoolEntity = table<NodePoolRow>('node_pools', {
  clusterId: key(),
  name: key(),
  profile: word(),
  instanceTypes: json(),
  discountStrategy: word(),
  minSize: count(),
  maxSize: count(),
  configItems: json(),
  ordinal: ordinal(),
});

export interface ClusterRuntimeRow {
  readonly clusterId: string;
  readonly status: unknown;
  readonly admittedRevisionId: string | null;
  readonly nextDueAt: Instant | null;
  readonly duePriority: number;
  readonly doorbell: number;
  readonly memory: ConfigItems;
  readonly inputs: unknown;
  readonly reportedStatus: unknown;
}

export const ClusterRuntimeEntity = table<ClusterRuntimeRow>('cluster_runtimes', {
  clusterId: key(),
  status: optional(json()),
  admittedRevisionId: optional(word()),
  nextDueAt: optional(instant()),
  duePriority: small(),
  doorbell: big(),
  memory: json(),
  inputs: optional(json()),
  reportedStatus: optional(json()),
});

export const LeaseEntity = table<{ name: string; token: number; expiresAt: Instant }>('leases', {
  name: key(),
  token: big(),
  expiresAt: instant(),
});
