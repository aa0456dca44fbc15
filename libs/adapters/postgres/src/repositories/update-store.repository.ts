import type { Instant } from '#kernel';
import { refKey, type FleetEvent, type LockedInputs, type Update } from '#fleet';
import type { ClusterRuntime, InventoryEntry, Lease, UpdateStorePort } from '#ports';
import type { Database } from '../database.js';
import { markDue } from '../due.js';
import { complete } from '../entities/columns.js';
import { UpdateEntity } from '../entities/updates.schema.js';
import type { EventWriter } from '../event-writer.js';
import { toJsonb, withoutNulls } from '../json.js';
import { channelStandings } from './cluster-standings.js';
import { IntentRepository } from './intent.repository.js';
import { fence } from './lease.repository.js';
import { createManifestStore } from './manifest-store.repository.js';
import { commitPass } from './pass-commit.js';
import { createRollStore } from './roll-store.repository.js';

const DUE = `
  SELECT cluster_id FROM cluster_runtimes WHERE next_due_at <= to_timestamp($1::float8 / 1000)
   ORDER BY due_priority, next_due_at, cluster_id LIMIT $2`;

const RUNTIMES = `
  SELECT cluster_id, status, admitted_revision_id, next_due_at, doorbell, memory, inputs
    FROM cluster_runtimes WHERE cluster_id = ANY ($1::text[])`;

const SUPERSEDE = `
  UPDATE updates SET state = 'superseded', finished_at = to_timestamp($2::float8 / 1000)
   WHERE id = $1 AND state = 'running'`;

const DELETE_INVENTORY = 'DELETE FROM inventory WHERE cluster_id = $1 AND ref_key <> ALL ($2::text[])';
const UPSERT_INVENTORY = `
  INSERT INTO inventory (cluster_id, ref_key, ref, uid, component, confirmed)
  SELECT $1, e.v->>'key', e.v->'ref', e.v->>'uid', e.v->>'component', e.v->>'confirmed'
    FROM jsonb_array_elements($2::jsonb) AS e (v)
  ON CONFLICT (cluster_id, ref_key)
  DO UPDATE SET ref = EXCLUDED.ref, uid = EXCLUDED.uid, component = EXCLUDED.component,
                confirmed = EXCLUDED.confirmed
   WHERE (inventory.ref, inventory.uid, inventory.component, inventory.confirmed)
         IS DISTINCT FROM (EXCLUDED.ref, EXCLUDED.uid, EXCLUDED.component, EXCLUDED.confirmed)`;

interface RuntimeRow {
  readonly cluster_id: string;
  readonly status: ClusterRuntime['status'] | null;
  readonly admitted_revision_id: string | null;
  readonly next_due_at: Date | null;
  readonly doorbell: number;
  readonly memory: ClusterRuntime['memory'];
  readonly inputs: LockedInputs | null;
}

/** Updates, intents and runtime of clusters: everything between two passes. */
export function createUpdateStore(database: Database, events: EventWriter): UpdateStorePort {
  const intents = new IntentRepository(database);
  const runtimes = async (ids: readonly string[]): Promise<readonly ClusterRuntime[]> =>
    (await database.rows<RuntimeRow>(RUNTIMES, [ids])).map(toRuntime);
  return {
    ...createManifestStore(database),
    ...createRollStore(database),
    due: async (now, limit) =>
      (await database.rows<{ cluster_id: string }>(DUE, [now, limit])).map((row) => row.cluster_id),
    markDue: (ids, now) => markDue(database, ids, now),
    runtime: async (id) => (await runtimes([id]))[0],
    runtimes,
    channelStandings: (channel) => channelStandings(database, channel),
    startUpdate: (lease, update, supersedes, news) =>
      startUpdate(database, events, lease, update, supersedes, news),
    openUpdate: (clusterId) => findUpdate(database, { clusterId, state: 'running' }),
    getUpdate: (id) => findUpdate(database, { id }),
    listUpdates: async (clusterId, take) => {
      const order = { startedAt: 'DESC', id: 'DESC' } as const;
      const rows = await database.read((m) => m.find(UpdateEntity, { where: { clusterId }, order, take }));
      return rows.map(withoutNulls) as readonly Update[];
    },
    recordIntents: (lease, list, memory) => intents.record(lease, list, memory),
    settleIntents: (lease, ids, result, now) => intents.settle(lease, ids, result, now),
    unsettledIntents: (clusterId) => intents.unsettled(clusterId),
    listIntents: (updateId) => intents.list(updateId),
    commitPass: (lease, commit) => commitPass(database, events, lease, commit),
    inventory: (clusterId) => readInventory(database, clusterId),
    recordInventory: (lease, clusterId, entries) => recordInventory(database, lease, clusterId, entries),
  };
}

async function startUpdate(
  database: Database,
  events: EventWriter,
  lease: Lease,
  update: Update,
  supersedes: string | undefined,
  news: readonly FleetEvent[],
): Promise<void> {
  await database.transaction(async (tx) => {
    await fence(tx, lease);
    if (supersedes !== undefined) await tx.execute(SUPERSEDE, [supersedes, update.startedAt as Instant]);
    await tx.manager.insert(UpdateEntity, complete(UpdateEntity, update));
    await events.append(tx, news);
  });
}

async function findUpdate(
  database: Database,
  where: { readonly id: string } | { readonly clusterId: string; readonly state: 'running' },
): Promise<Update | undefined> {
  const row = await database.read((manager) => manager.findOneBy(UpdateEntity, where));
  return row ? (withoutNulls(row) as Update) : undefined;
}

async function readInventory(database: Database, clusterId: string): Promise<readonly InventoryEntry[]> {
  const rows = await database.rows<{
    ref: InventoryEntry['ref'];
    uid: string | null;
    component: string;
    confirmed: string | null;
  }>('SELECT ref, uid, component, confirmed FROM inventory WHERE cluster_id = $1 ORDER BY ref_key', [
    clusterId,
  ]);
  return rows.map(({ ref, uid, component, confirmed }) => ({
    ref,
    component,
    ...(uid !== null && { uid }),
    ...(confirmed !== null && { confirmed }),
  }));
}

/** The list becomes exactly this one; rows that are equal are not written. */
async function recordInventory(
  database: Database,
  lease: Lease,
  clusterId: string,
  entries: readonly InventoryEntry[],
): Promise<void> {
  const byKey = new Map(entries.map((entry) => [refKey(entry.ref), entry]));
  const rows = [...byKey].map(([key, entry]) => ({ key, ...entry }));
  await database.transaction(async (tx) => {
    await fence(tx, lease);
    await tx.execute(DELETE_INVENTORY, [clusterId, [...byKey.keys()]]);
    await tx.execute(UPSERT_INVENTORY, [clusterId, toJsonb(rows)]);
  });
}

const toRuntime = (row: RuntimeRow): ClusterRuntime => ({
  clusterId: row.cluster_id,
  ...(row.status !== null && { status: row.status as NonNullable<ClusterRuntime['status']> }),
  ...(row.admitted_revision_id !== null && { admittedRevisionId: row.admitted_revision_id }),
  ...(row.next_due_at !== null && { nextDueAt: row.next_due_at.getTime() }),
  doorbell: row.doorbell,
  memory: row.memory,
  ...(row.inputs !== null && { inputs: row.inputs }),
});
