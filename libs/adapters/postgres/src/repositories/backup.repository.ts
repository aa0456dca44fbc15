import { In, IsNull } from 'typeorm';
import { days, type Instant } from '#kernel';
import type { BackupException, BackupRecord, BackupRequest, BackupStanding, FleetEvent } from '#fleet';
import type { BackupCommit, BackupFilter, BackupStorePort, Lease, SettledBackupRequest } from '#ports';
import { appendAudit } from '../audit-writer.js';
import type { Database, Transaction } from '../database.js';
import { BackupEntity, BackupRequestEntity, BackupScheduleEntity } from '../entities/backups.schema.js';
import { complete } from '../entities/columns.js';
import type { EventWriter } from '../event-writer.js';
import { domainRow, storableText, toJsonb, withoutNulls } from '../json.js';
import { fence } from './lease.repository.js';

/** Ids of the newest usable and of the newest failed backup of every provider of some clusters, and of the newest drill. */
const NEWEST = `
  SELECT DISTINCT ON (cluster_id, provider, kind) id FROM (
    SELECT id, cluster_id, provider, started_at,
           CASE WHEN state = 'good' OR (state = 'partial' AND exception IS NOT NULL) THEN 'usable' ELSE 'bad' END AS kind
      FROM backups WHERE cluster_id = ANY ($1::text[]) AND state IN ('good', 'partial', 'failed', 'damaged')
  ) AS known ORDER BY cluster_id, provider, kind, started_at DESC, id DESC`;

const DRILLS = `
  SELECT cluster_id, max((drill->>'at')::float8) AS at FROM backups
   WHERE cluster_id = ANY ($1::text[]) AND drill IS NOT NULL AND state IN ('good', 'expired') GROUP BY cluster_id`;

const DUE = `
  SELECT c.id FROM clusters c LEFT JOIN backup_schedules s ON s.cluster_id = c.id
   WHERE c.lifecycle_status <> 'decommissioned' AND (s.cluster_id IS NULL OR s.next_due_at <= to_timestamp($1::float8 / 1000))
   ORDER BY s.next_due_at NULLS FIRST LIMIT $2`;

const MARK_DUE = `
  UPDATE backup_schedules SET next_due_at = LEAST(next_due_at, to_timestamp($2::float8 / 1000))
   WHERE cluster_id = ANY ($1::text[])`;

/** A request that came while the pass was under way is not slept over. */
const SCHEDULE = `
  INSERT INTO backup_schedules (cluster_id, providers, problem, next_due_at)
  SELECT $1, $2::jsonb, $3, CASE WHEN EXISTS (SELECT 1 FROM backup_requests WHERE cluster_id = $1 AND settled_at IS NULL)
                                 THEN to_timestamp($5::float8 / 1000) ELSE to_timestamp($4::float8 / 1000) END
    FROM clusters WHERE id = $1
  ON CONFLICT (cluster_id) DO UPDATE
     SET providers = EXCLUDED.providers, problem = EXCLUDED.problem, next_due_at = EXCLUDED.next_due_at`;

const SETTLE = `
  UPDATE backup_requests SET settled_at = to_timestamp($3::float8 / 1000), result = $2
   WHERE id = $1 AND settled_at IS NULL`;

const FORGET = `
  DELETE FROM backups WHERE cluster_id = $1 AND state IN ('failed', 'expired') AND started_at < to_timestamp($2::float8 / 1000)`;

const FORGET_REQUESTS = `
  DELETE FROM backup_requests WHERE cluster_id = $1 AND settled_at < to_timestamp($2::float8 / 1000)`;

/** How long failures, deleted backups and settled requests stay in the list. */
const REMEMBERED = days(90);

/** Exceptions are given by people while passes write: a pass never takes one away. */
const EXCEPTION = `UPDATE backups SET exception = $2::jsonb WHERE id = $1 AND state = 'partial' AND exception IS NULL`;

/** Backups as evidence, requests about them, and when to look again. */
export class BackupRepository implements BackupStorePort {
  constructor(
    private readonly database: Database,
    private readonly events: EventWriter,
  ) {}

  async backupStandings(clusterIds: readonly string[]): Promise<ReadonlyMap<string, BackupStanding>> {
    if (clusterIds.length === 0) return new Map();
    const ids = (await this.database.rows<{ id: string }>(NEWEST, [clusterIds])).map(({ id }) => id);
    const [schedules, newest, drills] = await Promise.all([
      this.database.read((manager) =>
        manager.findBy(BackupScheduleEntity, { clusterId: In([...clusterIds]) }),
      ),
      this.database.read((manager) => manager.findBy(BackupEntity, { id: In(ids) })),
      this.database.rows<{ cluster_id: string; at: number }>(DRILLS, [clusterIds]),
    ]);
    const backups = newest.map(recordOf);
    const drilled = new Map(drills.map((row) => [row.cluster_id, row.at]));
    return new Map(
      schedules.map((schedule) => {
        const own = backups.filter((backup) => backup.clusterId === schedule.clusterId);
        return [schedule.clusterId, standingOf(schedule, own, drilled.get(schedule.clusterId))];
      }),
    );
  }

