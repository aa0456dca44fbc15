import type { Duration, Instant } from '#kernel';
import { retryDelay, type FleetEvent, type StoredEvent } from '#fleet';
import type { Delivery, DeliveryResult, EventFilter, OutboxPort } from '#ports';
import type { Database, Queryable } from '../database.js';
import type { EventListener } from '../event-listener.js';
import type { EventWriter } from '../event-writer.js';
import { storableText } from '../json.js';

const EVENT_COLUMNS =
  'e.type, e.at, e.severity, e.subject, e.channel, e.cluster_id, e.message, e.data, e.dedupe_key';

/** Within one route and subject only the oldest undelivered; rows that another worker is claiming are skipped. */
const CLAIM = `
  WITH picked AS (
    SELECT c.id FROM outbox_deliveries c
     WHERE c.state = 'pending' AND c.due_at <= to_timestamp($1::float8 / 1000)
       AND (c.claimed_until IS NULL OR c.claimed_until <= to_timestamp($1::float8 / 1000))
       AND NOT EXISTS (SELECT 1 FROM outbox_deliveries o
                        WHERE o.state = 'pending' AND o.route = c.route AND o.subject = c.subject
                          AND o.event_id < c.event_id)
     ORDER BY c.due_at, c.event_id LIMIT $2 FOR UPDATE SKIP LOCKED)
  UPDATE outbox_deliveries d
     SET claimed_until = to_timestamp(($1::float8 + $3::float8) / 1000), attempt = d.attempt + 1
    FROM picked, events e
   WHERE d.id = picked.id AND e.id = d.event_id
  RETURNING d.id AS delivery_id, d.route, d.attempt, d.due_at, d.event_id AS id, ${EVENT_COLUMNS}`;

/** What follows deliveries that are claimed, of the same subjects: nobody else is handed it as long as those are pending. */
const CLAIM_FOLLOWERS = `
  WITH picked AS (
    SELECT c.id FROM outbox_deliveries c
     WHERE c.state = 'pending' AND c.route = $4 AND c.subject = ANY ($5::text[])
       AND c.due_at <= to_timestamp($1::float8 / 1000)
       AND (c.claimed_until IS NULL OR c.claimed_until <= to_timestamp($1::float8 / 1000))
     ORDER BY c.event_id LIMIT $2 FOR UPDATE SKIP LOCKED)
  UPDATE outbox_deliveries d
     SET claimed_until = to_timestamp(($1::float8 + $3::float8) / 1000), attempt = d.attempt + 1
    FROM picked, events e
   WHERE d.id = picked.id AND e.id = d.event_id
  RETURNING d.id AS delivery_id, d.route, d.attempt, d.due_at, d.event_id AS id, ${EVENT_COLUMNS}`;

const FINISH = `
  UPDATE outbox_deliveries SET state = $2, settled_at = to_timestamp($3::float8 / 1000), claimed_until = NULL,
         status = $4, reason = $5
   WHERE id = $1 AND state = 'pending'`;

const RETRY = `
  UPDATE outbox_deliveries SET due_at = to_timestamp($2::float8 / 1000), claimed_until = NULL, reason = $3
   WHERE id = $1 AND state = 'pending'`;

const DISABLE_ROUTE = `
  INSERT INTO notification_routes (name, disabled_at, disabled_reason)
  SELECT route, to_timestamp($2::float8 / 1000), $3 FROM outbox_deliveries WHERE id = $1
  ON CONFLICT (name) DO UPDATE SET disabled_at = EXCLUDED.disabled_at, disabled_reason = EXCLUDED.disabled_reason`;

const DROP_ROUTE = `
  UPDATE outbox_deliveries SET state = 'dead', settled_at = to_timestamp($2::float8 / 1000), reason = 'route disabled'
   WHERE state = 'pending' AND route = (SELECT route FROM outbox_deliveries WHERE id = $1)`;

interface EventRow {
  readonly id: number;
  readonly type: string;
  readonly at: Date;
  readonly severity: FleetEvent['severity'];
  readonly subject: string;
  readonly channel: string | null;
  readonly cluster_id: string | null;
  readonly message: string;
  readonly data: FleetEvent['data'];
  readonly dedupe_key: string | null;
}

interface DeliveryRow extends EventRow {
  readonly delivery_id: string;
  readonly route: string;
  readonly attempt: number;
  readonly due_at: Date;
}

/** Deliveries and the log of events. */
/** Conditions after `params`, and the parameters with them. */
function whereEvents(filter: EventFilter, params: readonly unknown[]): readonly [string, unknown[]] {
  const all = [...params];
  let where = '';
  if (filter.channel !== undefined) where += ` AND e.channel = $${all.push(filter.channel)}`;
  if (filter.clusterId !== undefined) where += ` AND e.cluster_id = $${all.push(filter.clusterId)}`;
  return [where, all];
}

