import type { Instant } from '#kernel';

/** A config item that somebody set above everything else for a while. One per cluster and key is in force. */
export interface ClusterOverride {
  readonly id: string;
  readonly clusterId: string;
  readonly key: string;
  readonly value: string;
  readonly reason: string;
  readonly createdBy: string;
  readonly createdAt: Instant;
  readonly expiresAt: Instant;
}
