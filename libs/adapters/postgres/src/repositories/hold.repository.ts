import { fail, type Clock, type Instant } from '#kernel';
import { IsNull, MoreThan } from 'typeorm';
import type { FleetEvent, Hold } from '#fleet';
import { appendAudit } from '../audit-writer.js';
import type { Database, Transaction } from '../database.js';
import { DUE_PRIORITY, markDue, type DuePriority } from '../due.js';
import { HoldEntity, type HoldRow } from '../entities/updates.schema.js';
import type { EventWriter } from '../event-writer.js';
import { domainRow } from '../json.js';

/** Holds. Clusters in the scope become due, so that their status says at once what stops or no longer stops them. */
export class HoldRepository {
  constructor(
    private readonly database: Database,
    private readonly events: EventWriter,
    private readonly clock: Clock,
  ) {}

  /** Neither released nor expired, oldest first. */
  async active(): Promise<readonly Hold[]> {
    const releasedAt = IsNull();
    const now = this.clock.now();
    const rows = await this.database.read((manager) =>
      manager.find(HoldEntity, {
        where: [
          { releasedAt, expiresAt: IsNull() },
          { releasedAt, expiresAt: MoreThan(now) },
        ],
        order: { createdAt: 'ASC', id: 'ASC' },
      }),
    );
    return rows.map(toHold);
  }

  async add(hold: Hold, actor: string): Promise<void> {
    await this.database.transaction(async (tx) => {
      await tx.manager.insert(HoldEntity, toRow(hold));
      await this.wake(tx, hold, hold.createdAt, DUE_PRIORITY.other);
      const message = `${describe(hold)} is held by ${hold.owner}: ${hold.reason}`;
      await this.record(tx, hold, { type: 'hold.added', at: hold.createdAt, actor, message });
    });
  }

  /** Releasing what is released already changes nothing. */
  async release(id: string, actor: string, now: Instant): Promise<void> {
    await this.database.transaction(async (tx) => {
      const row = await tx.manager.findOne(HoldEntity, {
        where: { id },
        lock: { mode: 'pessimistic_write' },
      });
      if (!row)
        fail({
          class: 'invalid',
          code: 'not-found',
          message: `hold ${id} does not exist`,
          hint: 'fairway holds lists what is held.',
        });
      const hold = toHold(row as HoldRow);
      const changed = await tx.execute(
        `UPDATE holds SET released_at = to_timestamp($2::float8 / 1000), released_by = $3
          WHERE id = $1 AND released_at IS NULL`,
        [id, now, actor],
      );
      if (changed === 0) return;
      await this.wake(tx, hold, now, DUE_PRIORITY.resumed);
      const message = `${describe(hold)} was released by ${actor}`;
      await this.record(tx, hold, { type: 'hold.released', at: now, actor, message });
    });
  }

  private async wake(tx: Transaction, hold: Hold, now: Instant, priority: DuePriority): Promise<void> {
    const { scope } = hold;
    const [condition, params]: [string, unknown[]] =
      scope.kind === 'fleet'
        ? ['true', []]
        : scope.kind === 'channel'
          ? ['channel = $1', [scope.channel]]
          : ['id = $1', [scope.clusterId]];
    const clusters = await tx.rows<{ id: string }>(`SELECT id FROM clusters WHERE ${condition}`, params);
    await markDue(
      tx,
      clusters.map(({ id }) => id),
      now,
      priority,
    );
  }

  private async record(
    tx: Transaction,
    hold: Hold,
    what: { readonly type: string; readonly at: Instant; readonly actor: string; readonly message: string },
  ): Promise<void> {
    const { type, at, actor, message } = what;
    const data = { holdId: hold.id, scope: hold.scope, reason: hold.reason, owner: hold.owner };
    const subject = subjectOf(hold);
    await appendAudit(tx, { at, actor, action: type, subject, reason: hold.reason, data });
    const event: FleetEvent = { type, at, severity: 'warning', subject, message, data, ...placeOf(hold) };
    await this.events.append(tx, [event]);
  }
}

function subjectOf({ scope }: Hold): string {
  if (scope.kind === 'fleet') return 'fleet';
  return scope.kind === 'channel' ? `channel/${scope.channel}` : `cluster/${scope.clusterId}`;
}

function placeOf({ scope }: Hold): { readonly channel?: string; readonly clusterId?: string } {
  if (scope.kind === 'fleet') return {};
  return scope.kind === 'channel' ? { channel: scope.channel } : { clusterId: scope.clusterId };
}

const describe = (hold: Hold): string =>
  hold.scope.kind === 'pool' ? `${subjectOf(hold)} pool ${hold.scope.pool}` : subjectOf(hold);

function toRow({ scope, ...hold }: Hold): HoldRow {
  const { kind, ...place } = scope;
  return { ...hold, scopeKind: kind, ...place };
}

function toHold(row: HoldRow): Hold {
  const { scopeKind, channel, clusterId, pool, ...hold } = domainRow(row, 'releasedAt', 'releasedBy');
  return { ...hold, scope: scopeOf(scopeKind, channel ?? '', clusterId ?? '', pool ?? '') };
}

function scopeOf(
  kind: HoldRow['scopeKind'],
  channel: string,
  clusterId: string,
  pool: string,
): Hold['scope'] {
  switch (kind) {
    case 'fleet':
      return { kind };
    case 'channel':
      return { kind, channel };
    case 'cluster':
      return { kind, clusterId };
    case 'pool':
      return { kind, clusterId, pool };
  }
}
