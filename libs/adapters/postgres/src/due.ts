import type { Instant } from '#kernel';
import type { Queryable } from './database.js';

/** Order of due clusters: what people wait for goes first. */
export const DUE_PRIORITY = { decommission: 10, resumed: 20, new: 30, other: 100 } as const;
export type DuePriority = (typeof DUE_PRIORITY)[keyof typeof DUE_PRIORITY];

/** Rows are locked in the order of their ids, so that two callers never wait for each other. */
const MARK_DUE = `
  UPDATE cluster_runtimes r
     SET doorbell = doorbell + 1,
         next_due_at = LEAST(next_due_at, to_timestamp($2::float8 / 1000)),
         due_priority = LEAST(due_priority, $3::smallint)
   WHERE cluster_id IN (SELECT cluster_id FROM cluster_runtimes WHERE cluster_id = ANY ($1::text[])
                         ORDER BY cluster_id FOR UPDATE)`;

/** Makes clusters due at once and counts a doorbell; a waiting, more urgent priority stays. */
export async function markDue(
  on: Queryable,
  clusterIds: readonly string[],
  now: Instant,
  priority: DuePriority = DUE_PRIORITY.other,
): Promise<void> {
  if (clusterIds.length > 0) await on.execute(MARK_DUE, [clusterIds, now, priority]);
}
