import type { Instant } from '#kernel';
import type { Intent, Lease, NewIntent } from '#ports';
import { IsNull } from 'typeorm';
import type { Database, Transaction } from '../database.js';
import { complete } from '../entities/columns.js';
import { IntentEntity, type IntentRow } from '../entities/updates.schema.js';
import { storableText, toJsonb, domainRow } from '../json.js';
import { fence } from './lease.repository.js';

/** An open intent for the same write: its writer died or does not know how it ended, and has now decided to repeat it. */
const REPEAT = `
  UPDATE intents SET settled_at = to_timestamp($5::float8 / 1000), result = 'repeated'
   WHERE update_id = $1 AND step = $2 AND target = $3 AND verb = $4 AND settled_at IS NULL`;

const GENERATION = `
  SELECT count(*) AS next FROM intents WHERE update_id = $1 AND step = $2 AND target = $3 AND verb = $4`;

const SETTLE = `
  UPDATE intents SET settled_at = to_timestamp($3::float8 / 1000), result = $2
   WHERE id = ANY ($1::text[]) AND settled_at IS NULL`;

/** Intents of updates: recorded before an outside write, settled after it. */
export class IntentRepository {
  constructor(private readonly database: Database) {}

  /**
   * The members of `memory` are set, others stay. An intent whose id is recorded already counts as recorded; one for a
   * write that has an open intent takes its place: the older is settled as `repeated`, and both stay on record.
   */
  async record(
    lease: Lease,
    intents: readonly NewIntent[],
    memory?: Readonly<Record<string, unknown>>,
  ): Promise<void> {
    await this.database.transaction(async (tx) => {
      await fence(tx, lease);
      for (const intent of intents) await this.recordOne(tx, intent);
      const clusterId = intents[0]?.clusterId ?? lease.name.replace(/^cluster\//, '');
      if (memory !== undefined) {
        await tx.execute('UPDATE cluster_runtimes SET memory = memory || $2::jsonb WHERE cluster_id = $1', [
          clusterId,
          toJsonb(memory),
        ]);
      }
    });
  }

  async settle(lease: Lease, ids: readonly string[], result: string, now: Instant): Promise<void> {
    await this.database.transaction(async (tx) => {
      await fence(tx, lease);
      await tx.execute(SETTLE, [ids, storableText(result), now]);
    });
  }

  async unsettled(clusterId: string): Promise<readonly Intent[]> {
    const rows = await this.database.read((manager) =>
      manager.find(IntentEntity, { where: { clusterId, settledAt: IsNull() }, order: { ordinal: 'ASC' } }),
    );
    return rows.map(toIntent);
  }

  async list(updateId: string): Promise<readonly Intent[]> {
    const rows = await this.database.read((manager) =>
      manager.find(IntentEntity, { where: { updateId }, order: { ordinal: 'ASC' } }),
    );
    return rows.map(toIntent);
  }

  private async recordOne(tx: Transaction, intent: NewIntent): Promise<void> {
    const known = await tx.manager.findOneBy(IntentEntity, { id: intent.id });
    if (known) return;
    const write = [intent.updateId, intent.step, intent.target, intent.verb];
    await tx.execute(REPEAT, [...write, intent.recordedAt]);
    const [count] = await tx.rows<{ next: number }>(GENERATION, write);
    const row = { ...intent, generation: count?.next ?? 0 };
    await tx.manager.insert(IntentEntity, complete(IntentEntity, row));
  }
}

const toIntent = (row: IntentRow): Intent => domainRow(row, 'generation', 'ordinal');
