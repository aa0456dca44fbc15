import type { Duration, Instant } from '#kernel';
import type {
  ClusterLifecycle,
  ClusterStanding,
  ClusterStatus,
  FleetEvent,
  LockedInputs,
  ObjectRef,
  Plan,
  StepKind,
  Update,
  UpdateState,
} from '#fleet';
import type { Lease } from './lease.port.js';
import type { ManifestStorePort } from './manifest-store.port.js';
import type { RollStorePort } from './roll-store.port.js';

/** What the engine keeps about one cluster between two passes. */
export interface ClusterRuntime {
  readonly clusterId: string;
  readonly status?: ClusterStatus;
  /** The revision that the cluster's channel admitted it to (by wave); what a pass works towards. */
  readonly admittedRevisionId?: string;
  readonly nextDueAt?: Instant;
  /** Counts doorbells; a pass clears `nextDueAt` only up to the count it saw at its start. */
  readonly doorbell: number;
  /** Small JSON values of step runners, by key (for example the roll's memory of a pool). */
  readonly memory: Readonly<Record<string, unknown>>;
  /** Lock of the last render, without decrypted values. */
  readonly inputs?: LockedInputs;
}

/** A write to the outside that is about to happen. Unique by (update, step, target, verb, generation). */
export interface Intent {
  readonly id: string;
  readonly updateId: string;
  readonly clusterId: string;
  readonly step: StepKind;
  /** What is written: an instance id, a stack name, an object key … */
  readonly target: string;
  /** `terminate`, `set-desired-capacity`, `execute-change-set`, `evict` … */
  readonly verb: string;
  /** What the writer saw and wants, so that a later process can tell done from not done. Never a secret. */
  readonly data: Readonly<Record<string, unknown>>;
  readonly recordedAt: Instant;
  readonly settledAt?: Instant;
  readonly result?: string;
}

export type NewIntent = Omit<Intent, 'settledAt' | 'result'>;

/** The one transaction that ends a pass. */
export interface PassCommit {
  readonly status: ClusterStatus;
  readonly doorbellSeen: number;
  /** When to look again without being woken; undefined when nothing is left to do. */
  readonly nextDueAt?: Instant;
  readonly memory: Readonly<Record<string, unknown>>;
  readonly inputs?: LockedInputs;
  readonly update?: {
    readonly id: string;
    readonly state: UpdateState;
    readonly plan?: Plan;
    readonly desiredDigest?: string;
  };
  readonly lifecycle?: ClusterLifecycle;
  readonly events: readonly FleetEvent[];
}

/** An object that Fairway applied, for prune decisions. */
export interface InventoryEntry {
  readonly ref: ObjectRef;
  readonly uid?: string;
  readonly component: string;
  /** Digest of the pair (content in Git, content in the cluster) when a dry-run last found no difference. */
  readonly confirmed?: string;
}

/**
 * Updates, intents and runtime of clusters. Methods that take a lease check its token inside their transaction and
 * reject with `lease-lost` (class conflict) when somebody else holds it now.
 */
export interface UpdateStorePort extends ManifestStorePort, RollStorePort {
  /** Clusters due at or before `now`, longest waiting first; decommissions, resumed and new ones before the others. */
  due(now: Instant, limit: number): Promise<readonly string[]>;
  /** Makes clusters due at once and counts a doorbell. */
  markDue(clusterIds: readonly string[], now: Instant): Promise<void>;
  runtime(clusterId: string): Promise<ClusterRuntime | undefined>;
  runtimes(clusterIds: readonly string[]): Promise<readonly ClusterRuntime[]>;
  /** Every cluster of a channel with what decisions over channels look at, in one query. */
  channelStandings(channel: string): Promise<readonly ClusterStanding[]>;

  startUpdate(
    lease: Lease,
    update: Update,
    supersedes: string | undefined,
    events: readonly FleetEvent[],
  ): Promise<void>;
  openUpdate(clusterId: string): Promise<Update | undefined>;
  listUpdates(clusterId: string, limit: number): Promise<readonly Update[]>;
  getUpdate(id: string): Promise<Update | undefined>;

  /** Recorded in one transaction, together with the memory that makes them understandable after a crash. */
  recordIntents(
    lease: Lease,
    intents: readonly NewIntent[],
    memory?: Readonly<Record<string, unknown>>,
  ): Promise<void>;
  settleIntents(lease: Lease, ids: readonly string[], result: string, now: Instant): Promise<void>;
  unsettledIntents(clusterId: string): Promise<readonly Intent[]>;
  listIntents(updateId: string): Promise<readonly Intent[]>;

  commitPass(lease: Lease, commit: PassCommit): Promise<void>;

  inventory(clusterId: string): Promise<readonly InventoryEntry[]>;
  recordInventory(lease: Lease, clusterId: string, entries: readonly InventoryEntry[]): Promise<void>;
}

/** Wakes workers. Losing it loses latency only: due work is found in the database. */
export interface DoorbellPort {
  /** At most one waiting ring per key (`cluster/<id>`, `channel/<name>`, `repository/<url>`); a new one brings it forward. */
  ring(key: string, delay?: Duration): Promise<void>;
}
