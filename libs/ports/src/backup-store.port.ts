import type { Instant } from '#kernel';
import type {
  BackupException,
  BackupProvider,
  BackupRecord,
  BackupRequest,
  BackupStanding,
  FleetEvent,
} from '#fleet';
import type { Lease } from './lease.port.js';

export interface BackupFilter {
  /** One of them, where there are several. */
  readonly state?: BackupRecord['state'] | readonly BackupRecord['state'][];
  readonly provider?: BackupProvider;
}

/** A request that was settled, for whoever asked. */
export interface SettledBackupRequest extends BackupRequest {
  readonly settledAt?: Instant;
  readonly result?: string;
}

/** What a backup pass leaves behind. */
export interface BackupCommit {
  readonly clusterId: string;
  readonly providers: readonly BackupProvider[];
  readonly problem?: string;
  readonly nextDueAt: Instant;
  readonly requests: readonly { readonly id: string; readonly result: string }[];
}

/**
 * Backups as evidence, and requests about them. Methods that take a lease (`backup/<cluster id>`) check its token inside
 * their transaction, as in `UpdateStorePort`. What people ask for is audited.
 */
export interface BackupStorePort {
  /** What gates read: one query for any number of clusters. Clusters that no pass has seen yet are absent. */
  backupStandings(clusterIds: readonly string[]): Promise<ReadonlyMap<string, BackupStanding>>;

  /** Newest first. */
  backups(clusterId: string, limit: number, filter?: BackupFilter): Promise<readonly BackupRecord[]>;
  getBackup(id: string): Promise<BackupRecord | undefined>;
  /** The intention, before the first outside write. Rejects when the id is there already. */
  recordBackup(lease: Lease, backup: BackupRecord): Promise<void>;
  /** Replaces the record, exception aside; events go with it. */
  saveBackup(lease: Lease, backup: BackupRecord, events: readonly FleetEvent[]): Promise<void>;
  /** False unless the backup is partial and has no exception. */
  approveBackup(id: string, exception: BackupException): Promise<boolean>;

  /** The cluster's backups become due at once. A request with the id of another one changes nothing. */
  requestBackup(request: BackupRequest): Promise<void>;
  /** Oldest first. */
  openBackupRequests(clusterId: string): Promise<readonly BackupRequest[]>;
  getBackupRequest(id: string): Promise<SettledBackupRequest | undefined>;

  /** Clusters whose backups must be looked at, longest waiting first; never decommissioned ones. */
  dueBackups(now: Instant, limit: number): Promise<readonly string[]>;
  /** Brings the next look forward. */
  markBackupsDue(clusterIds: readonly string[], at: Instant): Promise<void>;
  commitBackups(lease: Lease, commit: BackupCommit, now: Instant): Promise<void>;
}
