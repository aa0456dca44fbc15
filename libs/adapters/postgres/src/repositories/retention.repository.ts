import type { Clock, Duration } from '#kernel';
import type { Removed, RetentionPolicy, RetentionPort } from '#ports';
import type { Database } from '../database.js';

/** Rows of one statement: short enough to hold nobody up. */
const BATCH = 1_000;
const BATCHES = 10;
const KEPT_UPDATES = 20;
const KEPT_LOCKS = 20;

interface Rule {
  readonly table: string;
  readonly age: keyof RetentionPolicy;
  /** Selects the keys of what may go: `$1` is the instant before which it ended, `$2` how many. */
  readonly doomed: string;
  readonly key?: string;
}

const BEFORE = 'to_timestamp($1::float8 / 1000)';
const settledRequest = (table: string): Rule => ({
  table,
  age: 'updates',
  doomed: `SELECT id FROM ${table} WHERE settled_at < ${BEFORE} LIMIT $2`,
});

/** In this order: rows that others refer to come last. */
const RULES: readonly Rule[] = [
  {
    table: 'outbox_deliveries',
    age: 'deliveries',
    doomed: `SELECT id FROM outbox_deliveries WHERE state <> 'pending' AND settled_at < ${BEFORE} ORDER BY event_id LIMIT $2`,
  },
  {
    table: 'outbox_deliveries',
    age: 'events',
    doomed: `SELECT d.id FROM outbox_deliveries d JOIN events e ON e.id = d.event_id
              WHERE d.state <> 'pending' AND e.at < ${BEFORE} ORDER BY d.event_id LIMIT $2`,
  },
  {
    table: 'events',
    age: 'events',
    doomed: `SELECT id FROM events e WHERE at < ${BEFORE}
                AND NOT EXISTS (SELECT 1 FROM outbox_deliveries d WHERE d.event_id = e.id) ORDER BY id LIMIT $2`,
  },
  {
    table: 'intents',
    age: 'updates',
    // The last one of a cluster stays: that there ever was one keeps the record of a living cluster from being deleted.
    doomed: `SELECT id FROM intents i WHERE settled_at < ${BEFORE}
                AND EXISTS (SELECT 1 FROM intents n WHERE n.cluster_id = i.cluster_id AND n.ordinal > i.ordinal)
                AND EXISTS (SELECT 1 FROM updates u WHERE u.id = i.update_id AND u.finished_at < ${BEFORE})
              LIMIT $2`,
  },
  {
    table: 'updates',
    age: 'updates',
    doomed: `SELECT id FROM (
               SELECT id, finished_at, state,
                      row_number() OVER (PARTITION BY cluster_id ORDER BY started_at DESC, id DESC) AS place
                 FROM updates) u
              WHERE place > ${KEPT_UPDATES} AND state <> 'running' AND finished_at < ${BEFORE}
                AND NOT EXISTS (SELECT 1 FROM intents i WHERE i.update_id = u.id) LIMIT $2`,
  },
  {
    table: 'input_locks',
    age: 'updates',
    key: '(cluster_id, version)',
    doomed: `SELECT cluster_id, version FROM (
               SELECT cluster_id, version, created_at,
                      row_number() OVER (PARTITION BY cluster_id ORDER BY version DESC) AS place FROM input_locks) l
              WHERE place > ${KEPT_LOCKS} AND created_at < ${BEFORE} LIMIT $2`,
  },
  ...['inputs_requests', 'manifest_requests', 'roll_requests'].map(settledRequest),
  {
    table: 'problems',
    age: 'updates',
    doomed: `SELECT id FROM problems WHERE resolved_at < ${BEFORE} LIMIT $2`,
  },
  {
    table: 'notification_threads',
    age: 'events',
    key: '(route, key)',
    doomed: `SELECT route, key FROM notification_threads WHERE updated_at < ${BEFORE} LIMIT $2`,
  },
];

/** The audit log is not touched: it refuses. */
export class RetentionRepository implements RetentionPort {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
  ) {}

  async clear(policy: RetentionPolicy): Promise<{ readonly removed: Removed; readonly more: boolean }> {
    const removed = new Map<string, number>();
    let more = false;
    for (const rule of RULES) {
      const age = policy[rule.age];
      if (age === undefined) continue;
      const count = await this.apply(rule, age);
      if (count > 0) removed.set(rule.table, (removed.get(rule.table) ?? 0) + count);
      more ||= count === BATCH * BATCHES;
    }
    return { removed: Object.fromEntries(removed), more };
  }

  private async apply({ table, doomed, key = 'id' }: Rule, age: Duration): Promise<number> {
    const before = this.clock.now() - age;
    let count = 0;
    for (let batch = 0; batch < BATCHES; batch += 1) {
      const sql = `DELETE FROM ${table} WHERE ${key} IN (${doomed})`;
      const gone = await this.database.execute(sql, [before, BATCH]);
      count += gone;
      if (gone < BATCH) break;
    }
    return count;
  }
}
