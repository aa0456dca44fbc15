import { IsNull } from 'typeorm';
import type { Instant } from '#kernel';
import type { Problem } from '#fleet';
import type { Database } from '../database.js';
import { ProblemEntity } from '../entities/events.schema.js';
import { domainRow } from '../json.js';

/** A problem as kept: about whom, and until when. */
export interface RecordedProblem extends Problem {
  readonly id: number;
  /** `cluster/<id>`, `repository/<url>` */
  readonly subject: string;
  readonly resolvedAt?: Instant;
}

/** Reads the list of problems. It is written by the stores together with the status that shows them. */
export class ProblemRepository {
  constructor(private readonly database: Database) {}

  /** Newest first. */
  async list(
    filter: { readonly subject?: string; readonly open?: boolean },
    take: number,
  ): Promise<readonly RecordedProblem[]> {
    const where = {
      ...(filter.subject !== undefined && { subject: filter.subject }),
      ...(filter.open === true && { resolvedAt: IsNull() }),
    };
    const rows = await this.database.read((manager) =>
      manager.find(ProblemEntity, { where, order: { lastSeen: 'DESC', id: 'DESC' }, take }),
    );
    return rows.map((row) => domainRow(row, 'fingerprint'));
  }
}
