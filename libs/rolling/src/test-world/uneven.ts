import { drive, type Ending } from './drive.js';
import { perform } from './perform.js';
import { testPolicy } from './stories.js';
import { RollWorld } from './world.js';

const READ_GAP = 5_000;
/** Short: a group launches the replacement when it begins to terminate, which the recurrence does not know. */
const TERMINATE = 1_000;

/** A pool whose nodes take very different times to drain; times in milliseconds. */
export interface UnevenRoll {
  readonly seed: number;
  readonly drains: readonly number[];
  readonly boot: number;
  readonly surge: number;
  readonly parallel: number;
}

/** mulberry32 */
function dice(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export function unevenRoll(seed: number): UnevenRoll {
  const random = dice(seed * 7_919);
  const count = 3 + Math.floor(random() * 22);
  const surge = 1 + Math.floor(random() * 3);
  return {
    seed,
    // Most drains are short, some are long: the square of an even distribution.
    drains: Array.from({ length: count }, () => 30_000 + Math.floor(random() ** 2 * 15) * 60_000),
    boot: 120_000 + Math.floor(random() * 5) * 60_000,
    surge,
    parallel: 1 + Math.floor(random() * surge),
  };
}

function unevenWorld({ seed, drains, boot }: UnevenRoll): RollWorld {
  return new RollWorld({
    seed,
    groups: [{ name: 'asg-workers', pool: 'workers', size: drains.length, maxSize: drains.length + 10 }],
    workloads: drains.map((graceMs, i) => ({
      name: `w${String(i).padStart(2, '0')}`,
      replicas: 1,
      maxUnavailable: 1,
      graceMs,
      startMs: 1_000,
    })),
    bootMs: boot,
    terminateMs: TERMINATE,
  });
}

/**
 * No roll can be faster: all drains have to pass through p slots after the first boot, every node's boot and drain holds
 * one of s places, and the longest drain begins after a boot.
 */
export function lowerBound({ drains, boot, surge, parallel }: UnevenRoll): number {
  const each = drains.map((drain) => drain + READ_GAP + TERMINATE);
  const sum = each.reduce((total, one) => total + one, 0);
  return Math.max(boot + sum / parallel, (sum + each.length * boot) / surge, boot + Math.max(...each));
}

/** Up to this many nodes every order is tried. */
export const TRIED = 7;

/** The time of the best roll of all: of every order for small pools, otherwise the bound that none can be below. */
export function optimum(roll: UnevenRoll): number {
  if (roll.drains.length > TRIED) return lowerBound(roll);
  return Math.min(...ordersOf(roll.drains).map((order) => timeOf(order, roll)));
}

/** The recurrence of `rollDuration` with drains that are known: nothing waits for anything but a place and a slot. */
function timeOf(order: readonly number[], { boot, surge, parallel }: UnevenRoll): number {
  const places = Array.from({ length: Math.min(surge, order.length) }, () => boot);
  const slots = Array.from({ length: parallel }, () => 0);
  let [launches, end] = [order.length - places.length, boot];
  for (const drain of order) {
    places.sort((a, b) => a - b);
    slots.sort((a, b) => a - b);
    const begin = Math.max(places.shift() ?? 0, slots.shift() ?? 0);
    const drained = begin + drain + READ_GAP;
    slots.push(drained + TERMINATE);
    end = Math.max(end, drained + TERMINATE);
    if (launches <= 0) continue;
    launches -= 1;
    places.push(drained + boot);
    end = Math.max(end, drained + boot);
  }
  return end;
}

function ordersOf(drains: readonly number[]): readonly (readonly number[])[] {
  if (drains.length <= 1) return [drains];
  return [...new Set(drains)].flatMap((first) => {
    const at = drains.indexOf(first);
    const rest = drains.filter((_, index) => index !== at);
    return ordersOf(rest).map((order) => [first, ...order]);
  });
}

export function rollUneven(roll: UnevenRoll): { readonly end: Ending; readonly world: RollWorld } {
  const world = unevenWorld(roll);
  const end = drive(world, {
    policy: testPolicy({
      minReady: 0,
      drainedReadGap: READ_GAP,
      lookAfterAction: 100,
      pollInterval: 300_000,
      maxSurge: roll.surge,
      parallelDrains: roll.parallel,
      clusterParallelDrains: roll.parallel,
    }),
    limits: { surge: roll.surge, parallelDrains: roll.parallel },
    keepMemory: true,
    maxMs: 96 * 3_600_000,
  });
  return { end, world };
}

/** The control: as many new nodes as the surge, wait for all, drain as many, wait for all, begin again. */
export function rollInBatches(roll: UnevenRoll, size = 3): number {
  const world = unevenWorld(roll);
  const began = world.now;
  const group = world.group('asg-workers');
  const until = (holds: () => boolean): void => {
    while (!holds()) world.advance(60_000, true);
  };
  const old = (): readonly string[] => group.instances.filter(({ original }) => original).map(({ id }) => id);
  while (old().length > 0) {
    const batch = old().slice(0, size);
    group.desired += batch.length;
    world.reconcile();
    until(() => group.instances.filter(({ node }) => node?.ready).length >= group.desired);
    const nodes = batch.map((id) => world.instance(id)?.node);
    for (const node of nodes) if (node) node.unschedulable = true;
    for (const pod of world.pods.filter(({ daemon, node }) => !daemon && nodes.some((n) => n?.name === node)))
      world.deletePod(pod);
    until(() => world.pods.every(({ daemon, node }) => daemon || !nodes.some((n) => n?.name === node)));
    world.advance(READ_GAP);
    for (const instance of batch) {
      perform(world, {
        kind: 'terminate',
        pool: 'workers',
        key: instance,
        reason: 'batch',
        group: group.name,
        instance,
        decrementDesired: true,
      });
    }
    until(() => batch.every((id) => world.instance(id) === undefined));
  }
  return world.now - began;
}
