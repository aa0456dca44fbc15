import type { z } from 'zod';
import { toIso } from '#kernel';
import type { Cluster } from '../cluster.js';
import type { ClusterStatus } from '../cluster-status.js';
import type { ReportedStatus } from './reported-status.js';
import type { InfrastructureAccount } from '../infrastructure-account.js';
import type { NodePool } from '../node-pool.js';
import type { Problem } from '../problem.js';
import type {
  accountSchema,
  accountUpdateSchema,
  clusterSchema,
  clusterUpdateSchema,
  poolSchema,
  poolUpdateSchema,
} from './record.schema.js';

/** A cluster as a client registers it. */
export type ClusterRecord = Omit<Cluster, 'createdAt' | 'recordVersion'>;
type AccountPatch = Partial<Omit<InfrastructureAccount, 'id'>>;
type ClusterPatch = Partial<Omit<ClusterRecord, 'id' | 'nodePools'>>;

/** Members that are undefined are left out: absent and undefined mean the same on this wire. */
type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> };
function defined<T extends object>(value: T): Defined<T> {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as Defined<T>;
}

export function decodeAccount(body: z.infer<typeof accountSchema>): InfrastructureAccount {
  return {
    id: body.id,
    type: body.type,
    name: body.name,
    owner: body.owner,
    costCenter: body.cost_center,
    environment: body.environment,
    criticalityLevel: body.criticality_level,
    externalId: body.external_id,
    lifecycleStatus: body.lifecycle_status,
  };
}

export const decodeAccountUpdate = (body: z.infer<typeof accountUpdateSchema>): AccountPatch =>
  defined({
    type: body.type,
    name: body.name,
    owner: body.owner,
    costCenter: body.cost_center,
    environment: body.environment,
    criticalityLevel: body.criticality_level,
    externalId: body.external_id,
    lifecycleStatus: body.lifecycle_status,
  });

export const encodeAccount = (account: InfrastructureAccount) => ({
  id: account.id,
  type: account.type,
  name: account.name,
  owner: account.owner,
  cost_center: account.costCenter,
  environment: account.environment,
  criticality_level: account.criticalityLevel,
  external_id: account.externalId,
  lifecycle_status: account.lifecycleStatus,
});

export function decodePool(body: z.infer<typeof poolSchema>): NodePool {
  return {
    name: body.name,
    profile: body.profile,
    instanceTypes: body.instance_types,
    discountStrategy: body.discount_strategy,
    minSize: body.min_size,
    maxSize: body.max_size,
    configItems: body.config_items ?? {},
  };
}

export const decodePoolUpdate = (
  body: z.infer<typeof poolUpdateSchema>,
  present: NodePool,
): Partial<NodePool> =>
  defined({
    profile: body.profile,
    instanceTypes: body.instance_types,
    discountStrategy: body.discount_strategy,
    minSize: body.min_size,
    maxSize: body.max_size,
    configItems:
      body.config_items === undefined ? undefined : mergeItems(present.configItems, body.config_items),
  });

export const encodePool = (pool: NodePool) => ({
  name: pool.name,
  profile: pool.profile,
  instance_types: pool.instanceTypes,
  discount_strategy: pool.discountStrategy,
  min_size: pool.minSize,
  max_size: pool.maxSize,
  config_items: pool.configItems,
});

export function decodeCluster(body: z.infer<typeof clusterSchema>): ClusterRecord {
  return {
    id: body.id,
    alias: body.alias,
    infrastructureAccount: body.infrastructure_account,
    region: body.region,
    localId: body.local_id,
    provider: body.provider,
    apiServerUrl: body.api_server_url,
    channel: body.channel,
    environment: body.environment,
    criticalityLevel: body.criticality_level,
    lifecycleStatus: body.lifecycle_status,
    configItems: body.config_items ?? {},
    nodePools: (body.node_pools ?? []).map(decodePool),
  };
}

export function decodeClusterUpdate(
  body: z.infer<typeof clusterUpdateSchema>,
  present: Cluster,
): ClusterPatch {
  return defined({
    alias: body.alias,
    infrastructureAccount: body.infrastructure_account,
    region: body.region,
    localId: body.local_id,
    provider: body.provider,
    apiServerUrl: body.api_server_url,
    channel: body.channel,
    environment: body.environment,
    criticalityLevel: body.criticality_level,
    lifecycleStatus: body.lifecycle_status,
    configItems:
      body.config_items === undefined ? undefined : mergeItems(present.configItems, body.config_items),
  });
}

function mergeItems(
  present: Readonly<Record<string, string>>,
  changes: Readonly<Record<string, string | null>>,
): Readonly<Record<string, string>> {
  const merged = new Map(Object.entries(present));
  for (const [key, value] of Object.entries(changes)) {
    if (value === null) merged.delete(key);
    else merged.set(key, value);
  }
  return Object.fromEntries(merged);
}

/** A status of Fairway's own is the truth; one that a client reported stands in for it until there is any. */
export function encodeCluster(
  cluster: Cluster,
  status: ClusterStatus | undefined,
  verbose: boolean,
  reported?: ReportedStatus,
) {
  return {
    id: cluster.id,
    alias: cluster.alias,
    infrastructure_account: cluster.infrastructureAccount,
    region: cluster.region,
    local_id: cluster.localId,
    provider: cluster.provider,
    api_server_url: cluster.apiServerUrl,
    channel: cluster.channel,
    environment: cluster.environment,
    criticality_level: cluster.criticalityLevel,
    lifecycle_status: cluster.lifecycleStatus,
    status: (status === undefined ? reported : undefined) ?? encodeStatus(status),
    ...(verbose && { config_items: cluster.configItems, node_pools: cluster.nodePools.map(encodePool) }),
    created_at: toIso(cluster.createdAt),
  };
}

/** Versions are absent while there are none, as the contract's clients expect. */
function encodeStatus(status: ClusterStatus | undefined) {
  return {
    ...(status?.currentVersion !== undefined && { current_version: status.currentVersion }),
    ...(status?.lastVersion !== undefined && { last_version: status.lastVersion }),
    ...(status?.nextVersion !== undefined && { next_version: status.nextVersion }),
    problems: (status?.problems ?? []).map(encodeProblem),
  };
}

/** Additional members are strings, as the contract says. */
const encodeProblem = (problem: Problem) => ({
  type: problem.type,
  title: problem.title,
  ...(problem.status !== undefined && { status: problem.status }),
  ...(problem.detail !== undefined && { detail: problem.detail }),
  ...(problem.instance !== undefined && { instance: problem.instance }),
  ...(problem.hint !== undefined && { hint: problem.hint }),
  severity: problem.severity,
  ...(problem.firstSeen !== undefined && { first_seen: toIso(problem.firstSeen) }),
  ...(problem.lastSeen !== undefined && { last_seen: toIso(problem.lastSeen) }),
});
