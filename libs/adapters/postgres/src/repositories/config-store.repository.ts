import type { Instant } from '#kernel';
import type { ClusterOverride, FleetEvent } from '#fleet';
import type { ConfigStanding, ConfigStorePort, InputsLock, Lease, RefreshRequest } from '#ports';
import { IsNull } from 'typeorm';
import { appendAudit } from '../audit-writer.js';
import type { Database } from '../database.js';
import { DUE_PRIORITY, markDue } from '../due.js';
import { complete } from '../entities/columns.js';
import { EffectiveConfigEntity, InputsLockEntity, RefreshRequestEntity } from '../entities/configs.schema.js';
import type { EventWriter } from '../event-writer.js';
import { domainRow } from '../json.js';
import { fence } from './lease.repository.js';
import { createOverrideStore } from './override.repository.js';

const STANDING = `
  SELECT (SELECT jsonb_build_object('version', l.version, 'digest', l.digest) FROM input_locks l
           WHERE l.cluster_id = $1 ORDER BY l.version DESC LIMIT 1) AS lock,
         EXISTS (SELECT 1 FROM inputs_requests q WHERE q.cluster_id = $1 AND q.settled_at IS NULL) AS asked,
         (SELECT digest FROM effective_configs WHERE cluster_id = $1) AS config_digest,
         (SELECT jsonb_agg(jsonb_build_object(
                   'id', o.id, 'clusterId', o.cluster_id, 'key', o.key, 'value', o.value, 'reason', o.reason,
                   'createdBy', o.created_by, 'createdAt', (extract(epoch FROM o.created_at) * 1000)::bigint,
                   'expiresAt', (extract(epoch FROM o.expires_at) * 1000)::bigint) ORDER BY o.key COLLATE "C")
            FROM config_overrides o WHERE o.cluster_id = $1 AND o.ended_at IS NULL) AS overrides`;

const SETTLE = `
  UPDATE inputs_requests SET settled_at = to_timestamp($3::float8 / 1000), result = $2
   WHERE id = ANY ($1::text[]) AND settled_at IS NULL`;

const LAST_ACTOR = `
  SELECT actor FROM audit_log WHERE subject = $1 AND action LIKE 'cluster.%' ORDER BY id DESC LIMIT 1`;

interface StandingRow {
  readonly lock: ConfigStanding['lock'] | null;
  readonly asked: boolean;
  readonly config_digest: string | null;
  readonly overrides: readonly ClusterOverride[] | null;
}

/** Locked inputs, overrides and effective configs of clusters. */
export function createConfigStore(database: Database, events: EventWriter): ConfigStorePort {
  return {
    ...createOverrideStore(database, events),
    standing: async (clusterId) => toStanding((await database.rows<StandingRow>(STANDING, [clusterId]))[0]),
    inputsLock: async (clusterId) => (await locks(database, clusterId, 1))[0],
    inputsLocks: (clusterId, limit) => locks(database, clusterId, limit),
    recordInputsLock: (lease, lock, news) => recordLock(database, events, lease, lock, news),
    requestRefresh: (request) => requestRefresh(database, request),
    openRefreshes: async (clusterId) => {
      const where = { clusterId, settledAt: IsNull() };
      const order = { requestedAt: 'ASC', id: 'ASC' } as const;
      const rows = await database.read((manager) => manager.find(RefreshRequestEntity, { where, order }));
      return rows.map((row) => domainRow(row, 'settledAt', 'result'));
    },
    settleRefreshes: (lease, ids, result, now) => settle(database, lease, ids, result, now),
    effectiveConfig: async (clusterId) =>
      (await database.read((manager) => manager.findOneBy(EffectiveConfigEntity, { clusterId }))) ??
      undefined,
    recordEffectiveConfig: async (lease, config) => {
      await database.transaction(async (tx) => {
        await fence(tx, lease);
        await tx.manager.upsert(EffectiveConfigEntity, complete(EffectiveConfigEntity, config), [
          'clusterId',
        ]);
      });
    },
    lastRecordActor: async (clusterId) =>
      (await database.rows<{ actor: string }>(LAST_ACTOR, [`cluster/${clusterId}`]))[0]?.actor,
  };
}

const toStanding = (row: StandingRow | undefined): ConfigStanding => ({
  ...(row?.lock && { lock: row.lock }),
  refreshAsked: row?.asked ?? false,
  overrides: row?.overrides ?? [],
  ...(row?.config_digest && { configDigest: row.config_digest }),
});

async function locks(database: Database, clusterId: string, take: number): Promise<readonly InputsLock[]> {
  const order = { version: 'DESC' } as const;
  const rows = await database.read((manager) =>
    manager.find(InputsLockEntity, { where: { clusterId }, order, take }),
  );
  return rows.map((row) => domainRow(row, 'digest'));
}

async function recordLock(
  database: Database,
  events: EventWriter,
  lease: Lease,
  lock: InputsLock,
  news: readonly FleetEvent[],
): Promise<void> {
  const { clusterStackOutputs: _observed, ...locked } = lock.inputs;
  // Clear text of secrets never reaches the database, whatever the caller passed.
  const row = { ...lock, digest: lock.inputs.digest, inputs: { ...locked, decrypted: {} } };
  await database.transaction(async (tx) => {
    await fence(tx, lease);
    await tx.manager.insert(InputsLockEntity, complete(InputsLockEntity, row));
    await events.append(tx, news);
  });
}

async function requestRefresh(database: Database, request: RefreshRequest): Promise<void> {
  const { clusterId, actor, reason, requestedAt: at } = request;
  await database.transaction(async (tx) => {
    await tx.manager.insert(RefreshRequestEntity, complete(RefreshRequestEntity, request));
    await markDue(tx, [clusterId], at, DUE_PRIORITY.resumed);
    await appendAudit(tx, {
      at,
      actor,
      action: 'inputs.refresh',
      subject: `cluster/${clusterId}`,
      reason,
      data: {},
    });
  });
}

async function settle(
  database: Database,
  lease: Lease,
  ids: readonly string[],
  result: string,
  now: Instant,
): Promise<void> {
  if (ids.length === 0) return;
  await database.transaction(async (tx) => {
    await fence(tx, lease);
    await tx.execute(SETTLE, [ids, result, now]);
  });
}
