import { ACCOUNT_ID, wireAccount, wireCluster, wirePool } from './wire-records.js';

const at = { cluster_id: `${ACCOUNT_ID}:eu-central-1:kube-1` };
const pool = { ...at, node_pool_name: 'pool-1' };

/** Parameters with which each operation would succeed. */
export const FITTING: Readonly<Record<string, { values?: Record<string, string>; body?: unknown }>> = {
  listInfrastructureAccounts: {},
  createInfrastructureAccount: { body: wireAccount({ id: 'aws:999999999999' }) },
  updateInfrastructureAccount: { values: { account_id: ACCOUNT_ID }, body: { owner: 'team/bar' } },
  getInfrastructureAccount: { values: { account_id: ACCOUNT_ID } },
  listClusters: {},
  createCluster: { body: wireCluster('kube-9') },
  updateCluster: { values: at, body: { environment: 'production' } },
  getCluster: { values: at },
  deleteCluster: { values: { cluster_id: `${ACCOUNT_ID}:eu-central-1:kube-9` } },
  addOrUpdateConfigItem: { values: { ...at, config_key: 'a_key' }, body: { value: 'x' } },
  deleteConfigItem: { values: { ...at, config_key: 'a_key' } },
  listNodePools: { values: at },
  createOrUpdateNodePool: { values: pool, body: wirePool() },
  updateNodePool: { values: pool, body: { max_size: 21 } },
  deleteNodePool: { values: { ...at, node_pool_name: 'pool-2' } },
  addOrUpdateNodePoolConfigItem: { values: { ...pool, config_key: 'a_key' }, body: { value: 'x' } },
  deleteNodePoolConfigItem: { values: { ...pool, config_key: 'a_key' } },
};
/** Operations that every role may call. */
export const READS = new Set([
  'listInfrastructureAccounts',
  'getInfrastructureAccount',
  'listClusters',
  'getCluster',
  'listNodePools',
]);