export class OutboxRepository implements OutboxPort {
  constructor(
    private readonly database: Database,
    private readonly listener: EventListener,
    private readonly events: EventWriter,
  ) {}

  async claim(now: Instant, limit: number, claimFor: Duration): Promise<readonly Delivery[]> {
    const rows = await this.database.rows<DeliveryRow>(CLAIM, [now, limit, claimFor]);
    return rows.map(toDelivery).sort((a, b) => a.event.id - b.event.id);
  }

  async claimFollowers(
    claimed: readonly Delivery[],
    now: Instant,
    limit: number,
    claimFor: Duration,
  ): Promise<readonly Delivery[]> {
    const [first] = claimed;
    if (first === undefined) return [];
    const subjects = [...new Set(claimed.map(({ event }) => event.subject))];
    const params = [now, limit, claimFor, first.route, subjects];
    const rows = await this.database.rows<DeliveryRow>(CLAIM_FOLLOWERS, params);
    return rows.map(toDelivery).sort((a, b) => a.event.id - b.event.id);
  }

  async settleQuiet(now: Instant): Promise<number> {
    return this.database.transaction((tx) => this.events.settleQuiet(tx, now));
  }

  async settle(id: string, result: DeliveryResult, now: Instant): Promise<void> {
    switch (result.kind) {
      case 'delivered':
        await this.database.execute(FINISH, [id, 'delivered', now, result.status, null]);
        return;
      case 'dead':
        await this.database.execute(FINISH, [id, 'dead', now, null, storableText(result.reason)]);
        return;
      case 'retry':
        return this.retry(id, result.reason, result.after, now);
      case 'disable':
        await this.database.transaction((tx) => disable(tx, id, storableText(result.reason), now));
    }
  }

  async eventsAfter(
    afterId: number,
    limit: number,
    filter: EventFilter = {},
  ): Promise<readonly StoredEvent[]> {
    const [where, params] = whereEvents(filter, [afterId, limit]);
    const sql = `SELECT e.id, ${EVENT_COLUMNS} FROM events e WHERE e.id > $1${where} ORDER BY e.id LIMIT $2`;
    return (await this.database.rows<EventRow>(sql, params)).map(toEvent);
  }

  async newestEvents(limit: number, filter: EventFilter = {}): Promise<readonly StoredEvent[]> {
    const [where, params] = whereEvents(filter, [limit]);
    const sql = `SELECT e.id, ${EVENT_COLUMNS} FROM events e WHERE true${where} ORDER BY e.id DESC LIMIT $1`;
    return (await this.database.rows<EventRow>(sql, params)).map(toEvent).reverse();
  }

  async lastEventId(): Promise<number> {
    const [row] = await this.database.rows<{ last: number }>(
      'SELECT COALESCE(max(id), 0) AS last FROM events',
    );
    return row?.last ?? 0;
  }

  onCommitted(callback: () => void): () => void {
    return this.listener.subscribe(callback);
  }

  private async retry(id: string, reason: string, after: Duration | undefined, now: Instant): Promise<void> {
    const [row] = await this.database.rows<{ attempt: number }>(
      'SELECT attempt FROM outbox_deliveries WHERE id = $1',
      [id],
    );
    const wait = retryDelay(row?.attempt ?? 1);
    const text = storableText(reason);
    if (wait === undefined) await this.database.execute(FINISH, [id, 'dead', now, null, text]);
    else await this.database.execute(RETRY, [id, now + (after ?? wait), text]);
  }
}

async function disable(tx: Queryable, id: string, reason: string, now: Instant): Promise<void> {
  await tx.execute(FINISH, [id, 'dead', now, null, reason]);
  await tx.execute(DISABLE_ROUTE, [id, now, reason]);
  await tx.execute(DROP_ROUTE, [id, now]);
}

const toDelivery = (row: DeliveryRow): Delivery => ({
  id: row.delivery_id,
  route: row.route,
  event: toEvent(row),
  attempt: row.attempt,
  dueAt: row.due_at.getTime(),
});

const toEvent = (row: EventRow): StoredEvent => ({
  id: row.id,
  type: row.type,
  at: row.at.getTime(),
  severity: row.severity,
  subject: row.subject,
  message: row.message,
  data: row.data,
  ...(row.channel !== null && { channel: row.channel }),
  ...(row.cluster_id !== null && { clusterId: row.cluster_id }),
  ...(row.dedupe_key !== null && { dedupeKey: row.dedupe_key }),
});
