import { formatDuration } from '#kernel';
import { BootThrottle } from '../boot-throttle.js';
import type { EvictionReply } from '../action.js';
import { decide } from '../decide.js';
import { observeEviction } from '../eviction.js';
import { newRollMemory, type RollMemory } from '../memory.js';
import { perform } from './perform.js';
import { testPolicy, workersOnly } from './stories.js';
import { RollWorld } from './world.js';

const CARRIES = 4;
const BOOT = 120_000;
/** More boots than it carries, and the registry serves nobody in time: pulls time out and begin again. */
const NEVER = 100 * 3_600_000;
const REGISTRY = ['registry/shared'];

interface Shared {
  readonly states: readonly string[];
  readonly mostBoots: number;
  readonly failedBoots: number;
  readonly figures: string;
}

/** Longer, with pulls that fail on the way, where more than the registry carries boot at a time. */
const SLOW = 480_000;

/**
 * The same with a throttle that does not know what the registry carries: it begins with eight boots, sees ErrImagePull
 * on the nodes (`pulls`), or nothing but that they take long (`slow`), and halves. Returns how many boots there were at
 * most in each ten minutes, and the share of the time in which there were more than the registry carries.
 */
export function fiveClustersLearn(
  sign: 'pulls' | 'slow',
): Shared & { readonly most: readonly number[]; readonly overloaded: number } {
  const worlds: RollWorld[] = [];
  const inFlight = (): number =>
    worlds.flatMap((world) => world.allInstances()).filter((one) => !one.original && !one.node?.ready).length;
  for (let i = 0; i < 5; i += 1) {
    const bootMs = (): number => (inFlight() > CARRIES ? SLOW : BOOT);
    worlds.push(
      new RollWorld(
        workersOnly(12, { seed: i + 1, bootMs, pullsFail: () => sign === 'pulls' && inFlight() > CARRIES }),
      ),
    );
  }
  const run = new SharedRun(worlds, true, new BootThrottle({ start: 8, least: 1, most: 64 }));
  const most: number[] = [];
  let [tick, over] = [0, 0];
  for (; tick < 8 * 720 && !run.isOver(); tick += 1) {
    run.round();
    const slot = Math.floor(tick / 120);
    most[slot] = Math.max(most[slot] ?? 0, inFlight());
    if (inFlight() > CARRIES) over += 1;
    for (const world of worlds) world.advance(5_000);
  }
  return { ...run.result(Math.max(...most)), most, overloaded: over / tick };
}

/** Five clusters of six nodes, surge 2 each, whose nodes pull from one registry. */
export function fiveClusters(throttled: boolean): Shared {
  const worlds: RollWorld[] = [];
  const inFlight = (): number =>
    worlds.flatMap((world) => world.allInstances()).filter((one) => !one.original && !one.node?.ready).length;
  for (let i = 0; i < 5; i += 1) {
    const bootMs = (): number => (inFlight() > CARRIES ? NEVER : BOOT);
    worlds.push(new RollWorld(workersOnly(6, { seed: i + 1, bootMs })));
  }
  const run = new SharedRun(worlds, throttled);
  let mostBoots = 0;
  for (let tick = 0; tick < 6 * 720 && !run.isOver(); tick += 1) {
    run.round();
    mostBoots = Math.max(mostBoots, inFlight());
    for (const world of worlds) world.advance(5_000);
  }
  return run.result(mostBoots);
}

class SharedRun {
  private readonly memories: RollMemory[];
  private readonly states: string[];
  private readonly failed = new Set<string>();
  private elapsed = 0;

  constructor(
    private readonly worlds: readonly RollWorld[],
    private readonly throttled: boolean,
    private readonly throttle = new BootThrottle({ start: 4, least: 1, most: 4 }),
  ) {
    this.memories = worlds.map(() => newRollMemory('u1'));
    this.states = worlds.map(() => 'working');
  }

  isOver(): boolean {
    return this.states.every((state) => state === 'done' || state === 'halted');
  }

  round(): void {
    this.elapsed += 5_000;
    for (const [i, world] of this.worlds.entries()) this.pass(i, world);
  }

  private pass(i: number, world: RollWorld): void {
    const memory = this.memories[i] as RollMemory;
    const scope = world.scope(
      memory,
      this.throttled ? { bootThrottle: this.throttle.free(REGISTRY, world.now) } : {},
    );
    const decision = decide(scope, testPolicy({ maxSurge: 2 }), world.now);
    this.throttle.report(`c${i}`, REGISTRY, decision.boots, world.now);
    let after = decision.memory;
    for (const action of decision.actions) {
      const answer = perform(world, action);
      if (action.kind === 'evict' && answer)
        after = observeEviction(after, action, answer as EvictionReply, world.now);
    }
    this.memories[i] = after;
    this.states[i] = decision.state;
    for (const pool of Object.values(after.pools))
      for (const boot of pool.failedBoots) this.failed.add(`${i} ${boot.instanceId}`);
  }

  result(mostBoots: number): Shared {
    const done = this.states.filter((state) => state === 'done').length;
    const figures = `${done} of 5 clusters done after ${formatDuration(this.elapsed)}, at most ${mostBoots} boots at a time, ${this.failed.size} failed`;
    return { states: this.states, mostBoots, failedBoots: this.failed.size, figures };
  }
}
