import type { Instant } from '#kernel';

export type Role = 'viewer' | 'operator' | 'approver' | 'admin';

/** Who called. */
export interface Principal {
  readonly tokenId: string;
  readonly name: string;
  readonly role: Role;
}

export interface TokenRecord {
  readonly id: string;
  readonly name: string;
  readonly role: Role;
  readonly createdAt: Instant;
  readonly expiresAt?: Instant;
  readonly lastUsedAt?: Instant;
  readonly revokedAt?: Instant;
}

/** API tokens. Only the SHA-256 of a token is stored; tokens are 256 random bits, prefixed `fwy_`. */
export interface TokenStorePort {
  /** The caller shows the secret once; the store gets its hash. */
  create(token: {
    readonly id: string;
    readonly name: string;
    readonly role: Role;
    readonly hash: string;
    readonly createdAt: Instant;
    readonly expiresAt?: Instant;
  }): Promise<void>;
  findByHash(hash: string, now: Instant): Promise<Principal | undefined>;
  list(): Promise<readonly TokenRecord[]>;
  revoke(id: string, now: Instant): Promise<boolean>;
}

export interface AuditEntry {
  readonly id: number;
  readonly at: Instant;
  readonly actor: string;
  readonly action: string;
  readonly subject: string;
  readonly reason?: string;
  readonly data: Readonly<Record<string, unknown>>;
}

export interface AuditPort {
  append(entry: Omit<AuditEntry, 'id'>): Promise<void>;
  list(limit: number, beforeId?: number): Promise<readonly AuditEntry[]>;
}
