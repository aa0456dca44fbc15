import { fail, type Clock, type Instant } from '#kernel';
import { UPDATE_BLOCK_ITEM, type Cluster } from '#fleet';
import type { Change, ClusterFilter, ClusterPatch, NewCluster } from '#ports';
import { appendAudit } from '../audit-writer.js';
import type { Database, Transaction } from '../database.js';
import { DUE_PRIORITY, markDue, type DuePriority } from '../due.js';
import { ClusterEntity, NodePoolEntity } from '../entities/registry.schema.js';
import type { EventWriter } from '../event-writer.js';
import { changedFields, pick, requireVersion } from '../record-changes.js';
import { lockCluster, selectCluster, selectClusters } from './cluster-rows.js';
import { sharedServerEvents } from './shared-server.js';

/** What a change did: nothing (then nothing is recorded), or the fields it touched. Values may be secrets: names only. */
export interface Mutation {
  readonly fields: readonly string[];
  readonly message: string;
  readonly priority?: DuePriority;
}

/** Clusters and their config items. Part of the registry; see `RegistryPort` for what every method promises. */
export class ClusterRepository {
  constructor(
    private readonly database: Database,
    private readonly events: EventWriter,
    private readonly clock: Clock,
  ) {}

  list(filter: ClusterFilter): Promise<readonly Cluster[]> {
    return selectClusters(this.database, filter);
  }

  get(id: string): Promise<Cluster | undefined> {
    return selectCluster(this.database, id);
  }

  async create(cluster: NewCluster, change: Change): Promise<Cluster> {
    return this.database.transaction(async (tx) => {
      const now = this.clock.now();
      const { nodePools, ...record } = cluster;
      await tx.manager.insert(ClusterEntity, { ...record, recordVersion: 1, createdAt: now });
      for (const pool of nodePools) {
        await tx.manager.insert(NodePoolEntity, { ...pool, clusterId: cluster.id });
      }
      const created: Cluster = { ...record, nodePools, recordVersion: 1, createdAt: now };
      await tx.execute(
        `INSERT INTO cluster_runtimes (cluster_id, next_due_at, due_priority, doorbell)
         VALUES ($1, to_timestamp($2::float8 / 1000), $3, 1)`,
        [cluster.id, now, DUE_PRIORITY.new],
      );
      const mutation = { fields: Object.keys(cluster), message: `cluster ${cluster.id} was registered` };
      await this.record(tx, created, 'cluster.created', mutation, change, now);
      if (cluster.lifecycleStatus !== 'decommissioned')
        await this.events.append(tx, await sharedServerEvents(tx, created, now));
      return created;
    });
  }

  async update(id: string, patch: ClusterPatch, change: Change): Promise<Cluster> {
    return this.change(id, change, 'cluster.updated', async (tx, current) => {
      const fields = changedFields(current, patch);
      const moved = fields.filter((field) => WHEREABOUTS[field] !== undefined);
      if (moved.length > 0 && (await isBuilt(tx, current))) clusterStays(current, moved);
      if (fields.length > 0) await tx.manager.update(ClusterEntity, { id }, pick(patch, fields));
      if (claimsServer(current, patch, fields))
        await this.events.append(
          tx,
          await sharedServerEvents(tx, { ...current, ...patch }, this.clock.now()),
        );
      const message = `cluster ${id} was changed: ${fields.join(', ')}`;
      return { fields, message, ...urgency(current, patch) };
    });
  }

  async remove(id: string, change: Change): Promise<void> {
    await this.database.transaction(async (tx) => {
      const now = this.clock.now();
      // First the lease, as in every leased transaction: a pass that still runs loses it and stops.
      await tx.execute('DELETE FROM leases WHERE name = $1', [`cluster/${id}`]);
      const current = await this.locked(tx, id, change);
      if (await isBuilt(tx, current)) clusterNotEmpty(current);
      await tx.execute('DELETE FROM clusters WHERE id = $1', [id]);
      await tx.execute(
        `UPDATE problems SET resolved_at = to_timestamp($2::float8 / 1000)
          WHERE subject = $1 AND resolved_at IS NULL`,
        [`cluster/${id}`, now],
      );
      const mutation = { fields: [], message: `the record of cluster ${id} was removed` };
      await this.record(tx, current, 'cluster.deleted', mutation, change, now);
    });
  }

  async setConfigItem(id: string, key: string, value: string, change: Change): Promise<void> {
    await this.change(id, change, 'cluster.config-item-set', async (tx, current) => {
      const fields = current.configItems[key] === value ? [] : [`configItems.${key}`];
      if (fields.length > 0) await this.writeConfigItems(tx, id, { ...current.configItems, [key]: value });
      return { fields, message: `config item ${key} of cluster ${id} was set` };
    });
  }

