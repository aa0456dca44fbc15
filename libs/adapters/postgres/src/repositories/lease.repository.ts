import { fail, type Duration } from '#kernel';
import type { Lease, LeasePort } from '#ports';
import type { Database, Queryable } from '../database.js';

const ACQUIRE = `
  INSERT INTO leases (name, token, expires_at)
  VALUES ($1, nextval('lease_token_seq'), clock_timestamp() + $2 * interval '1 millisecond')
  ON CONFLICT (name) DO UPDATE
     SET token = nextval('lease_token_seq'), expires_at = EXCLUDED.expires_at
   WHERE leases.expires_at <= clock_timestamp()
  RETURNING token, expires_at`;

const RENEW = `
  UPDATE leases SET expires_at = clock_timestamp() + $3 * interval '1 millisecond'
   WHERE name = $1 AND token = $2
  RETURNING token, expires_at`;

/** The released token must not be good for anything, so the row gets one that nobody holds. */
const RELEASE = `
  UPDATE leases SET expires_at = '-infinity', token = nextval('lease_token_seq')
   WHERE name = $1 AND token = $2`;

interface LeaseRow {
  readonly token: number;
  readonly expires_at: Date;
}

/** Leases with fencing tokens; only the database's clock counts. */
export class LeaseRepository implements LeasePort {
  constructor(private readonly database: Database) {}

  async acquire(name: string, ttl: Duration): Promise<Lease | undefined> {
    const [row] = await this.database.rows<LeaseRow>(ACQUIRE, [name, ttl]);
    return row && { name, token: row.token, expiresAt: row.expires_at.getTime() };
  }

  async renew(lease: Lease, ttl: Duration): Promise<Lease | undefined> {
    const [row] = await this.database.rows<LeaseRow>(RENEW, [lease.name, lease.token, ttl]);
    return row && { name: lease.name, token: row.token, expiresAt: row.expires_at.getTime() };
  }

  async release(lease: Lease): Promise<void> {
    await this.database.execute(RELEASE, [lease.name, lease.token]);
  }
}

/** Text of a common table expression `fence` with one row while the lease `($1, $2)` is held. See {@link fence}. */
export const FENCE = 'fence AS MATERIALIZED (SELECT 1 FROM leases WHERE name = $1 AND token = $2 FOR SHARE)';

/**
 * First statement of every leased transaction. The shared row lock makes a new holder wait for our commit, and us for
 * a holder that is just taking over: whoever comes second sees the other. An expired lease that nobody took is good.
 */
export async function fence(tx: Queryable, lease: Lease): Promise<void> {
  const held = await tx.rows('SELECT 1 FROM leases WHERE name = $1 AND token = $2 FOR SHARE', [
    lease.name,
    lease.token,
  ]);
  if (held.length === 0) leaseLost(lease);
}

export const leaseLost = (lease: Lease): never =>
  fail({
    class: 'conflict',
    code: 'lease-lost',
    message: `the lease on ${lease.name} with token ${lease.token} is held by somebody else or was released`,
    hint: 'Stop writing, and start a new pass.',
  });
