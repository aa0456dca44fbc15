import { describe, expect, it } from 'vitest';
import { milliseconds, seconds } from '#kernel';
import { VirtualScheduler } from '../../time/virtual-scheduler.js';
import { ProcessClock } from './process-clock.js';
import { Gate, WorkQueue } from './work-queue.js';

describe('WorkQueue', () => {
  const start = (open = true) => {
    const scheduler = new VirtualScheduler();
    const gate = new Gate(open);
    const seen: string[] = [];
    const queue = new WorkQueue(
      scheduler,
      new ProcessClock(scheduler),
      gate,
      () => milliseconds(100),
      (key) => seen.push(key),
    );
    return { scheduler, gate, seen, queue };
  };

  it('merges requests for a key and keeps the earliest time', () => {
    const { scheduler, seen, queue } = start();
    queue.add('a', seconds(10));
    queue.add('a');
    queue.add('a', seconds(1));
    scheduler.advance(seconds(20));
    expect(seen).toEqual(['a']);
  });

  it('holds everything while nobody leads', () => {
    const { scheduler, gate, seen, queue } = start(false);
    queue.add('a');
    scheduler.advance(seconds(5));
    queue.add('a');
    scheduler.advance(seconds(5));
    expect(seen).toEqual([]);
    gate.set(true);
    scheduler.advance(seconds(1));
    expect(seen).toEqual(['a']);
  });
});

describe('ProcessClock', () => {
  it('runs at the speed of the scheduler, and never early on timestamps of whole seconds', () => {
    const now = 1_000_000;
    const fast = new ProcessClock({ now: () => now, after: () => () => undefined, speed: 60 } as never);
    expect(fast.since(now - 3000)).toBe(120_000);
    expect(fast.since(now - 500)).toBe(0);
    expect(fast.trueTime(seconds(1))).toBe(60_000);
    const scheduler = new VirtualScheduler();
    const virtual = new ProcessClock(scheduler);
    const begin = scheduler.now();
    scheduler.advance(seconds(7));
    expect(virtual.since(begin)).toBe(7000);
  });
});
