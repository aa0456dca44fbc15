import type { Instant } from '#kernel';
import type { Lease } from './lease.port.js';

/** Something that a person asks a worker to do with the roll of a cluster. */
export interface RollRequest {
  readonly id: string;
  readonly clusterId: string;
  readonly kind: 'resume' | 'abort';
  /** The update that it is about; it has no effect on another one. */
  readonly updateId: string;
  readonly actor: string;
  readonly reason: string;
  readonly requestedAt: Instant;
}

/** Requests about rolls. Fencing as in `UpdateStorePort`. */
export interface RollStorePort {
  /** Stored with an audit row; the cluster becomes due at once. */
  requestRoll(request: RollRequest): Promise<void>;
  /** Oldest first. */
  openRollRequests(clusterId: string): Promise<readonly RollRequest[]>;
  settleRollRequests(lease: Lease, ids: readonly string[], result: string, now: Instant): Promise<void>;
}
