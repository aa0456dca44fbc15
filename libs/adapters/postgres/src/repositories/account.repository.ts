import { fail, type Clock } from '#kernel';
import type { InfrastructureAccount } from '#fleet';
import type { AccountFilter, AccountPatch, Change } from '#ports';
import { appendAudit } from '../audit-writer.js';
import type { Database, Transaction } from '../database.js';
import { AccountEntity, type AccountRow } from '../entities/registry.schema.js';
import type { EventWriter } from '../event-writer.js';
import { domainRow } from '../json.js';
import { changedFields, pick, requireVersion } from '../record-changes.js';

/** Accounts. Part of the registry; see `RegistryPort` for what every method promises. */
export class AccountRepository {
  constructor(
    private readonly database: Database,
    private readonly events: EventWriter,
    private readonly clock: Clock,
  ) {}

  async list(filter: AccountFilter): Promise<readonly InfrastructureAccount[]> {
    const where = Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined));
    const rows = await this.database.read((manager) =>
      manager.find(AccountEntity, { where, order: { id: 'ASC' } }),
    );
    return rows.map(toAccount);
  }

  async get(id: string): Promise<InfrastructureAccount | undefined> {
    const row = await this.database.read((manager) => manager.findOneBy(AccountEntity, { id }));
    return row ? toAccount(row) : undefined;
  }

  async create(account: InfrastructureAccount, change: Change): Promise<InfrastructureAccount> {
    return this.database.transaction(async (tx) => {
      const row: AccountRow = { ...account, recordVersion: 1, createdAt: this.clock.now() };
      await tx.manager.insert(AccountEntity, row);
      await this.record(tx, account.id, 'created', Object.keys(account), change);
      return toAccount(row);
    });
  }

  async update(id: string, patch: AccountPatch, change: Change): Promise<InfrastructureAccount> {
    return this.database.transaction(async (tx) => {
      const current = await tx.manager.findOne(AccountEntity, {
        where: { id },
        lock: { mode: 'pessimistic_write' },
      });
      if (!current) return accountNotFound(id);
      requireVersion(`account ${id}`, current.recordVersion, change);
      const fields = changedFields(current, patch);
      if (fields.length === 0) return toAccount(current);
      if (fields.includes('externalId') || fields.includes('type')) await requireEmpty(tx, id);
      const next = { ...current, ...pick(patch, fields), id, recordVersion: current.recordVersion + 1 };
      await tx.manager.update(AccountEntity, { id }, next);
      await this.record(tx, id, 'updated', fields, change);
      return toAccount(next);
    });
  }

  private async record(
    tx: Transaction,
    id: string,
    what: 'created' | 'updated',
    fields: readonly string[],
    change: Change,
  ): Promise<void> {
    const at = this.clock.now();
    const subject = `account/${id}`;
    const reason = change.reason === undefined ? {} : { reason: change.reason };
    await appendAudit(tx, {
      at,
      actor: change.actor,
      action: `account.${what}`,
      subject,
      ...reason,
      data: { fields },
    });
    await this.events.append(tx, [
      {
        type: `account.${what}`,
        at,
        severity: 'info',
        subject,
        message: `infrastructure account ${id} was ${what} by ${change.actor}`,
        data: { fields },
      },
    ]);
  }
}

/** Clusters would be looked for, and made again, in another account than the one they stand in. */
async function requireEmpty(tx: Transaction, id: string): Promise<void> {
  const built = await tx.rows<{ alias: string }>(BUILT, [id]);
  if (built.length === 0) return;
  fail({
    class: 'invalid',
    code: 'account-not-empty',
    message: `external_id and type of infrastructure account ${id} cannot change while clusters stand in it: ${built.map(({ alias }) => alias).join(', ')}`,
    hint: 'Register the other account under an id of its own.',
  });
}

const BUILT = `
  SELECT alias FROM clusters c
   WHERE infrastructure_account = $1 AND lifecycle_status <> 'decommissioned'
     AND EXISTS (SELECT 1 FROM intents i WHERE i.cluster_id = c.id)
   ORDER BY alias LIMIT 5`;

const accountNotFound = (id: string): never =>
  fail({ class: 'invalid', code: 'not-found', message: `infrastructure account ${id} does not exist` });

const toAccount = (row: AccountRow): InfrastructureAccount => domainRow(row, 'recordVersion', 'createdAt');
