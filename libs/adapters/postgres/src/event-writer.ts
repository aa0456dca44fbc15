import type { Instant } from '#kernel';
import type { FleetEvent, Severity } from '#fleet';
import type { Queryable } from './database.js';
import { storableText, toJsonb } from './json.js';
import {
  countRaise,
  countResolution,
  dueAfterBurst,
  flappingNotice,
  lastWords,
} from './notification-damper.js';

/** Which events go to a receiver. Absent members do not filter. */
export interface RouteFilter {
  /** Name of the configured route, e.g. `slack`. */
  readonly route: string;
  readonly minSeverity?: Severity;
  /** Types of events; a trailing `*` matches any rest: `promotion.*`. */
  readonly types?: readonly string[];
  /** People read it: more than a few messages a minute are held back and go as one. */
  readonly digest?: boolean;
  /** Events without a channel pass only where this is absent. */
  readonly channels?: readonly string[];
}

const SEVERITIES: readonly Severity[] = ['info', 'warning', 'error', 'critical'];

export function routeMatches(filter: RouteFilter, event: FleetEvent): boolean {
  const { minSeverity, types, channels } = filter;
  if (minSeverity && SEVERITIES.indexOf(event.severity) < SEVERITIES.indexOf(minSeverity)) return false;
  if (channels && (event.channel === undefined || !channels.includes(event.channel))) return false;
  return !types || types.some((type) => typeMatches(type, event.type));
}

const typeMatches = (pattern: string, type: string): boolean =>
  pattern.endsWith('*') ? type.startsWith(pattern.slice(0, -1)) : pattern === type;

/** Events that end a trouble: they go where its beginning went, and let the next beginning be notified again. */
const isResolution = (event: FleetEvent): boolean => /\.(resolved|cleared)$/.test(event.type);

const INSERT_EVENTS = `
  INSERT INTO events (type, at, severity, subject, channel, cluster_id, message, data, dedupe_key)
  SELECT e.v->>'type', to_timestamp((e.v->>'at')::float8 / 1000), e.v->>'severity', e.v->>'subject', e.v->>'channel',
         e.v->>'clusterId', e.v->>'message', COALESCE(e.v->'data', '{}'), e.v->>'dedupeKey'
    FROM jsonb_array_elements($1::jsonb) WITH ORDINALITY AS e (v, n)
   ORDER BY e.n
  RETURNING id`;

const REMEMBER_KEY = `
  INSERT INTO notified_keys (scope, dedupe_key, event_id, at)
  VALUES ($1, $2, $3, to_timestamp($4::float8 / 1000)) ON CONFLICT DO NOTHING`;

const FORGET_KEY = `
  WITH gone AS (DELETE FROM notified_keys WHERE scope = $1 AND dedupe_key = $2 RETURNING event_id)
  SELECT d.route FROM gone JOIN outbox_deliveries d ON d.event_id = gone.event_id`;

const INSERT_DELIVERIES = `
  INSERT INTO outbox_deliveries (id, route, event_id, subject, due_at)
  SELECT d.event_id || '.' || d.route, d.route, d.event_id, d.subject, to_timestamp(d.at / 1000)
    FROM unnest($1::text[], $2::bigint[], $3::text[], $4::float8[]) AS d (route, event_id, subject, at)
   WHERE NOT EXISTS (SELECT 1 FROM notification_routes r WHERE r.name = d.route AND r.disabled_at IS NOT NULL)
  ON CONFLICT (id) DO NOTHING`;

interface NewDelivery {
  readonly route: string;
  readonly eventId: number;
  readonly subject: string;
  readonly dueAt: Instant;
}

/** Appends events and the deliveries that follow from them. The last thing that a transaction does: see the trigger. */
export class EventWriter {
  constructor(private readonly routes: readonly RouteFilter[]) {}

  async append(tx: Queryable, events: readonly FleetEvent[]): Promise<void> {
    if (events.length === 0) return;
    const ids = await tx.rows<{ id: number }>(INSERT_EVENTS, [toJsonb(events)]);
    const deliveries: NewDelivery[] = [];
    const notices: FleetEvent[] = [];
    for (const [index, event] of events.entries()) {
      const eventId = ids[index]?.id as number;
      for (const route of await this.receivers(tx, event, eventId, notices)) {
        const dueAt = await this.dueAt(tx, route, event);
        deliveries.push({ route, eventId, subject: event.subject, dueAt });
      }
    }
    await insertDeliveries(tx, deliveries);
    await this.append(tx, notices);
  }

  /** Trouble that flapped and keeps still now is told of once more, as it stands. Returns how many messages follow. */
  async settleQuiet(tx: Queryable, now: Instant): Promise<number> {
    const words = await lastWords(tx, now);
    await insertDeliveries(
      tx,
      words.map((word) => ({ ...word, dueAt: now })),
    );
    return words.length;
  }

  /** What is critical never waits. */
  private async dueAt(tx: Queryable, route: string, event: FleetEvent): Promise<Instant> {
    const people = this.routes.some((filter) => filter.route === route && filter.digest === true);
    return people && event.severity !== 'critical' ? dueAfterBurst(tx, route, event.at) : event.at;
  }

  private async receivers(
    tx: Queryable,
    event: FleetEvent,
    eventId: number,
    notices: FleetEvent[],
  ): Promise<readonly string[]> {
    if (event.dedupeKey !== undefined && isResolution(event)) {
      const told = await tx.rows<{ route: string }>(FORGET_KEY, [event.subject, event.dedupeKey]);
      return (await countResolution(tx, event, eventId)) ? [] : told.map(({ route }) => route);
    }
    const routes = this.routes.filter((filter) => routeMatches(filter, event)).map(({ route }) => route);
    if (event.dedupeKey === undefined || routes.length === 0) return routes;
    const key = [event.subject, event.dedupeKey, eventId, event.at];
    if ((await tx.execute(REMEMBER_KEY, key)) !== 1) return [];
    const flapping = await countRaise(tx, event, eventId);
    if (flapping === 'begins') notices.push(flappingNotice(event));
    return flapping === 'still' ? routes : [];
  }
}

async function insertDeliveries(tx: Queryable, deliveries: readonly NewDelivery[]): Promise<void> {
  if (deliveries.length === 0) return;
  await tx.execute(INSERT_DELIVERIES, [
    deliveries.map(({ route }) => route),
    deliveries.map(({ eventId }) => eventId),
    deliveries.map(({ subject }) => storableText(subject)),
    deliveries.map(({ dueAt }) => dueAt),
  ]);
}
