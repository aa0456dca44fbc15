import { fail } from '#kernel';
import type { Cluster, NodePool } from '#fleet';
import type { Change } from '#ports';
import type { Transaction } from '../database.js';
import { NodePoolEntity } from '../entities/registry.schema.js';
import { changedFields } from '../record-changes.js';
import { configItemNotFound, type ClusterRepository } from './cluster.repository.js';

/** Node pools of a cluster; every change is a change of the cluster's record. */
export class NodePoolRepository {
  constructor(private readonly clusters: ClusterRepository) {}

  async put(clusterId: string, pool: NodePool, change: Change): Promise<NodePool> {
    const cluster = await this.clusters.change(
      clusterId,
      change,
      'cluster.node-pool-set',
      async (tx, current) => {
        const before = current.nodePools.find(({ name }) => name === pool.name);
        const fields = before ? changedFields(before, pool) : ['*'];
        if (fields.length > 0) await write(tx, clusterId, pool);
        return mutation(clusterId, pool.name, fields, 'set');
      },
    );
    return found(cluster, pool.name);
  }

  async update(clusterId: string, name: string, patch: Partial<NodePool>, change: Change): Promise<NodePool> {
    const cluster = await this.clusters.change(
      clusterId,
      change,
      'cluster.node-pool-set',
      async (tx, current) => {
        const before = found(current, name);
        const fields = changedFields(before, { ...patch, name });
        if (fields.length > 0) await write(tx, clusterId, { ...before, ...patch, name });
        return mutation(clusterId, name, fields, 'set');
      },
    );
    return found(cluster, name);
  }

  async remove(clusterId: string, name: string, change: Change): Promise<void> {
    await this.clusters.change(clusterId, change, 'cluster.node-pool-deleted', async (tx, current) => {
      found(current, name);
      await tx.manager.delete(NodePoolEntity, { clusterId, name });
      return mutation(clusterId, name, ['*'], 'deleted');
    });
  }

  async setConfigItem(
    clusterId: string,
    name: string,
    key: string,
    value: string,
    change: Change,
  ): Promise<void> {
    await this.clusters.change(clusterId, change, 'cluster.node-pool-set', async (tx, current) => {
      const pool = found(current, name);
      const fields = pool.configItems[key] === value ? [] : [`configItems.${key}`];
      const configItems = { ...pool.configItems, [key]: value };
      if (fields.length > 0) await write(tx, clusterId, { ...pool, configItems });
      return mutation(clusterId, name, fields, 'set');
    });
  }

  async deleteConfigItem(clusterId: string, name: string, key: string, change: Change): Promise<void> {
    await this.clusters.change(clusterId, change, 'cluster.node-pool-set', async (tx, current) => {
      const pool = found(current, name);
      const { [key]: removed, ...configItems } = pool.configItems;
      if (removed === undefined) configItemNotFound(`node pool ${name} of cluster ${clusterId}`, key);
      await write(tx, clusterId, { ...pool, configItems });
      return mutation(clusterId, name, [`configItems.${key}`], 'set');
    });
  }
}

async function write(tx: Transaction, clusterId: string, pool: NodePool): Promise<void> {
  await tx.manager.upsert(NodePoolEntity, { ...pool, clusterId }, ['clusterId', 'name']);
}

const mutation = (clusterId: string, pool: string, fields: readonly string[], what: 'set' | 'deleted') => ({
  fields: fields.map((field) => (field === '*' ? `nodePools.${pool}` : `nodePools.${pool}.${field}`)),
  message: `node pool ${pool} of cluster ${clusterId} was ${what}`,
});

const found = (cluster: Cluster, name: string): NodePool =>
  cluster.nodePools.find((pool) => pool.name === name) ??
  fail({ class: 'invalid', code: 'not-found', message: `cluster ${cluster.id} has no node pool ${name}` });
