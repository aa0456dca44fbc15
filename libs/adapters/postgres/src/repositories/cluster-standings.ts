import { CANARY_ITEM, STANDING_PROBLEMS, type ClusterStanding } from '#fleet';
import type { Database } from '../database.js';

/** One row per cluster with what decisions look at, cut out by the database: neither steps nor nodes travel. */
const STANDINGS = `
  SELECT c.id, c.alias, c.environment, c.criticality_level, c.lifecycle_status, c.created_at,
         COALESCE(c.config_items->>$2 = 'true', false) AS canary, r.admitted_revision_id,
         r.memory->'settled'->>'treeDigest' AS settled_tree, s.phase, s.since, s."currentVersion", s."desiredDigest",
         s."serverVersion",
         (SELECT jsonb_agg(jsonb_build_object('type', p->'type', 'title', p->'title', 'detail', left(p->>'detail', 300),
                                              'severity', p->'severity', 'firstSeen', p->'firstSeen', 'lastSeen', p->'lastSeen'))
            FROM (SELECT p FROM jsonb_array_elements(s.problems) AS p LIMIT $3) AS few) AS problems
    FROM clusters c
    LEFT JOIN cluster_runtimes r ON r.cluster_id = c.id
    LEFT JOIN LATERAL jsonb_to_record(r.status) AS s (phase text, since float8, "currentVersion" text,
              "desiredDigest" text, "serverVersion" text, problems jsonb) ON true
   WHERE c.channel = $1`;

interface StandingRow {
  readonly id: string;
  readonly alias: string;
  readonly environment: string;
  readonly criticality_level: number;
  readonly lifecycle_status: ClusterStanding['lifecycleStatus'];
  readonly created_at: Date;
  readonly canary: boolean;
  readonly admitted_revision_id: string | null;
  readonly settled_tree: string | null;
  readonly phase: ClusterStanding['phase'] | null;
  readonly since: number | null;
  readonly currentVersion: string | null;
  readonly desiredDigest: string | null;
  readonly serverVersion: string | null;
  readonly problems: ClusterStanding['problems'] | null;
}

export async function channelStandings(
  database: Database,
  channel: string,
): Promise<readonly ClusterStanding[]> {
  const rows = await database.rows<StandingRow>(STANDINGS, [channel, CANARY_ITEM, STANDING_PROBLEMS]);
  return rows.map(toStanding);
}

const toStanding = (row: StandingRow): ClusterStanding => ({
  id: row.id,
  alias: row.alias,
  environment: row.environment,
  criticalityLevel: row.criticality_level,
  lifecycleStatus: row.lifecycle_status,
  createdAt: row.created_at.getTime(),
  canary: row.canary,
  problems: (row.problems ?? []).map(withoutNulls),
  ...(row.admitted_revision_id !== null && { admittedRevisionId: row.admitted_revision_id }),
  ...(row.settled_tree !== null && { settledTree: row.settled_tree }),
  ...(row.phase && { phase: row.phase }),
  ...(row.since !== null && { since: row.since }),
  ...(row.currentVersion !== null && { currentVersion: row.currentVersion }),
  ...(row.desiredDigest !== null && { desiredDigest: row.desiredDigest }),
  ...(row.serverVersion !== null && { serverVersion: row.serverVersion }),
});

const withoutNulls = <T extends object>(value: T): T =>
  Object.fromEntries(Object.entries(value).filter(([, member]) => member !== null)) as T;
