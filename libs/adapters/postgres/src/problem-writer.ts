import { digestOfValue, type Instant } from '#kernel';
import type { Problem } from '#fleet';
import type { Queryable } from './database.js';
import { toJsonb } from './json.js';

const UPSERT = `
  INSERT INTO problems (subject, fingerprint, type, title, status, detail, instance, hint, severity, first_seen, last_seen)
  SELECT $1, p.v->>'fingerprint', p.v->>'type', p.v->>'title', (p.v->>'status')::integer, p.v->>'detail',
         p.v->>'instance', p.v->>'hint', p.v->>'severity', to_timestamp((p.v->>'firstSeen')::float8 / 1000),
         to_timestamp((p.v->>'lastSeen')::float8 / 1000)
    FROM jsonb_array_elements($2::jsonb) AS p (v)
  ON CONFLICT (subject, fingerprint) WHERE resolved_at IS NULL
  DO UPDATE SET last_seen = EXCLUDED.last_seen, hint = EXCLUDED.hint, severity = EXCLUDED.severity`;

const RESOLVE = `
  UPDATE problems SET resolved_at = to_timestamp($3::float8 / 1000)
   WHERE subject = $1 AND resolved_at IS NULL AND fingerprint <> ALL ($2::text[])`;

/** Makes the open problems of a subject those of `problems`: new ones are opened, missing ones resolved. */
export async function syncProblems(
  tx: Queryable,
  subject: string,
  problems: readonly Problem[],
  now: Instant,
): Promise<void> {
  const open = new Map(problems.map((problem) => [fingerprint(problem), problem]));
  await tx.execute(RESOLVE, [subject, [...open.keys()], now]);
  if (open.size === 0) return;
  const rows = [...open].map(([key, problem]) => ({
    ...problem,
    fingerprint: key,
    firstSeen: problem.firstSeen ?? now,
    lastSeen: problem.lastSeen ?? now,
  }));
  await tx.execute(UPSERT, [subject, toJsonb(rows)]);
}

/** Times, hint and severity do not make it another problem. */
const fingerprint = ({ type, instance, detail }: Problem): string =>
  digestOfValue({ type, instance, detail });
