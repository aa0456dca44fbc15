import type { Instant } from '#kernel';
import type { ClusterOverride, FleetEvent, LockedInputs } from '#fleet';
import type { Lease } from './lease.port.js';

/** One version of a cluster's locked inputs. Versions are never changed; the highest is in force. */
export interface InputsLock {
  readonly clusterId: string;
  /** From 1. */
  readonly version: number;
  /** What was looked up and stays: neither decrypted values nor outputs of stacks, which are observed. */
  readonly inputs: LockedInputs;
  readonly reason: string;
  readonly createdAt: Instant;
}

/** Somebody asks a worker to look a cluster's inputs up anew. */
export interface RefreshRequest {
  readonly id: string;
  readonly clusterId: string;
  readonly actor: string;
  readonly reason: string;
  readonly requestedAt: Instant;
}

/** The config items of a cluster's last render as people see them: one JSON value per key, sensitive ones masked. */
export interface EffectiveConfigRecord {
  readonly clusterId: string;
  /** Identity of the render. */
  readonly digest: string;
  readonly commit: string;
  readonly items: readonly EffectiveItemRecord[];
  readonly renderedAt: Instant;
}

export interface EffectiveItemRecord {
  readonly key: string;
  readonly value: string;
  readonly sensitive: boolean;
  readonly commit: string;
  /** Lowest first; the last one is in force. */
  readonly layers: readonly {
    readonly layer: string;
    readonly value: string;
    readonly file?: string;
    readonly line?: number;
    readonly reason?: string;
    readonly expiresAt?: number;
  }[];
}

/** What every pass must know of a cluster's configuration, in one read. */
export interface ConfigStanding {
  readonly lock?: { readonly version: number; readonly digest: string };
  /** Somebody waits for a refresh of the inputs. */
  readonly refreshAsked: boolean;
  /** Not ended; those whose time is over are among them until `endOverrides`. In order of keys. */
  readonly overrides: readonly ClusterOverride[];
  /** Of the stored effective config. */
  readonly configDigest?: string;
}

/**
 * What renders are made from beside Git and the registry. Methods that take a lease check its token inside their
 * transaction, as in `UpdateStorePort`. What people ask for is audited and makes the cluster due at once.
 */
export interface ConfigStorePort {
  standing(clusterId: string): Promise<ConfigStanding>;

  inputsLock(clusterId: string): Promise<InputsLock | undefined>;
  /** Newest first. */
  inputsLocks(clusterId: string, limit: number): Promise<readonly InputsLock[]>;
  /** Rejects when the version is there already. */
  recordInputsLock(lease: Lease, lock: InputsLock, events: readonly FleetEvent[]): Promise<void>;
  requestRefresh(request: RefreshRequest): Promise<void>;
  /** Oldest first. */
  openRefreshes(clusterId: string): Promise<readonly RefreshRequest[]>;
  settleRefreshes(lease: Lease, ids: readonly string[], result: string, now: Instant): Promise<void>;

  /** Neither ended nor expired. */
  overrides(clusterId: string, now: Instant): Promise<readonly ClusterOverride[]>;
  /** Takes the place of the one that is in force for the key. */
  setOverride(override: ClusterOverride): Promise<void>;
  /** False: none was in force. */
  removeOverride(clusterId: string, key: string, actor: string, now: Instant): Promise<boolean>;
  /** Those whose time is over. */
  endOverrides(
    lease: Lease,
    ids: readonly string[],
    now: Instant,
    events: readonly FleetEvent[],
  ): Promise<void>;

  effectiveConfig(clusterId: string): Promise<EffectiveConfigRecord | undefined>;
  recordEffectiveConfig(lease: Lease, config: EffectiveConfigRecord): Promise<void>;

  /** Who last changed the cluster's record or its pools. */
  lastRecordActor(clusterId: string): Promise<string | undefined>;
}
