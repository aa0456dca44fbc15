import type { Cluster, NodePool } from '#fleet';
import type { ClusterFilter } from '#ports';
import type { Queryable } from '../database.js';

interface ClusterSqlRow {
  readonly id: string;
  readonly alias: string;
  readonly infrastructure_account: string;
  readonly region: string;
  readonly local_id: string;
  readonly provider: string;
  readonly api_server_url: string;
  readonly channel: string;
  readonly environment: string;
  readonly criticality_level: number;
  readonly lifecycle_status: Cluster['lifecycleStatus'];
  readonly config_items: Cluster['configItems'];
  readonly record_version: number;
  readonly created_at: Date;
  readonly node_pools: readonly NodePool[];
}

/** One row per cluster with its pools, so that a pass needs one query. Plain SQL: the hottest read of all. */
const SELECT = `
  SELECT c.id, c.alias, c.infrastructure_account, c.region, c.local_id, c.provider, c.api_server_url, c.channel,
         c.environment, c.criticality_level, c.lifecycle_status, c.config_items, c.record_version, c.created_at,
         COALESCE((SELECT jsonb_agg(jsonb_build_object(
                     'name', p.name, 'profile', p.profile, 'instanceTypes', p.instance_types,
                     'discountStrategy', p.discount_strategy, 'minSize', p.min_size, 'maxSize', p.max_size,
                     'configItems', p.config_items) ORDER BY p.ordinal)
                     FROM node_pools p WHERE p.cluster_id = c.id), '[]') AS node_pools
    FROM clusters c`;

const FILTERS: { readonly [K in keyof Required<ClusterFilter>]: string } = {
  alias: 'c.alias = ?',
  apiServerUrl: 'c.api_server_url = ?',
  channel: 'c.channel = ?',
  criticalityLevel: 'c.criticality_level = ?',
  environment: 'c.environment = ?',
  infrastructureAccount: 'c.infrastructure_account = ?',
  lifecycleStatus: 'c.lifecycle_status = ?',
  localId: 'c.local_id = ?',
  provider: 'c.provider = ?',
  region: 'c.region = ?',
  costCenter:
    'EXISTS (SELECT 1 FROM infrastructure_accounts a WHERE a.id = c.infrastructure_account AND a.cost_center = ?)',
};

export async function selectClusters(on: Queryable, filter: ClusterFilter): Promise<readonly Cluster[]> {
  const conditions: string[] = [];
  const params: unknown[] = [];
  for (const [name, condition] of Object.entries(FILTERS)) {
    const value = filter[name as keyof ClusterFilter];
    if (value === undefined) continue;
    params.push(value);
    conditions.push(condition.replace('?', `$${params.length}`));
  }
  const where = conditions.length > 0 ? ` WHERE ${conditions.join(' AND ')}` : '';
  return (await on.rows<ClusterSqlRow>(`${SELECT}${where} ORDER BY c.id`, params)).map(toCluster);
}

export async function selectCluster(on: Queryable, id: string): Promise<Cluster | undefined> {
  const [row] = await on.rows<ClusterSqlRow>(`${SELECT} WHERE c.id = $1`, [id]);
  return row && toCluster(row);
}

/** In two statements: one that waits for the lock would show the pools as they were before the wait. */
export async function lockCluster(tx: Queryable, id: string): Promise<Cluster | undefined> {
  await tx.rows('SELECT 1 FROM clusters WHERE id = $1 FOR UPDATE', [id]);
  return selectCluster(tx, id);
}

const toCluster = (row: ClusterSqlRow): Cluster => ({
  id: row.id,
  alias: row.alias,
  infrastructureAccount: row.infrastructure_account,
  region: row.region,
  localId: row.local_id,
  provider: row.provider,
  apiServerUrl: row.api_server_url,
  channel: row.channel,
  environment: row.environment,
  criticalityLevel: row.criticality_level,
  lifecycleStatus: row.lifecycle_status,
  configItems: row.config_items,
  nodePools: row.node_pools,
  createdAt: row.created_at.getTime(),
  recordVersion: row.record_version,
});
