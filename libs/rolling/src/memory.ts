import type { Instant } from '#kernel';
import type { Taint } from '#fleet';

/**
 * What one pass leaves for the next. Plain JSON; stored together with the intents *before* the actions run, so every
 * field says what was intended and `decide` finds out by observation what of it happened.
 */
export interface RollMemory {
  readonly version: 1;
  readonly updateId: string;
  /** By the name of the auto scaling group: a pool may have one per zone. */
  readonly pools: Readonly<Record<string, PoolMemory>>;
  /** By instance id. Entries go away when the instance and its Node are gone. */
  readonly instances: Readonly<Record<string, InstanceMemory>>;
  /** By `pdb:<namespace>/<name>` and `pod:<uid>`. */
  readonly evictions: Readonly<Record<string, EvictionMemory>>;
  /** By the uid of a controller without PDB: how many replicas it had before we disturbed it. */
  readonly owners: Readonly<Record<string, { readonly replicas: number; readonly at: Instant }>>;
  /** Set by the brain; cleared by `resumeRoll` or by another update (a new revision may be the cure). */
  readonly halted?: RollHalt;
  /** An operator ended the roll of one update; cleared by `resumeRoll`. */
  readonly aborted?: RollAbort;
}

export interface RollAbort {
  /** It has no effect on another update. */
  readonly updateId: string;
  readonly at: Instant;
  readonly by: string;
  readonly reason: string;
}

export interface RollHalt {
  readonly code: string;
  readonly pool: string;
  readonly reason: string;
  readonly at: Instant;
  readonly diagnostics: readonly string[];
}

export interface PoolMemory {
  readonly pool: string;
  readonly startedAt: Instant;
  /** For which update nothing is outdated and nothing of ours is left. */
  readonly finished?: { readonly updateId: string; readonly at: Instant };
  /** Sizes of the ASG before we touched it. */
  readonly original: { readonly minSize: number; readonly maxSize: number; readonly desiredCapacity: number };
  /** Instances that we added to the desired capacity and have not taken back. */
  readonly surgeOwed: number;
  /** A raise that was intended and not seen yet. */
  readonly surgePending?: { readonly from: number; readonly to: number; readonly at: Instant };
  /** The maximum that we set, while it is ours. */
  readonly raisedMax?: number;
  readonly azRebalanceSuspendedByUs: boolean;
  /** A machine that was asked for in one zone and is not in the group yet. */
  readonly zoneLaunch?: {
    readonly zone: string;
    readonly token: string;
    readonly at: Instant;
    readonly askedAt: Instant;
    readonly instance?: string;
  };
  /** Zones in which EC2 refused a launch. */
  readonly zoneBackoff?: Readonly<
    Record<
      string,
      {
        readonly intervalMs: number;
        readonly nextAt: Instant;
        readonly since: Instant;
        readonly message: string;
        /** Launches refused since then: each next one asks for the next type of the group. */
        readonly refusals?: number;
      }
    >
  >;
  /** How uneven the zones were when one more instance was last asked for to even them out. */
  readonly evening?: number;
  /** That did not help: AZRebalance stays suspended after the roll. */
  readonly leftUneven?: boolean;
  /** What the group launched since it has this target, as far as it was outdated from the start. */
  readonly launches?: {
    readonly target: string;
    readonly since: Instant;
    readonly outdated: readonly string[];
  };
  readonly frozenSince?: Instant;
  /** Since when the group has fewer instances than its desired capacity. */
  readonly shortSince?: Instant;
  /** Old instances replaced by this roll. */
  readonly replaced: readonly string[];
  readonly failedBoots: readonly {
    readonly instanceId: string;
    readonly at: Instant;
    readonly reason: string;
  }[];
  /** Reset by a boot that succeeds. */
  readonly consecutiveFailedBoots: number;
  /** When the first old node was gone and its replacement complete. */
  readonly canaryAt?: Instant;
  /** Exponentially smoothed measurements in milliseconds. */
  readonly bootMs?: number;
  readonly drainMs?: number;
  /** What a boot takes where nothing is strained; strained ones raise it slowly, so that a lasting change becomes usual. */
  readonly usualBootMs?: number;
  /** What the time since the start went into, by cause, and what it goes into now. */
  readonly time?: RollTime;
}

export interface RollTime {
  readonly at: Instant;
  readonly cause: TimeCause;
  readonly spent: Readonly<Partial<Record<TimeCause, number>>>;
}

/**
 * `drain` all drain slots are at work · `boot` waits for new nodes · `pdb`, `responder`, `hold` somebody keeps a pod ·
 * `throttle` the fleet's boots · `control-plane` its gate, or masters first · `paused`, `halted` people · `capacity` AWS
 * gives no instances, or too few nodes are available · `canary` its soak · `fairway` between two of our own writes ·
 * `finish` tidying up.
 */
export type TimeCause =
  | 'drain'
  | 'boot'
  | 'pdb'
  | 'responder'
  | 'hold'
  | 'throttle'
  | 'control-plane'
  | 'paused'
  | 'halted'
  | 'capacity'
  | 'canary'
  | 'fairway'
  | 'finish';

