import type { Instant } from '#kernel';
import type { LockedInputs } from '#fleet';
import type { Lease, PassCommit } from '#ports';
import type { Database, Queryable } from '../database.js';
import { DUE_PRIORITY } from '../due.js';
import type { EventWriter } from '../event-writer.js';
import { toJsonb } from '../json.js';
import { syncProblems } from '../problem-writer.js';
import { FENCE, fence, leaseLost } from './lease.repository.js';

/**
 * $1, $2 lease · $3 cluster · $4 status · $5 memory · $6 inputs or null (kept) · $7 doorbells seen · $8 next due or null.
 * What is equal keeps its stored value, so that a pass that found nothing writes a few bytes; `updatedAt` alone is no
 * difference. A doorbell that rang since the pass began keeps its due time and its priority.
 */
const UPDATE_RUNTIME = `
  WITH ${FENCE}
  UPDATE cluster_runtimes
     SET status = CASE WHEN status - 'updatedAt' = $4::jsonb - 'updatedAt' THEN status ELSE $4::jsonb END,
         memory = CASE WHEN memory = $5::jsonb THEN memory ELSE $5::jsonb END,
         inputs = CASE WHEN $6::jsonb IS NULL OR inputs = $6::jsonb THEN inputs ELSE $6::jsonb END,
         next_due_at = CASE WHEN doorbell > $7 THEN LEAST(next_due_at, to_timestamp($8::float8 / 1000))
                            ELSE to_timestamp($8::float8 / 1000) END,
         due_priority = CASE WHEN doorbell > $7 OR due_priority = ${DUE_PRIORITY.decommission} THEN due_priority
                             ELSE ${DUE_PRIORITY.other} END
   WHERE cluster_id = $3 AND EXISTS (SELECT 1 FROM fence)
  RETURNING (SELECT count(*) FROM problems p WHERE p.subject = 'cluster/' || cluster_id AND p.resolved_at IS NULL) AS open`;

const UPDATE_UPDATE = `
  UPDATE updates
     SET state = $2, plan = COALESCE($3::jsonb, plan), desired_digest = COALESCE($4, desired_digest),
         finished_at = CASE WHEN $2 = 'running' THEN NULL ELSE COALESCE(finished_at, to_timestamp($5::float8 / 1000)) END
   WHERE id = $1 AND cluster_id = $6`;

/** A pass never takes back what people asked for meanwhile: only `decommissioned` follows a decommission request. */
const UPDATE_LIFECYCLE = `
  UPDATE clusters SET lifecycle_status = $2, record_version = record_version + 1
   WHERE id = $1 AND lifecycle_status <> $2 AND lifecycle_status <> 'decommissioned'
     AND (lifecycle_status <> 'decommission-requested' OR $2 = 'decommissioned')`;

/** Ends a pass. One statement if nothing happened, else one transaction; refused unless the lease is held. */
export async function commitPass(
  database: Database,
  events: EventWriter,
  lease: Lease,
  commit: PassCommit,
): Promise<void> {
  const quiet = commit.events.length === 0 && !commit.update && !commit.lifecycle;
  if (quiet && commit.status.problems.length === 0) {
    const open = await writeRuntime(database, lease, commit);
    if (open === 0) return;
  }
  await database.transaction(async (tx) => {
    await fence(tx, lease);
    const { clusterId, problems, updatedAt } = commit.status;
    await writeUpdate(tx, commit, updatedAt);
    if (commit.lifecycle) await tx.execute(UPDATE_LIFECYCLE, [clusterId, commit.lifecycle]);
    await writeRuntime(tx, lease, commit);
    await syncProblems(tx, `cluster/${clusterId}`, problems, updatedAt);
    await events.append(tx, commit.events);
  });
}

/** Returns how many problems of the cluster are open in the list of problems. */
async function writeRuntime(on: Queryable, lease: Lease, commit: PassCommit): Promise<number> {
  const [row] = await on.rows<{ open: number }>(UPDATE_RUNTIME, [
    lease.name,
    lease.token,
    commit.status.clusterId,
    toJsonb(commit.status),
    toJsonb(commit.memory),
    commit.inputs === undefined ? null : toJsonb(storedInputs(commit.inputs)),
    commit.doorbellSeen,
    commit.nextDueAt ?? null,
  ]);
  // No row: the lease went, or the whole cluster (whose removal takes the lease away first).
  return row ? row.open : leaseLost(lease);
}

/** Clear text of secrets never reaches the database, whatever the caller passed. */
const storedInputs = (inputs: LockedInputs): LockedInputs => ({ ...inputs, decrypted: {} });

async function writeUpdate(tx: Queryable, commit: PassCommit, now: Instant): Promise<void> {
  const update = commit.update;
  if (!update) return;
  const plan = update.plan === undefined ? null : toJsonb(update.plan);
  const { clusterId } = commit.status;
  await tx.execute(UPDATE_UPDATE, [
    update.id,
    update.state,
    plan,
    update.desiredDigest ?? null,
    now,
    clusterId,
  ]);
}
