import { minutes, seconds, type Duration, type Instant } from '#kernel';
import type { FleetEvent } from '#fleet';
import type { Queryable } from './database.js';

/** Trouble that was raised this often within the window flaps. */
const FLAPS = 4;
const FLAP_WINDOW = minutes(60);
/** It has to keep still for so long before it is told of again. */
const QUIET = minutes(30);

/** So many messages in a window go to people one by one; what comes on top waits for the end of the window. */
const BURST = 10;
const BURST_WINDOW = seconds(60);

/** $1 scope, $2 key, $3 event, $4 now (ms), $5 window (ms), $6 times, $7 quiet (ms) */
const COUNT_RAISE = `
  INSERT INTO notification_flaps AS f (scope, dedupe_key, begun_at, times, last_event_id)
  VALUES ($1, $2, to_timestamp($4::float8 / 1000), 1, $3)
  ON CONFLICT (scope, dedupe_key) DO UPDATE
     SET times = CASE WHEN f.quiet_until IS NULL AND f.begun_at < EXCLUDED.begun_at - $5 * interval '1 millisecond' THEN 1
                      ELSE f.times + 1 END,
         begun_at = CASE WHEN f.quiet_until IS NULL AND f.begun_at < EXCLUDED.begun_at - $5 * interval '1 millisecond'
                         THEN EXCLUDED.begun_at ELSE f.begun_at END,
         last_event_id = EXCLUDED.last_event_id,
         quiet_until = CASE WHEN f.quiet_until IS NOT NULL
                              OR (f.begun_at >= EXCLUDED.begun_at - $5 * interval '1 millisecond' AND f.times + 1 >= $6)
                            THEN EXCLUDED.begun_at + $7 * interval '1 millisecond' END
  RETURNING times, quiet_until IS NOT NULL AS quiet`;

const COUNT_RESOLUTION = `
  UPDATE notification_flaps
     SET last_event_id = $3, quiet_until = to_timestamp($4::float8 / 1000) + $5 * interval '1 millisecond'
   WHERE scope = $1 AND dedupe_key = $2 AND quiet_until IS NOT NULL`;

/** A window that is over, or one of a clock that was ahead, begins anew. */
const COUNT_TOLD = `
  INSERT INTO notification_bursts AS b (route, begun_at, told) VALUES ($1, to_timestamp($2::float8 / 1000), 1)
  ON CONFLICT (route) DO UPDATE
     SET told = CASE WHEN b.begun_at <= EXCLUDED.begun_at - $3 * interval '1 millisecond'
                       OR b.begun_at > EXCLUDED.begun_at + $3 * interval '1 millisecond' THEN 1 ELSE b.told + 1 END,
         begun_at = CASE WHEN b.begun_at <= EXCLUDED.begun_at - $3 * interval '1 millisecond'
                           OR b.begun_at > EXCLUDED.begun_at + $3 * interval '1 millisecond'
                         THEN EXCLUDED.begun_at ELSE b.begun_at END
  RETURNING told, begun_at`;

export type Flapping = 'still' | 'begins' | 'flaps';

/** Trouble is raised anew, after it was resolved. */
export async function countRaise(tx: Queryable, event: FleetEvent, eventId: number): Promise<Flapping> {
  const key = [event.subject, event.dedupeKey, eventId, event.at, FLAP_WINDOW, FLAPS, QUIET];
  const [row] = await tx.rows<{ times: number; quiet: boolean }>(COUNT_RAISE, key);
  if (row?.quiet !== true) return 'still';
  return row.times === FLAPS ? 'begins' : 'flaps';
}

/** True while it flaps: then nobody is told that it is over, for it may not be. */
export async function countResolution(tx: Queryable, event: FleetEvent, eventId: number): Promise<boolean> {
  const key = [event.subject, event.dedupeKey, eventId, event.at, QUIET];
  return (await tx.execute(COUNT_RESOLUTION, key)) > 0;
}

/** Said once, when it begins. */
export const flappingNotice = (event: FleetEvent): FleetEvent => ({
  type: 'notification.flapping',
  at: event.at,
  severity: 'warning',
  subject: event.subject,
  ...(event.channel !== undefined && { channel: event.channel }),
  ...(event.clusterId !== undefined && { clusterId: event.clusterId }),
  message: `came and went ${FLAPS} times within ${FLAP_WINDOW / minutes(1)} minutes; nothing more is told of it until it keeps still for ${QUIET / minutes(1)}: ${event.message}`,
  data: { of: event.type, dedupeKey: event.dedupeKey },
});

/** When people may be told: at once, or at the end of the window where they were told much already. */
export async function dueAfterBurst(tx: Queryable, route: string, at: Instant): Promise<Instant> {
  const [row] = await tx.rows<{ told: number; begun_at: Date }>(COUNT_TOLD, [route, at, BURST_WINDOW]);
  return row === undefined || row.told <= BURST ? at : row.begun_at.getTime() + BURST_WINDOW;
}

interface StillRow {
  readonly last_event_id: number;
  readonly subject: string;
  readonly at: Date;
  readonly route: string;
}

/** Trouble that has kept still: its last word, for the routes that heard of it before. */
const SETTLE = `
  WITH still AS (DELETE FROM notification_flaps WHERE quiet_until <= to_timestamp($1::float8 / 1000)
                 RETURNING scope, dedupe_key, last_event_id)
  SELECT DISTINCT s.last_event_id, s.scope AS subject, l.at, d.route
    FROM still s
    JOIN events l ON l.id = s.last_event_id
    JOIN events e ON e.subject = s.scope AND e.dedupe_key = s.dedupe_key
                 AND e.at > l.at - interval '7 days'
    JOIN outbox_deliveries d ON d.event_id = e.id`;
const FORGET_OLD = `
  DELETE FROM notification_flaps WHERE quiet_until IS NULL AND begun_at < to_timestamp(($1::float8 - $2) / 1000)`;

export interface LastWord {
  readonly eventId: number;
  readonly subject: string;
  readonly route: string;
}

export async function lastWords(tx: Queryable, now: Instant): Promise<readonly LastWord[]> {
  await tx.execute(FORGET_OLD, [now, FLAP_WINDOW satisfies Duration]);
  const rows = await tx.rows<StillRow>(SETTLE, [now]);
  return rows.map((row) => ({ eventId: row.last_event_id, subject: row.subject, route: row.route }));
}
