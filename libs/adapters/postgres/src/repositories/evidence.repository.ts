import { Not } from 'typeorm';
import type { Instant } from '#kernel';
import type { ConformanceLog, ConformanceRun, FleetEvent, Promotion } from '#fleet';
import type { Lease } from '#ports';
import { appendAudit } from '../audit-writer.js';
import type { Database, Queryable } from '../database.js';
import { complete } from '../entities/columns.js';
import { ConformanceLogEntity, ConformanceRunEntity, PromotionEntity } from '../entities/updates.schema.js';
import type { EventWriter } from '../event-writer.js';
import { withoutNulls } from '../json.js';
import { fence } from './lease.repository.js';

/** Conformance runs and promotions: the proof, and what was done with it. */
export class EvidenceRepository {
  constructor(
    private readonly database: Database,
    private readonly events: EventWriter,
  ) {}

  async runs(
    filter: { readonly treeDigest?: string; readonly channel?: string; readonly clusterId?: string },
    take: number,
  ): Promise<readonly ConformanceRun[]> {
    return this.findRuns(withoutUndefined(filter), take);
  }

  async unfinishedRuns(clusterId: string): Promise<readonly ConformanceRun[]> {
    return this.findRuns({ clusterId, state: Not('finished') });
  }

  async saveRun(lease: Lease, run: ConformanceRun, news: readonly FleetEvent[]): Promise<void> {
    await this.database.transaction(async (tx) => {
      await fence(tx, lease);
      await tx.manager.upsert(ConformanceRunEntity, complete(ConformanceRunEntity, run), ['id']);
      await this.events.append(tx, news);
    });
  }

  async getRun(id: string): Promise<ConformanceRun | undefined> {
    return (await this.findRuns({ id }, 1))[0];
  }

  async log(runId: string): Promise<ConformanceLog | undefined> {
    const row = await this.database.read((manager) => manager.findOneBy(ConformanceLogEntity, { runId }));
    return row ?? undefined;
  }

  async saveLog(lease: Lease, log: ConformanceLog): Promise<void> {
    await this.database.transaction(async (tx) => {
      await fence(tx, lease);
      await tx.manager.upsert(ConformanceLogEntity, complete(ConformanceLogEntity, log), ['runId']);
    });
  }

  async forgetLogs(before: Instant): Promise<number> {
    const sql = 'DELETE FROM conformance_logs WHERE updated_at < to_timestamp($1::float8 / 1000)';
    return this.database.execute(sql, [before]);
  }

  async promotions(
    take: number,
    filter: { readonly toChannel?: string; readonly state?: Promotion['state'] } = {},
  ): Promise<readonly Promotion[]> {
    const where = withoutUndefined(filter);
    const order = { createdAt: 'DESC', id: 'DESC' } as const;
    const rows = await this.database.read((manager) => manager.find(PromotionEntity, { where, order, take }));
    return rows.map(withoutNulls) as readonly Promotion[];
  }

  async savePromotion(lease: Lease, promotion: Promotion, news: readonly FleetEvent[]): Promise<void> {
    await this.database.transaction(async (tx) => {
      await fence(tx, lease);
      await tx.manager.upsert(PromotionEntity, complete(PromotionEntity, promotion), ['id']);
      if (promotion.state !== 'intended') await auditPromotion(tx, promotion);
      await this.events.append(tx, news);
    });
  }

  private async findRuns(where: object, take?: number): Promise<readonly ConformanceRun[]> {
    const order = { createdAt: 'DESC', id: 'DESC' } as const;
    const rows = await this.database.read((manager) =>
      manager.find(ConformanceRunEntity, { where, order, ...(take !== undefined && { take }) }),
    );
    return rows.map(withoutNulls) as readonly ConformanceRun[];
  }
}

/** Every decision with the evidence that it saw, also those that automation made. */
const auditPromotion = (tx: Queryable, promotion: Promotion): Promise<void> =>
  appendAudit(tx, {
    at: promotion.settledAt ?? promotion.createdAt,
    actor: promotion.requestedBy ?? 'fairway',
    action: `${promotion.kind === 'rollback' ? 'rollback' : 'promotion'}.${promotion.state}`,
    subject: `channel/${promotion.toChannel}`,
    ...(promotion.reason !== undefined && { reason: promotion.reason }),
    data: { ...promotion },
  });

const withoutUndefined = (filter: object): object =>
  Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined));
