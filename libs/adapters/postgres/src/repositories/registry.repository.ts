import type { Clock } from '#kernel';
import type { ClusterStatus, ReportedStatus } from '#fleet';
import type { RegistryPort } from '#ports';
import type { Database } from '../database.js';
import type { EventWriter } from '../event-writer.js';
import { toJsonb } from '../json.js';
import { AccountRepository } from './account.repository.js';
import { ClusterRepository } from './cluster.repository.js';
import { NodePoolRepository } from './node-pool.repository.js';

const STATUSES =
  'SELECT status FROM cluster_runtimes WHERE cluster_id = ANY ($1::text[]) AND status IS NOT NULL';

const REPORTED = `
  SELECT cluster_id, reported_status FROM cluster_runtimes
   WHERE cluster_id = ANY ($1::text[]) AND reported_status IS NOT NULL`;
const REPORT = 'UPDATE cluster_runtimes SET reported_status = $2::jsonb WHERE cluster_id = $1';

/** The registry: accounts, clusters, pools, and the statuses of clusters. */
export function createRegistry(database: Database, events: EventWriter, clock: Clock): RegistryPort {
  const accounts = new AccountRepository(database, events, clock);
  const clusters = new ClusterRepository(database, events, clock);
  const pools = new NodePoolRepository(clusters);
  return {
    listAccounts: (filter) => accounts.list(filter),
    getAccount: (id) => accounts.get(id),
    createAccount: (account, change) => accounts.create(account, change),
    updateAccount: (id, patch, change) => accounts.update(id, patch, change),
    listClusters: (filter) => clusters.list(filter),
    getCluster: (id) => clusters.get(id),
    createCluster: (cluster, change) => clusters.create(cluster, change),
    updateCluster: (id, patch, change) => clusters.update(id, patch, change),
    deleteCluster: (id, change) => clusters.remove(id, change),
    setConfigItem: (id, key, value, change) => clusters.setConfigItem(id, key, value, change),
    deleteConfigItem: (id, key, change) => clusters.deleteConfigItem(id, key, change),
    putNodePool: (id, pool, change) => pools.put(id, pool, change),
    updateNodePool: (id, name, patch, change) => pools.update(id, name, patch, change),
    deleteNodePool: (id, name, change) => pools.remove(id, name, change),
    setPoolConfigItem: (id, pool, key, value, change) => pools.setConfigItem(id, pool, key, value, change),
    deletePoolConfigItem: (id, pool, key, change) => pools.deleteConfigItem(id, pool, key, change),
    statuses: async (ids) => {
      const rows = await database.rows<{ status: ClusterStatus }>(STATUSES, [ids]);
      return new Map(rows.map(({ status }) => [status.clusterId, status]));
    },
    reportStatus: async (id, status) => {
      await database.execute(REPORT, [id, toJsonb(status)]);
    },
    reportedStatuses: async (ids) => {
      const rows = await database.rows<{ cluster_id: string; reported_status: ReportedStatus }>(REPORTED, [
        ids,
      ]);
      return new Map(rows.map((row) => [row.cluster_id, row.reported_status]));
    },
  };
}
