import { describe, expect, it } from 'vitest';
import { seconds } from '#kernel';
import { ScaledScheduler } from './scaled-scheduler.js';
import { SeededRandom } from './seeded-random.js';
import { STORY_START, VirtualScheduler } from './virtual-scheduler.js';

describe('VirtualScheduler', () => {
  it('fires in the order of time, and of planning where times are equal', () => {
    const scheduler = new VirtualScheduler();
    const seen: string[] = [];
    const at = (name: string, delay: number): void =>
      void scheduler.after(seconds(delay), () =>
        seen.push(`${name}@${(scheduler.now() - STORY_START) / 1000}`),
      );
    at('late', 5);
    at('first', 1);
    at('second', 1);
    scheduler.after(seconds(2), () => at('nested', 0));
    const cancel = scheduler.after(seconds(3), () => seen.push('cancelled'));
    cancel();
    scheduler.advance(seconds(4));
    expect(seen).toEqual(['first@1', 'second@1', 'nested@2']);
    expect(scheduler.now()).toBe(STORY_START + 4000);
    expect(scheduler.pending).toBe(1);
  });

  it('runs until a predicate holds, or to the limit', () => {
    const scheduler = new VirtualScheduler(0);
    let ticks = 0;
    const tick = (): void => {
      ticks++;
      scheduler.after(seconds(1), tick);
    };
    tick();
    expect(scheduler.runUntil(() => ticks === 5, seconds(60))).toBe(true);
    expect(scheduler.now()).toBe(4000);
    expect(scheduler.runUntil(() => false, seconds(10))).toBe(false);
    expect(scheduler.now()).toBe(14_000);
  });

  it('keeps order among many', () => {
    const scheduler = new VirtualScheduler(0);
    const random = new SeededRandom(3);
    const seen: number[] = [];
    for (let i = 0; i < 2000; i++) scheduler.after(random.int(0, 500), () => seen.push(scheduler.now()));
    scheduler.advance(seconds(1));
    expect(seen).toHaveLength(2000);
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
  });

  it('lets promises settle between events', async () => {
    const scheduler = new VirtualScheduler(0);
    const sleep = (delay: number): Promise<void> =>
      new Promise((resolve) => void scheduler.after(delay, resolve));
    let over = false;
    void (async () => {
      for (let i = 0; i < 3; i++) await sleep(seconds(10));
      over = true;
    })();
    expect(await scheduler.runUntilAsync(() => over, seconds(60))).toBe(true);
    expect(scheduler.now()).toBe(30_000);
  });
});

describe('ScaledScheduler', () => {
  it('tells true time and shortens delays; close cancels', async () => {
    const scheduler = new ScaledScheduler(1000, { keepAlive: true });
    const before = Date.now();
    await new Promise<void>((resolve) => void scheduler.after(seconds(20), resolve));
    const took = scheduler.now() - before;
    expect(took).toBeGreaterThanOrEqual(15);
    expect(took).toBeLessThan(seconds(20));
    let late = false;
    scheduler.after(seconds(1), () => (late = true));
    scheduler.close();
    scheduler.after(0, () => (late = true));
    const witness = new ScaledScheduler(1000, { keepAlive: true });
    await new Promise<void>((resolve) => void witness.after(seconds(10), resolve)); // planned later than both
    expect(late).toBe(false);
  });
});

describe('SeededRandom', () => {
  it('replays, and forks into independent streams', () => {
    const draw = (random: SeededRandom): number[] => Array.from({ length: 20 }, () => random.int(1, 6));
    expect(draw(new SeededRandom(42))).toEqual(draw(new SeededRandom(42)));
    expect(draw(new SeededRandom(42))).not.toEqual(draw(new SeededRandom(43)));
    const parent = new SeededRandom(42);
    const fork = draw(parent.fork('a'));
    expect(fork).toEqual(draw(new SeededRandom(42).fork('a')));
    expect(fork).not.toEqual(draw(parent.fork('b')));
    expect(new Set(draw(parent))).toEqual(new Set([1, 2, 3, 4, 5, 6]));
    expect(parent.uuid()).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}$/);
  });
});
