import type { Instant } from '#kernel';
import type { ClusterOverride, FleetEvent } from '#fleet';
import type { ConfigStorePort, Lease } from '#ports';
import { IsNull, MoreThan } from 'typeorm';
import { appendAudit } from '../audit-writer.js';
import type { Database, Transaction } from '../database.js';
import { markDue } from '../due.js';
import { complete } from '../entities/columns.js';
import { OverrideEntity, type OverrideRow } from '../entities/configs.schema.js';
import type { EventWriter } from '../event-writer.js';
import { domainRow } from '../json.js';
import { fence } from './lease.repository.js';

const END = `
  UPDATE config_overrides SET ended_at = to_timestamp($2::float8 / 1000), ended_by = $3
   WHERE id = ANY ($1::text[]) AND ended_at IS NULL`;

type OverrideStore = Pick<ConfigStorePort, 'overrides' | 'setOverride' | 'removeOverride' | 'endOverrides'>;

/** Overrides of config items. Values may be secrets: neither events nor the audit log repeat them. */
export function createOverrideStore(database: Database, events: EventWriter): OverrideStore {
  return {
    overrides: async (clusterId, now) => {
      const where = { clusterId, endedAt: IsNull(), expiresAt: MoreThan(now) };
      const order = { key: 'ASC' } as const;
      return (await database.read((manager) => manager.find(OverrideEntity, { where, order }))).map(
        toOverride,
      );
    },
    setOverride: (override) => set(database, events, override),
    removeOverride: (clusterId, key, actor, now) => remove(database, events, { clusterId, key, actor, now }),
    endOverrides: (lease, ids, now, news) => end(database, events, lease, ids, now, news),
  };
}

const toOverride = (row: OverrideRow): ClusterOverride => domainRow(row, 'endedAt', 'endedBy');

async function set(database: Database, events: EventWriter, override: ClusterOverride): Promise<void> {
  const { clusterId, key, createdAt: at, createdBy: actor, expiresAt, reason } = override;
  await database.transaction(async (tx) => {
    const before = await current(tx, clusterId, key);
    if (before) await tx.execute(END, [[before.id], at, actor]);
    await tx.manager.insert(OverrideEntity, complete(OverrideEntity, override));
    const message = `${key} is overridden by ${actor} until ${new Date(expiresAt).toISOString()}: ${reason}`;
    await record(tx, events, 'override.set', { ...override, at, actor, message });
  });
}

interface Removal {
  readonly clusterId: string;
  readonly key: string;
  readonly actor: string;
  readonly now: Instant;
}

async function remove(database: Database, events: EventWriter, removal: Removal): Promise<boolean> {
  const { clusterId, key, actor, now } = removal;
  return database.transaction(async (tx) => {
    const before = await current(tx, clusterId, key);
    if (!before) return false;
    await tx.execute(END, [[before.id], now, actor]);
    const message = `the override of ${key} was removed by ${actor}`;
    await record(tx, events, 'override.removed', { ...toOverride(before), at: now, actor, message });
    return true;
  });
}

const current = (tx: Transaction, clusterId: string, key: string): Promise<OverrideRow | null> =>
  tx.manager.findOne(OverrideEntity, {
    where: { clusterId, key, endedAt: IsNull() },
    lock: { mode: 'pessimistic_write' },
  });

async function record(
  tx: Transaction,
  events: EventWriter,
  type: string,
  change: ClusterOverride & { readonly at: Instant; readonly actor: string; readonly message: string },
): Promise<void> {
  const { clusterId, key, reason, expiresAt, at, actor, message } = change;
  const subject = `cluster/${clusterId}`;
  const data = { key, reason, expiresAt };
  await markDue(tx, [clusterId], at);
  await appendAudit(tx, { at, actor, action: type, subject, reason, data });
  const [cluster] = await tx.rows<{ channel: string }>('SELECT channel FROM clusters WHERE id = $1', [
    clusterId,
  ]);
  const where = { subject, clusterId, ...(cluster && { channel: cluster.channel }) };
  await events.append(tx, [{ type, at, severity: 'warning', message, data, ...where }]);
}

async function end(
  database: Database,
  events: EventWriter,
  lease: Lease,
  ids: readonly string[],
  now: Instant,
  news: readonly FleetEvent[],
): Promise<void> {
  await database.transaction(async (tx) => {
    await fence(tx, lease);
    await tx.execute(END, [ids, now, 'its expiry']);
    await events.append(tx, news);
  });
}
