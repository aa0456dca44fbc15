import { IsNull, Not } from 'typeorm';
import type { Inspection } from '#fleet';
import type { InspectionStorePort } from '#ports';
import type { Database } from '../database.js';
import { complete } from '../entities/columns.js';
import { InspectionEntity } from '../entities/inspections.schema.js';
import { toJsonb, withoutNulls } from '../json.js';
import { fence } from './lease.repository.js';

/** One request at a time decides whether there is an open twin. */
const LOCK = 'SELECT id FROM clusters WHERE id = $1 FOR UPDATE';

const SETTLE = `
  UPDATE inspections SET finished_at = to_timestamp($2::float8 / 1000), report = $3::jsonb, failure = $4::jsonb
   WHERE id = $1 AND finished_at IS NULL`;

const FORGET = `
  DELETE FROM inspections WHERE id IN (
    SELECT id FROM (
      SELECT id, row_number() OVER (PARTITION BY cluster_id, kind ORDER BY requested_at DESC, id DESC) AS place
        FROM inspections
       WHERE finished_at IS NOT NULL AND (cluster_id, kind) = (SELECT cluster_id, kind FROM inspections WHERE id = $1)
    ) AS numbered WHERE place > $2)`;

/** Of each kind and cluster. */
const KEPT = 20;

/** Looks at clusters that people ask for. */
export class InspectionRepository implements InspectionStorePort {
  constructor(private readonly database: Database) {}

  requestInspection(inspection: Inspection): Promise<Inspection> {
    const { clusterId, kind, target } = inspection;
    return this.database.transaction(async (tx) => {
      await tx.rows(LOCK, [clusterId]);
      const where = { clusterId, kind, target: target ?? IsNull(), finishedAt: IsNull() };
      const twin = await tx.manager.findOneBy(InspectionEntity, where);
      if (twin) return domain(twin);
      await tx.manager.insert(InspectionEntity, complete(InspectionEntity, inspection));
      return inspection;
    });
  }

  async openInspections(limit: number): Promise<readonly Inspection[]> {
    const options = {
      where: { finishedAt: IsNull() },
      order: { requestedAt: 'ASC', id: 'ASC' },
      take: limit,
    } as const;
    const rows = await this.database.read((manager) => manager.find(InspectionEntity, options));
    return rows.map(domain);
  }

  async getInspection(id: string): Promise<Inspection | undefined> {
    const row = await this.database.read((manager) => manager.findOneBy(InspectionEntity, { id }));
    return row ? domain(row) : undefined;
  }

  async latestInspection(clusterId: string, kind: Inspection['kind']): Promise<Inspection | undefined> {
    const options = {
      where: { clusterId, kind, report: Not(IsNull()) },
      order: { finishedAt: 'DESC', id: 'DESC' },
    } as const;
    const row = await this.database.read((manager) => manager.findOne(InspectionEntity, options));
    return row ? domain(row) : undefined;
  }

  async settleInspection(...[lease, id, result, now]: Parameters<InspectionStorePort['settleInspection']>) {
    const report = 'report' in result ? toJsonb(result.report) : null;
    const failure = 'failure' in result ? toJsonb(result.failure) : null;
    await this.database.transaction(async (tx) => {
      await fence(tx, lease);
      await tx.execute(SETTLE, [id, now, report, failure]);
      await tx.execute(FORGET, [id, KEPT]);
    });
  }
}

const domain = (row: Inspection): Inspection => withoutNulls(row);