export type OldNodeState =
  | 'current'
  | 'queued'
  | 'nominated'
  | 'cordoned'
  | 'lb-excluded'
  | 'draining'
  | 'drained'
  | 'terminating'
  | 'instance-gone'
  | 'slow-lane'
  | 'quarantined'
  | 'lost';
export type NewNodeState =
  'requested' | 'launched' | 'registered' | 'ready' | 'initialised' | 'in-service' | 'failed-boot';

export interface InstanceMemory {
  readonly pool: string;
  readonly group: string;
  readonly zone: string;
  readonly nodeName?: string;
  readonly nodeUid?: string;
  readonly state: OldNodeState | NewNodeState;
  readonly since: Instant;
  readonly firstSeenAt: Instant;
  /** Why it leaves, once it was chosen. `surplus`: a current instance that goes only to give surge back. */
  readonly leaves?: 'outdated' | 'surplus' | 'failed-boot';
  /** When it was chosen to be drained. */
  readonly nominatedAt?: Instant;
  /** The node's `readySince` and when we first saw that value: our clock and the cluster's may differ. */
  readonly readySeen?: { readonly value: string; readonly at: Instant };
  readonly prior?: NodePrior;
  /** Scale-in protection was set by us. */
  readonly protectedByUs?: boolean;
  /** Its boot showed strain on what clusters share: it does not count as a clean one. */
  readonly strained?: true;
  readonly initialisedAt?: Instant;
  readonly drainStartedAt?: Instant;
  readonly lbExcludedAt?: Instant;
  /** Target groups from which we took it. */
  readonly deregistered?: readonly string[];
  readonly blockedSince?: Instant;
  readonly blockedBy?: readonly Blocker[];
  /** What the drain waits for that is somebody's work: a responder, a hold, an eviction that takes effect. */
  readonly waitsFor?: readonly Blocker[];
  /** Milliseconds that ended blocks have cost: what a drain would have taken without them is measured. */
  readonly blockedMs?: number;
  /** Replicas of databases whose primary is on this node, moved before it is drained, and since when. */
  readonly replicasMoved?: readonly string[];
  readonly replicasMovedAt?: Instant;
  /** The pod with volumes that was evicted last: the next one waits until its volumes are elsewhere. */
  readonly volumeMove?: {
    readonly pod: string;
    readonly uid: string;
    /** `namespace/claim` */
    readonly claims: readonly string[];
    readonly goneAt?: Instant;
  };
  /** Since when its kubelet is taken for dead and its pods are deleted. */
  readonly givenUpAt?: Instant;
  /** The ladder's last deletion on this node. */
  readonly forcedAt?: Instant;
  /** First read that found nothing to drain. */
  readonly emptySince?: Instant;
  readonly terminate?: {
    readonly decrement: boolean;
    readonly desiredBefore: number;
    readonly at: Instant;
    /** Why it is terminated without having been drained, where it was not. */
    readonly exemption?: string;
    /** The decrement was seen and taken off `surgeOwed`. */
    readonly settled?: boolean;
  };
}

/** Values of everything we mark on a node, from before the first mark. null: was absent. */
export interface NodePrior {
  readonly unschedulable: boolean;
  readonly labels: Readonly<Record<string, string | null>>;
  readonly annotations: Readonly<Record<string, string | null>>;
  readonly taints: readonly Taint[];
}

/** What keeps a pod on its node. */
export interface Blocker {
  readonly code: string;
  readonly pod: string;
  readonly pdb?: string;
  readonly message: string;
}

export interface EvictionMemory {
  readonly kind: string;
  readonly message: string;
  readonly attempts: number;
  readonly firstAt: Instant;
  readonly lastAt: Instant;
  readonly intervalMs: number;
  readonly nextAt: Instant;
}

export const newRollMemory = (updateId: string): RollMemory => ({
  version: 1,
  updateId,
  pools: {},
  instances: {},
  evictions: {},
  owners: {},
});

/** Memory as it came from the store. Anything but this version's shape begins anew: marks on the nodes are still read. */
export function readRollMemory(stored: unknown, updateId: string): RollMemory {
  const value = stored as Partial<RollMemory> | null | undefined;
  if (typeof value !== 'object' || value === null || value.version !== 1) return newRollMemory(updateId);
  return { ...newRollMemory(updateId), ...value };
}

/** A roll was begun and has not ended. */
export const isUnderWay = ({ pools }: RollMemory): boolean =>
  Object.values(pools).some(({ finished }) => finished === undefined);

/** Nothing more is started; what is not drained is given back, what is drained is finished, the surge is taken back. */
export function abortRoll(memory: RollMemory, aborted: RollAbort): RollMemory {
  const { halted: _halted, ...rest } = memory;
  return { ...rest, aborted };
}

/** An operator has looked at what stopped the roll, or thinks better of an abort: the error budget starts again. */
export function resumeRoll(memory: RollMemory): RollMemory {
  const { halted: _halted, aborted: _aborted, ...rest } = memory;
  const pools = Object.entries(memory.pools).map(
    ([name, pool]) => [name, { ...pool, consecutiveFailedBoots: 0, failedBoots: [] }] as const,
  );
  return { ...rest, pools: Object.fromEntries(pools) };
}
