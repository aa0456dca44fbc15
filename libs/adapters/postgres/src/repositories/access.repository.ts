import { LessThan } from 'typeorm';
import { minutes, type Instant } from '#kernel';
import type { AuditEntry, AuditPort, Principal, Role, TokenRecord, TokenStorePort } from '#ports';
import { appendAudit } from '../audit-writer.js';
import type { Database } from '../database.js';
import { complete } from '../entities/columns.js';
import { AuditEntity, TokenEntity, type TokenRow } from '../entities/events.schema.js';
import { domainRow, withoutNulls } from '../json.js';

const FIND = `
  SELECT id, name, role, last_used_at FROM api_tokens
   WHERE hash = $1 AND revoked_at IS NULL
     AND (expires_at IS NULL OR expires_at > to_timestamp($2::float8 / 1000))`;

/** `lastUsedAt` is for people: written once a minute, not with every request. */
const USED = 'UPDATE api_tokens SET last_used_at = to_timestamp($2::float8 / 1000) WHERE id = $1';
const USED_PRECISION = minutes(1);

const REVOKE = `
  UPDATE api_tokens SET revoked_at = to_timestamp($2::float8 / 1000) WHERE id = $1 AND revoked_at IS NULL`;

interface PrincipalRow {
  readonly id: string;
  readonly name: string;
  readonly role: Role;
  readonly last_used_at: Date | null;
}

/** API tokens by the hash of their secret. */
export class TokenRepository implements TokenStorePort {
  constructor(private readonly database: Database) {}

  async create(token: Parameters<TokenStorePort['create']>[0]): Promise<void> {
    await this.database.transaction(async (tx) => {
      await tx.manager.insert(TokenEntity, complete(TokenEntity, token as TokenRow));
    });
  }

  async findByHash(hash: string, now: Instant): Promise<Principal | undefined> {
    const [row] = await this.database.rows<PrincipalRow>(FIND, [hash, now]);
    if (!row) return undefined;
    const lastUsedAt = row.last_used_at?.getTime() ?? 0;
    if (now - lastUsedAt >= USED_PRECISION) await this.database.execute(USED, [row.id, now]);
    return { tokenId: row.id, name: row.name, role: row.role };
  }

  async list(): Promise<readonly TokenRecord[]> {
    const rows = await this.database.read((manager) =>
      manager.find(TokenEntity, { order: { createdAt: 'ASC', id: 'ASC' } }),
    );
    return rows.map(withoutHash);
  }

  /** False if there is no such token, or it was revoked before. */
  async revoke(id: string, now: Instant): Promise<boolean> {
    return (await this.database.execute(REVOKE, [id, now])) === 1;
  }
}

const withoutHash = (row: TokenRow): TokenRecord => domainRow(row, 'hash');

/** The audit log; the database itself refuses to change or delete its rows. */
export class AuditRepository implements AuditPort {
  constructor(private readonly database: Database) {}

  async append(entry: Omit<AuditEntry, 'id'>): Promise<void> {
    await appendAudit(this.database, entry);
  }

  /** Newest first. */
  async list(limit: number, beforeId?: number): Promise<readonly AuditEntry[]> {
    const where = beforeId === undefined ? {} : { id: LessThan(beforeId) };
    const rows = await this.database.read((manager) =>
      manager.find(AuditEntity, { where, order: { id: 'DESC' }, take: limit }),
    );
    return rows.map(withoutNulls) as readonly AuditEntry[];
  }
}
