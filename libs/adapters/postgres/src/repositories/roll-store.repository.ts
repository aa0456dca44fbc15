import type { RollRequest, RollStorePort } from '#ports';
import { IsNull } from 'typeorm';
import { appendAudit } from '../audit-writer.js';
import type { Database } from '../database.js';
import { DUE_PRIORITY, markDue } from '../due.js';
import { complete } from '../entities/columns.js';
import { RollRequestEntity } from '../entities/rolls.schema.js';
import { domainRow } from '../json.js';
import { fence } from './lease.repository.js';

const SETTLE = `
  UPDATE roll_requests SET settled_at = to_timestamp($3::float8 / 1000), result = $2
   WHERE id = ANY ($1::text[]) AND settled_at IS NULL`;

/** What people ask about rolls. */
export function createRollStore(database: Database): RollStorePort {
  return {
    requestRoll: (request) => requestRoll(database, request),
    openRollRequests: async (clusterId) => {
      const where = { clusterId, settledAt: IsNull() };
      const order = { requestedAt: 'ASC', id: 'ASC' } as const;
      const rows = await database.read((manager) => manager.find(RollRequestEntity, { where, order }));
      return rows.map((row) => domainRow(row, 'settledAt', 'result') as RollRequest);
    },
    settleRollRequests: async (lease, ids, result, now) => {
      if (ids.length === 0) return;
      await database.transaction(async (tx) => {
        await fence(tx, lease);
        await tx.execute(SETTLE, [ids, result, now]);
      });
    },
  };
}

async function requestRoll(database: Database, request: RollRequest): Promise<void> {
  const { clusterId, kind, actor, reason, requestedAt, updateId } = request;
  await database.transaction(async (tx) => {
    await tx.manager.insert(RollRequestEntity, complete(RollRequestEntity, request));
    await markDue(tx, [clusterId], requestedAt, DUE_PRIORITY.resumed);
    await appendAudit(tx, {
      at: requestedAt,
      actor,
      action: `roll-${kind}`,
      subject: `cluster/${clusterId}`,
      reason,
      data: { updateId },
    });
  });
}
