import type { Instant } from '#kernel';
import type { DriftFinding, PruneState } from '#fleet';
import type { Lease, ManifestRequest, ManifestStorePort } from '#ports';
import { IsNull } from 'typeorm';
import { appendAudit } from '../audit-writer.js';
import type { Database } from '../database.js';
import { DUE_PRIORITY, markDue } from '../due.js';
import { complete } from '../entities/columns.js';
import {
  DriftFindingEntity,
  driftRow,
  ManifestRequestEntity,
  PruneStateEntity,
} from '../entities/manifests.schema.js';
import { domainRow } from '../json.js';
import { fence } from './lease.repository.js';

const SETTLE = `
  UPDATE manifest_requests SET settled_at = to_timestamp($3::float8 / 1000), result = $2
   WHERE id = ANY ($1::text[]) AND settled_at IS NULL`;

/** Findings about clusters' objects, and what people ask for about them. */
export function createManifestStore(database: Database): ManifestStorePort {
  return {
    driftFindings: (clusterId) => driftFindings(database, clusterId),
    recordDrift: (lease, clusterId, findings) => recordDrift(database, lease, clusterId, findings),
    pruneState: async (clusterId) => {
      const row = await database.read((manager) => manager.findOneBy(PruneStateEntity, { clusterId }));
      return row ? (domainRow(row, 'clusterId') as PruneState) : undefined;
    },
    recordPruneState: (lease, clusterId, state) => recordPruneState(database, lease, clusterId, state),
    requestManifests: (request) => requestManifests(database, request),
    openManifestRequests: async (clusterId) => {
      const where = { clusterId, settledAt: IsNull() };
      const order = { requestedAt: 'ASC', id: 'ASC' } as const;
      const rows = await database.read((manager) => manager.find(ManifestRequestEntity, { where, order }));
      return rows.map((row) => domainRow(row, 'settledAt', 'result') as ManifestRequest);
    },
    settleManifestRequests: (lease, ids, result, now) => settle(database, lease, ids, result, now),
  };
}

async function driftFindings(database: Database, clusterId: string): Promise<readonly DriftFinding[]> {
  const order = { refKey: 'ASC', path: 'ASC' } as const;
  const rows = await database.read((manager) =>
    manager.find(DriftFindingEntity, { where: { clusterId }, order }),
  );
  return rows.map((row) => domainRow(row, 'clusterId', 'refKey') as DriftFinding);
}

async function recordDrift(
  database: Database,
  lease: Lease,
  clusterId: string,
  findings: readonly DriftFinding[],
): Promise<void> {
  const rows = findings.map((finding) => complete(DriftFindingEntity, driftRow(clusterId, finding)));
  await database.transaction(async (tx) => {
    await fence(tx, lease);
    await tx.execute('DELETE FROM drift_findings WHERE cluster_id = $1', [clusterId]);
    if (rows.length > 0) await tx.manager.insert(DriftFindingEntity, rows);
  });
}

async function recordPruneState(
  database: Database,
  lease: Lease,
  clusterId: string,
  state: PruneState | undefined,
): Promise<void> {
  await database.transaction(async (tx) => {
    await fence(tx, lease);
    await tx.execute('DELETE FROM prune_states WHERE cluster_id = $1', [clusterId]);
    if (state) await tx.manager.insert(PruneStateEntity, complete(PruneStateEntity, { ...state, clusterId }));
  });
}

async function requestManifests(database: Database, request: ManifestRequest): Promise<void> {
  const { clusterId, kind, actor, reason, requestedAt } = request;
  await database.transaction(async (tx) => {
    await tx.manager.insert(ManifestRequestEntity, complete(ManifestRequestEntity, request));
    await markDue(tx, [clusterId], requestedAt, DUE_PRIORITY.resumed);
    await appendAudit(tx, {
      at: requestedAt,
      actor,
      action: kind,
      subject: `cluster/${clusterId}`,
      reason,
      data: { refKey: request.refKey, path: request.path, digest: request.digest },
    });
  });
}

async function settle(
  database: Database,
  lease: Lease,
  ids: readonly string[],
  result: string,
  now: Instant,
): Promise<void> {
  if (ids.length === 0) return;
  await database.transaction(async (tx) => {
    await fence(tx, lease);
    await tx.execute(SETTLE, [ids, result, now]);
  });
}