  async deleteConfigItem(id: string, key: string, change: Change): Promise<void> {
    await this.change(id, change, 'cluster.config-item-deleted', async (tx, current) => {
      const { [key]: removed, ...rest } = current.configItems;
      if (removed === undefined) configItemNotFound(`cluster ${id}`, key);
      await this.writeConfigItems(tx, id, rest);
      const message = `config item ${key} of cluster ${id} was deleted`;
      return { fields: [`configItems.${key}`], message, ...urgency(current, { configItems: rest }) };
    });
  }

  /** Locks the record, lets `mutate` write, and records version, audit row, due time and event in one transaction. */
  async change(
    id: string,
    change: Change,
    type: string,
    mutate: (tx: Transaction, current: Cluster) => Promise<Mutation>,
  ): Promise<Cluster> {
    return this.database.transaction(async (tx) => {
      const current = await this.locked(tx, id, change);
      const mutation = await mutate(tx, current);
      if (mutation.fields.length === 0) return current;
      await tx.execute('UPDATE clusters SET record_version = record_version + 1 WHERE id = $1', [id]);
      const next = (await selectCluster(tx, id)) ?? clusterNotFound(id);
      const now = this.clock.now();
      await markDue(tx, [id], now, mutation.priority);
      await this.record(tx, next, type, mutation, change, now);
      return next;
    });
  }

  private async locked(tx: Transaction, id: string, change: Change): Promise<Cluster> {
    const current = (await lockCluster(tx, id)) ?? clusterNotFound(id);
    requireVersion(`cluster ${id}`, current.recordVersion, change);
    return current;
  }

  private async writeConfigItems(
    tx: Transaction,
    id: string,
    configItems: Cluster['configItems'],
  ): Promise<void> {
    await tx.manager.update(ClusterEntity, { id }, { configItems });
  }

  private async record(
    tx: Transaction,
    cluster: Cluster,
    type: string,
    mutation: Mutation,
    change: Change,
    at: Instant,
  ): Promise<void> {
    const subject = `cluster/${cluster.id}`;
    const data = { fields: mutation.fields, version: cluster.recordVersion };
    const reason = change.reason === undefined ? {} : { reason: change.reason };
    await appendAudit(tx, { at, actor: change.actor, action: type, subject, ...reason, data });
    await this.events.append(tx, [
      {
        type,
        at,
        severity: 'info',
        subject,
        channel: cluster.channel,
        clusterId: cluster.id,
        message: `${mutation.message} by ${change.actor}`,
        data,
      },
    ]);
  }
}

/** Fields by which what was made for a cluster is found again, as the registry's contract calls them. */
const WHEREABOUTS: Readonly<Record<string, string>> = {
  infrastructureAccount: 'infrastructure_account',
  region: 'region',
  localId: 'local_id',
  provider: 'provider',
};

/** Whether something may stand outside for it. */
async function isBuilt(tx: Transaction, cluster: Cluster): Promise<boolean> {
  if (cluster.lifecycleStatus === 'decommissioned') return false;
  return (await tx.rows('SELECT 1 FROM intents WHERE cluster_id = $1 LIMIT 1', [cluster.id])).length > 0;
}

/** Another address, or a record that comes back to life. */
function claimsServer(current: Cluster, patch: ClusterPatch, fields: readonly string[]): boolean {
  if ((patch.lifecycleStatus ?? current.lifecycleStatus) === 'decommissioned') return false;
  return fields.includes('apiServerUrl') || current.lifecycleStatus === 'decommissioned';
}

/** A decommission and a cluster that was let go again are what people wait for. */
function urgency(current: Cluster, patch: ClusterPatch): { readonly priority?: DuePriority } {
  if (patch.lifecycleStatus === 'decommission-requested') return { priority: DUE_PRIORITY.decommission };
  const items = patch.configItems;
  const resumed = items && current.configItems[UPDATE_BLOCK_ITEM] !== undefined && !items[UPDATE_BLOCK_ITEM];
  return resumed ? { priority: DUE_PRIORITY.resumed } : {};
}

const clusterNotFound = (id: string): never =>
  fail({ class: 'invalid', code: 'not-found', message: `cluster ${id} does not exist` });

export const configItemNotFound = (owner: string, key: string): never =>
  fail({ class: 'invalid', code: 'not-found', message: `${owner} has no config item ${key}` });

const clusterStays = (cluster: Cluster, fields: readonly string[]): never =>
  fail({
    class: 'invalid',
    code: 'cluster-not-empty',
    message: `${fields.map((field) => WHEREABOUTS[field]).join(', ')} of cluster ${cluster.id} cannot change: a second one would be made there, and what stands would be forgotten`,
    hint: 'Register the new place as a cluster of its own, and decommission this one when it is no longer needed.',
  });

const clusterNotEmpty = (cluster: Cluster): never =>
  fail({
    class: 'invalid',
    code: 'cluster-not-empty',
    message: `cluster ${cluster.id} is ${cluster.lifecycleStatus}: Fairway made things outside for it`,
    hint: 'Set lifecycle_status to decommission-requested, and delete the record when it is decommissioned.',
  });
