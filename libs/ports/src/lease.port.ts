import type { Duration, Instant } from '#kernel';

/** The right to write about one subject. Every later holder has a greater token; a write with an older one is refused. */
export interface Lease {
  /** `cluster/<id>`, `channel/<name>`, `repository/<url>`, `schedule/<name>` */
  readonly name: string;
  readonly token: number;
  readonly expiresAt: Instant;
}

/** Database leases with fencing tokens. The database's clock decides on expiry. */
export interface LeasePort {
  /** Undefined while somebody else holds it. */
  acquire(name: string, ttl: Duration): Promise<Lease | undefined>;
  /** Undefined if it was lost meanwhile; the holder must then stop writing. */
  renew(lease: Lease, ttl: Duration): Promise<Lease | undefined>;
  release(lease: Lease): Promise<void>;
}