  async backups(
    clusterId: string,
    take: number,
    { state, provider }: BackupFilter = {},
  ): Promise<readonly BackupRecord[]> {
    const order = { startedAt: 'DESC', id: 'DESC' } as const;
    const where = {
      clusterId,
      ...(state !== undefined && { state: In([state].flat()) }),
      ...(provider && { provider }),
    };
    const rows = await this.database.read((manager) => manager.find(BackupEntity, { where, order, take }));
    return rows.map(recordOf);
  }

  async getBackup(id: string): Promise<BackupRecord | undefined> {
    const row = await this.database.read((manager) => manager.findOneBy(BackupEntity, { id }));
    return row ? recordOf(row) : undefined;
  }

  async recordBackup(lease: Lease, backup: BackupRecord): Promise<void> {
    await this.database.transaction(async (tx) => {
      await fence(tx, lease);
      await tx.manager.insert(BackupEntity, complete(BackupEntity, backup));
    });
  }

  async saveBackup(lease: Lease, backup: BackupRecord, news: readonly FleetEvent[]): Promise<void> {
    const { exception: _kept, ...row } = complete(BackupEntity, backup);
    await this.database.transaction(async (tx) => {
      await fence(tx, lease);
      await tx.manager.update(BackupEntity, { id: backup.id }, row);
      await this.events.append(tx, news);
    });
  }

  async approveBackup(id: string, exception: BackupException): Promise<boolean> {
    return this.database.transaction(async (tx) => {
      if ((await tx.execute(EXCEPTION, [id, toJsonb(exception)])) !== 1) return false;
      const row = await tx.manager.findOneByOrFail(BackupEntity, { id });
      await appendAudit(tx, {
        at: exception.at,
        actor: exception.by,
        action: 'backup.exception-approved',
        subject: `cluster/${row.clusterId}`,
        reason: exception.reason,
        data: { backup: id, provider: row.provider, message: row.message },
      });
      await tx.execute(MARK_DUE, [[row.clusterId], exception.at]);
      return true;
    });
  }

  async requestBackup(request: BackupRequest): Promise<void> {
    const { id, clusterId, kind, providers, backupId, actor, reason, requestedAt } = request;
    await this.database.transaction(async (tx: Transaction) => {
      if (await tx.manager.existsBy(BackupRequestEntity, { id })) return;
      await tx.manager.insert(BackupRequestEntity, complete(BackupRequestEntity, request));
      await tx.execute(MARK_DUE, [[clusterId], requestedAt]);
      await appendAudit(tx, {
        at: requestedAt,
        actor,
        action: `backup.${kind}-requested`,
        subject: `cluster/${clusterId}`,
        reason,
        data: { request: id, providers, ...(backupId !== undefined && { backup: backupId }) },
      });
    });
  }

  async openBackupRequests(clusterId: string): Promise<readonly BackupRequest[]> {
    const where = { clusterId, settledAt: IsNull() };
    const order = { requestedAt: 'ASC', id: 'ASC' } as const;
    const rows = await this.database.read((manager) => manager.find(BackupRequestEntity, { where, order }));
    return rows.map((row) => domainRow(row, 'settledAt', 'result') as BackupRequest);
  }

  async getBackupRequest(id: string): Promise<SettledBackupRequest | undefined> {
    const row = await this.database.read((manager) => manager.findOneBy(BackupRequestEntity, { id }));
    return row ? (withoutNulls(row) as SettledBackupRequest) : undefined;
  }

  async dueBackups(now: Instant, limit: number): Promise<readonly string[]> {
    return (await this.database.rows<{ id: string }>(DUE, [now, limit])).map(({ id }) => id);
  }

  async markBackupsDue(clusterIds: readonly string[], at: Instant): Promise<void> {
    if (clusterIds.length > 0) await this.database.execute(MARK_DUE, [clusterIds, at]);
  }

  async commitBackups(lease: Lease, commit: BackupCommit, now: Instant): Promise<void> {
    const { clusterId, providers, problem, nextDueAt, requests } = commit;
    await this.database.transaction(async (tx) => {
      await fence(tx, lease);
      for (const { id, result } of requests) await tx.execute(SETTLE, [id, storableText(result), now]);
      const told = problem === undefined ? null : storableText(problem);
      await tx.execute(SCHEDULE, [clusterId, toJsonb(providers), told, nextDueAt, now]);
      await tx.execute(FORGET, [clusterId, now - REMEMBERED]);
      await tx.execute(FORGET_REQUESTS, [clusterId, now - REMEMBERED]);
    });
  }
}

const recordOf = (row: BackupRecord): BackupRecord => withoutNulls(row) as BackupRecord;

function standingOf(
  {
    clusterId,
    providers,
    problem,
  }: { clusterId: string; providers: BackupStanding['providers']; problem?: string },
  backups: readonly BackupRecord[],
  drilledAt: number | undefined,
): BackupStanding {
  const usable = ({ state, exception }: BackupRecord): boolean =>
    state === 'good' || (state === 'partial' && !!exception);
  const evidence = backups.filter(usable);
  const newerThanEvidence = (failure: BackupRecord): boolean =>
    !evidence.some((good) => good.provider === failure.provider && good.startedAt >= failure.startedAt);
  return {
    clusterId,
    providers,
    ...(problem != null && { problem }),
    evidence,
    failures: backups.filter((backup) => !usable(backup) && newerThanEvidence(backup)),
    ...(drilledAt !== undefined && { drilledAt }),
  };
}
