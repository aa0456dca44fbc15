import { minutes, type Duration, type Instant } from '#kernel';
import type { RollAction } from './action.js';
import type { RollNote } from './decision.js';
import type {
  EvictionMemory,
  InstanceMemory,
  PoolMemory,
  RollAbort,
  RollHalt,
  RollMemory,
} from './memory.js';
import type { RollPolicy } from './policy.js';
import type { RollScope } from './scope.js';

/** An instance that changed its state has this long to change it again while it is looked at closely. */
const SETTLES_WITHIN = minutes(3);

/** Fields to set; those given as undefined are removed (memory is JSON: absent means unset). */
export type Change<T> = { readonly [K in keyof T]?: T[K] | undefined };

/** A decision in the making: the one mutable thing of this room, made and dropped inside `decide`. */
export class RollDraft {
  readonly actions: RollAction[] = [];
  readonly notes: RollNote[] = [];
  /** Evictions that a PDB still allows in this pass, so that several nodes do not spend the same disruption. */
  readonly allowance = new Map<string, number>();
  /** PDBs and controllers that were asked in this pass. */
  readonly probed = new Set<string>();
  readonly disturbed = new Map<string, number>();
  halted: RollHalt | undefined;
  readonly aborted: RollAbort | undefined;
  /** Boots that this pass may still ask for; the fleet's throttle. */
  bootsAllowed: number;
  /** Boots that this pass found complete. */
  cleanBoots = 0;
  private lookIn: Duration | undefined;
  private readonly pools: Map<string, PoolMemory>;
  private readonly instances: Map<string, InstanceMemory>;
  private readonly evictions: Map<string, EvictionMemory>;
  private readonly owners: Map<string, { readonly replicas: number; readonly at: Instant }>;
  private readonly updateId: string;

  constructor(
    readonly scope: RollScope,
    readonly now: Instant,
  ) {
    const superseded = scope.memory.updateId !== scope.updateId;
    this.updateId = scope.updateId;
    this.pools = new Map(
      Object.entries(scope.memory.pools).map(([k, pool]) => [k, superseded ? renewed(pool) : pool]),
    );
    this.instances = new Map(Object.entries(scope.memory.instances));
    this.evictions = new Map(Object.entries(scope.memory.evictions));
    this.owners = new Map(Object.entries(scope.memory.owners));
    this.halted = superseded ? undefined : scope.memory.halted;
    const { aborted } = scope.memory;
    this.aborted = aborted?.updateId === scope.updateId ? aborted : undefined;
    this.bootsAllowed = scope.bootThrottle?.free ?? Number.POSITIVE_INFINITY;
  }

  act(action: RollAction): void {
    this.actions.push(action);
  }

  note(note: RollNote): void {
    this.notes.push(note);
  }

  /** Something is due in this time. */
  look(inTime: Duration): void {
    const due = Math.max(0, inTime);
    this.lookIn = this.lookIn === undefined ? due : Math.min(this.lookIn, due);
  }

  /** For what nothing watches: closely while the instance is new in its state, then as for all else. */
  lookAtAws({ settleInterval, pollInterval }: RollPolicy, instanceId: string): void {
    const since = this.instance(instanceId)?.since ?? this.now;
    this.look(this.now - since < SETTLES_WITHIN ? Math.min(settleInterval, pollInterval) : pollInterval);
  }

  get nextLook(): Duration | undefined {
    return this.lookIn;
  }

  /** The first reason counts; later ones are its consequences. */
  halt(halt: Omit<RollHalt, 'at'>): void {
    this.halted ??= { ...halt, at: this.now };
  }

  pool(group: string): PoolMemory | undefined {
    return this.pools.get(group);
  }

  setPool(group: string, memory: PoolMemory): void {
    this.pools.set(group, memory);
  }

  changePool(group: string, change: Change<PoolMemory>): void {
    const before = this.pools.get(group);
    if (before) this.pools.set(group, merged(before, change));
  }

  instance(id: string): InstanceMemory | undefined {
    return this.instances.get(id);
  }

  setInstance(id: string, memory: InstanceMemory): void {
    this.instances.set(id, memory);
  }

  changeInstance(id: string, change: Change<InstanceMemory>): void {
    const before = this.instances.get(id);
    if (before) this.instances.set(id, merged(before, change));
  }

  /** Enters a state; `since` stays when it is in it already. */
  enter(id: string, state: InstanceMemory['state']): void {
    if (this.instances.get(id)?.state !== state) this.changeInstance(id, { state, since: this.now });
  }

  dropInstance(id: string): void {
    this.instances.delete(id);
  }

  instancesOf(group: string): readonly (readonly [string, InstanceMemory])[] {
    return [...this.instances].filter(([, memory]) => memory.group === group);
  }

  eviction(key: string): EvictionMemory | undefined {
    return this.evictions.get(key);
  }

  owner(uid: string): { readonly replicas: number; readonly at: Instant } | undefined {
    return this.owners.get(uid);
  }

  setOwner(uid: string, replicas: number): void {
    this.owners.set(uid, { replicas, at: this.now });
  }

  memory(): RollMemory {
    this.dropStale();
    return {
      version: 1,
      updateId: this.updateId,
      pools: Object.fromEntries(this.pools),
      instances: Object.fromEntries(this.instances),
      evictions: Object.fromEntries(this.evictions),
      owners: Object.fromEntries(this.owners),
      ...(this.halted && { halted: this.halted }),
      ...(this.aborted && { aborted: this.aborted }),
    };
  }

  /** Answers about pods and PDBs that are gone, and replica counts that no drain needs any more. */
  private dropStale(): void {
    this.dropStaleOwners();
    if (this.evictions.size === 0) return;
    const pods = new Set(this.scope.pods.map((pod) => `pod:${pod.uid}`));
    const pdbs = new Set(this.scope.pdbs.map((pdb) => `pdb:${pdb.namespace}/${pdb.name}`));
    for (const [key, memory] of this.evictions) {
      if (!pods.has(key) && !pdbs.has(key) && memory.nextAt <= this.now) this.evictions.delete(key);
    }
  }

  private dropStaleOwners(): void {
    for (const [uid, { at }] of this.owners) {
      if (this.now - at > OWNER_MEMORY) this.owners.delete(uid);
    }
  }
}

/** Longer than a replica takes to come back; short enough to follow an autoscaler that shrinks the controller. */
export const OWNER_MEMORY: Duration = 600_000;

/** A new update begins its own count and error budget; surge, sizes and nodes in flight stay as they are. */
function renewed(pool: PoolMemory): PoolMemory {
  return merged(pool, {
    replaced: [],
    failedBoots: [],
    consecutiveFailedBoots: 0,
    canaryAt: undefined,
    time: undefined,
  });
}

/** The same object where nothing changes: most of what a pass says of its nodes is as it was. */
function merged<T extends object>(before: T, change: Change<T>): T {
  const keys = (Object.keys(change) as (keyof T)[]).filter((key) => change[key] !== before[key]);
  if (keys.length === 0) return before;
  const after = { ...before, ...change } as T;
  for (const key of keys) if (after[key] === undefined) delete after[key];
  return after;
}
