import type { Instant } from '#kernel';
import type { DriftFinding, PruneState } from '#fleet';
import type { Lease } from './lease.port.js';

/** Something that a person asks a worker to do with objects of a cluster. */
export interface ManifestRequest {
  readonly id: string;
  readonly clusterId: string;
  /** `look`: compare the objects now instead of with the next resync. */
  readonly kind: 'accept-drift' | 'correct-drift' | 'confirm-prune' | 'look';
  /** `refKey` of the object that drift requests are about. */
  readonly refKey?: string;
  /** Path of the field; absent: all of the object. */
  readonly path?: string;
  /** Digest of the prune decision that is confirmed. */
  readonly digest?: string;
  readonly actor: string;
  readonly reason: string;
  readonly requestedAt: Instant;
}

/** Findings about the objects of clusters, and requests about them. Fencing as in `UpdateStorePort`. */
export interface ManifestStorePort {
  driftFindings(clusterId: string): Promise<readonly DriftFinding[]>;
  /** The cluster's findings become exactly these. */
  recordDrift(lease: Lease, clusterId: string, findings: readonly DriftFinding[]): Promise<void>;
  pruneState(clusterId: string): Promise<PruneState | undefined>;
  /** Undefined: nothing is kept any more. */
  recordPruneState(lease: Lease, clusterId: string, state: PruneState | undefined): Promise<void>;

  /** Stored with an audit row; the cluster becomes due at once. */
  requestManifests(request: ManifestRequest): Promise<void>;
  /** Oldest first. */
  openManifestRequests(clusterId: string): Promise<readonly ManifestRequest[]>;
  settleManifestRequests(lease: Lease, ids: readonly string[], result: string, now: Instant): Promise<void>;
}
