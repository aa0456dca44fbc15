import { fail, type Instant } from '#kernel';
import type { FleetEvent } from '#fleet';
import type { DeliveryLogPort, NotificationThreads, RecordedDelivery, RouteState } from '#ports';
import type { Database } from '../database.js';
import type { EventWriter } from '../event-writer.js';
import { toJsonb } from '../json.js';

const LIST = `
  SELECT d.id, d.route, d.event_id, d.state, d.attempt, d.due_at, d.settled_at, d.status, d.reason, e.type, e.message,
         e.subject
    FROM outbox_deliveries d JOIN events e ON e.id = d.event_id
   WHERE ($1::text IS NULL OR d.state = $1) AND ($2::text IS NULL OR d.route = $2)
   ORDER BY d.event_id DESC, d.route LIMIT $3`;

/** A replayed delivery starts its schedule anew. Receivers see the same id again. */
const REPLAY_ONE = `
  UPDATE outbox_deliveries SET state = 'pending', attempt = 0, due_at = to_timestamp($2::float8 / 1000), settled_at = NULL,
         claimed_until = NULL, status = NULL, reason = 'replayed'
   WHERE id = $1 AND state <> 'pending'`;
const REPLAY_DEAD = `
  UPDATE outbox_deliveries SET state = 'pending', attempt = 0, due_at = to_timestamp($2::float8 / 1000), settled_at = NULL,
         claimed_until = NULL, status = NULL, reason = 'replayed'
   WHERE route = $1 AND state = 'dead'`;
const ENABLE = `UPDATE notification_routes SET disabled_at = NULL, disabled_reason = NULL WHERE name = $1`;

const ROUTES = `
  SELECT name, max(disabled_at) AS disabled_at, max(disabled_reason) AS disabled_reason,
         COALESCE(sum(pending), 0)::int AS pending, COALESCE(sum(dead), 0)::int AS dead
    FROM (SELECT name, disabled_at, disabled_reason, 0 AS pending, 0 AS dead FROM notification_routes
          UNION ALL
          SELECT route, NULL, NULL, count(*) FILTER (WHERE state = 'pending'), count(*) FILTER (WHERE state = 'dead')
            FROM outbox_deliveries WHERE state <> 'delivered' GROUP BY route) AS r
   GROUP BY name ORDER BY name`;

interface LogRow {
  readonly id: string;
  readonly route: string;
  readonly event_id: number;
  readonly state: RecordedDelivery['state'];
  readonly attempt: number;
  readonly due_at: Date;
  readonly settled_at: Date | null;
  readonly status: number | null;
  readonly reason: string | null;
  readonly type: string;
  readonly message: string;
  readonly subject: string;
}

interface RouteRow {
  readonly name: string;
  readonly disabled_at: Date | null;
  readonly disabled_reason: string | null;
  readonly pending: number;
  readonly dead: number;
}

/** What was sent to whom, what never arrived, and sending it again. */
export class DeliveryLogRepository implements DeliveryLogPort, NotificationThreads {
  constructor(
    private readonly database: Database,
    private readonly events: EventWriter,
  ) {}

  async deliveries(
    filter: { readonly state?: RecordedDelivery['state']; readonly route?: string },
    limit: number,
  ): Promise<readonly RecordedDelivery[]> {
    const params = [filter.state ?? null, filter.route ?? null, limit];
    return (await this.database.rows<LogRow>(LIST, params)).map(toRecorded);
  }

  async routes(): Promise<readonly RouteState[]> {
    return (await this.database.rows<RouteRow>(ROUTES)).map((row) => ({
      name: row.name,
      pending: row.pending,
      dead: row.dead,
      ...(row.disabled_at && { disabledAt: row.disabled_at.getTime() }),
      ...(row.disabled_reason !== null && { disabledReason: row.disabled_reason }),
    }));
  }

  async replay(what: { readonly id: string } | { readonly route: string }, now: Instant): Promise<number> {
    if ('route' in what) {
      await this.database.execute(ENABLE, [what.route]);
      return this.database.execute(REPLAY_DEAD, [what.route, now]);
    }
    const changed = await this.database.execute(REPLAY_ONE, [what.id, now]);
    if (changed > 0) return changed;
    const [row] = await this.database.rows('SELECT 1 FROM outbox_deliveries WHERE id = $1', [what.id]);
    if (row) return 0;
    return fail({ class: 'invalid', code: 'not-found', message: `delivery ${what.id} does not exist` });
  }

  async publish(event: FleetEvent): Promise<void> {
    await this.database.transaction((tx) => this.events.append(tx, [event]));
  }

  async recall(route: string, key: string): Promise<Readonly<Record<string, unknown>> | undefined> {
    const [row] = await this.database.rows<{ reference: Record<string, unknown> }>(
      'SELECT reference FROM notification_threads WHERE route = $1 AND key = $2',
      [route, key],
    );
    return row?.reference;
  }

  async remember(
    route: string,
    key: string,
    reference: Readonly<Record<string, unknown>>,
    now: Instant,
  ): Promise<void> {
    await this.database.execute(
      `INSERT INTO notification_threads (route, key, reference, updated_at)
       VALUES ($1, $2, $3, to_timestamp($4::float8 / 1000))
       ON CONFLICT (route, key) DO UPDATE SET reference = EXCLUDED.reference, updated_at = EXCLUDED.updated_at`,
      [route, key, toJsonb(reference), now],
    );
  }
}

const toRecorded = (row: LogRow): RecordedDelivery => ({
  id: row.id,
  route: row.route,
  eventId: row.event_id,
  type: row.type,
  subject: row.subject,
  message: row.message,
  state: row.state,
  attempt: row.attempt,
  dueAt: row.due_at.getTime(),
  ...(row.settled_at && { settledAt: row.settled_at.getTime() }),
  ...(row.status !== null && { status: row.status }),
  ...(row.reason !== null && { reason: row.reason }),
});
