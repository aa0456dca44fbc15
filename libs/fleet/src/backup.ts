import type { Instant } from '#kernel';

/**
 * - `etcd` a snapshot of etcd's database in S3
 * - `velero` a `Backup` object that Velero carries out in the cluster
 * - `resources` every listable API object as YAML in S3
 */
export const BACKUP_PROVIDERS = ['etcd', 'velero', 'resources'] as const;
export type BackupProvider = (typeof BACKUP_PROVIDERS)[number];

/**
 * - `running` recorded before the first outside write; nothing is known to exist yet
 * - `good` complete, read back and verified: evidence
 * - `partial` Velero left something out: evidence only with an approved exception
 * - `failed` no evidence; what was written was taken away again
 * - `damaged` was good, and a later verification found it otherwise
 * - `deleting` no evidence any more: retention is taking it away
 * - `expired` deleted by retention or by its own TTL
 */
export type BackupState = 'running' | 'good' | 'partial' | 'failed' | 'damaged' | 'deleting' | 'expired';

export type BackupTrigger = 'schedule' | 'update' | 'request' | 'decommission';

/** Somebody with the right lets a partial backup count as evidence. */
export interface BackupException {
  readonly by: string;
  readonly reason: string;
  readonly at: Instant;
}

/** A restore into a scratch etcd member. */
export interface BackupDrill {
  readonly at: Instant;
  /** etcd revision of the restored member, decimal. */
  readonly revision: string;
  /** Live keys of the restored member. */
  readonly keys: number;
}

export interface BackupMember {
  readonly name: string;
  readonly peerUrl: string;
}

/** One backup of one cluster by one provider: first an intention, later evidence or a failure. */
export interface BackupRecord {
  readonly id: string;
  readonly clusterId: string;
  readonly provider: BackupProvider;
  readonly state: BackupState;
  readonly trigger: BackupTrigger;
  /** `fairway` or the person who asked. */
  readonly actor: string;
  /** The update that waits for it. */
  readonly updateId?: string;
  /** Commit that the cluster ran when it was taken: what it can be brought back to. */
  readonly commit?: string;
  /** The content is at least as new as this. Age counts from here. */
  readonly startedAt: Instant;
  readonly finishedAt?: Instant;
  /** When the provider itself deletes it (Velero's TTL). */
  readonly expiresAt?: Instant;
  /** `s3://bucket/key`, or `velero:namespace/name`. */
  readonly location: string;
  readonly sizeBytes?: number;
  /** SHA-256 of the stored object, hexadecimal. */
  readonly sha256?: string;
  /** etcd revision of the snapshot, decimal. */
  readonly revision?: string;
  /** The members of etcd when the snapshot was taken: a restore needs their names and peer URLs. */
  readonly members?: readonly BackupMember[];
  /** Live keys (etcd) or objects (velero, resources). */
  readonly items?: number;
  /** How it stands, for people. Never a secret. */
  readonly message: string;
  /** When the stored bytes were last read back and found intact. */
  readonly verifiedAt?: Instant;
  readonly drill?: BackupDrill;
  readonly exception?: BackupException;
}

/** Something that a person or an update asks a worker to do about backups of a cluster. */
export interface BackupRequest {
  readonly id: string;
  readonly clusterId: string;
  readonly kind: 'create' | 'verify' | 'drill';
  /** For `create`; empty: all that the cluster's policy names. */
  readonly providers: readonly BackupProvider[];
  /** For `verify` and `drill`. */
  readonly backupId?: string;
  readonly updateId?: string;
  readonly trigger: BackupTrigger;
  readonly actor: string;
  readonly reason: string;
  readonly requestedAt: Instant;
}

/** What is known of a cluster's backups without asking the outside. */
export interface BackupStanding {
  readonly clusterId: string;
  /** That the cluster's configuration asks for; empty: no backup is configured. */
  readonly providers: readonly BackupProvider[];
  /** Why the configuration cannot be followed. */
  readonly problem?: string;
  /** The newest usable (good, or partial with an exception) backup of each provider. */
  readonly evidence: readonly BackupRecord[];
  /** The newest attempt of each provider that ended otherwise, where it is newer than the evidence. */
  readonly failures: readonly BackupRecord[];
  /** The newest restore drill that agreed. */
  readonly drilledAt?: Instant;
}
