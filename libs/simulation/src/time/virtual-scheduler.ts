import type { Duration, Instant } from '#kernel';
import type { Cancel, Scheduler } from './scheduler.js';

interface Planned {
  readonly at: Instant;
  readonly seq: number;
  readonly fn: () => void;
  cancelled: boolean;
}

/** 2026-01-05T08:00:00Z, a Monday morning: stories read the same on every run. */
export const STORY_START: Instant = Date.UTC(2026, 0, 5, 8, 0, 0);

/**
 * Time that moves only when told to. Equal instants fire in the order in which they were planned, so a
 * story with the same seed is the same story.
 */
export class VirtualScheduler implements Scheduler {
  private readonly heap: Planned[] = [];
  private time: Instant;
  private nextSeq = 0;

  constructor(start: Instant = STORY_START) {
    this.time = start;
  }

  now(): Instant {
    return this.time;
  }

  /** Number of calls still planned. */
  get pending(): number {
    return this.heap.reduce((sum, entry) => sum + (entry.cancelled ? 0 : 1), 0);
  }

  after(delay: Duration, fn: () => void): Cancel {
    const entry: Planned = { at: this.time + Math.max(0, delay), seq: this.nextSeq++, fn, cancelled: false };
    this.push(entry);
    return () => {
      entry.cancelled = true;
    };
  }

  /** Moves time by `duration`, firing everything that falls due on the way, in order. */
  advance(duration: Duration): void {
    const end = this.time + Math.max(0, duration);
    for (let due = this.peek(); due && due.at <= end; due = this.peek()) this.fireNext();
    this.time = end;
  }

  /**
   * Fires planned calls one by one until `predicate` holds. Returns false where `limit` of virtual time
   * passed first (time then stands at the limit) or nothing is planned any more.
   */
  runUntil(predicate: () => boolean, limit: Duration): boolean {
    const end = this.time + limit;
    while (!predicate()) {
      const due = this.peek();
      if (!due || due.at > end) {
        this.time = end;
        return false;
      }
      this.fireNext();
    }
    return true;
  }

  /**
   * Like `runUntil` for code under test that awaits: lets pending promises settle between two events.
   */
  async runUntilAsync(predicate: () => boolean, limit: Duration): Promise<boolean> {
    const end = this.time + limit;
    await settle();
    while (!predicate()) {
      const due = this.peek();
      if (!due || due.at > end) {
        this.time = end;
        return false;
      }
      this.fireNext();
      await settle();
    }
    return true;
  }

  private fireNext(): void {
    const entry = this.pop();
    if (!entry) return;
    this.time = Math.max(this.time, entry.at);
    if (!entry.cancelled) entry.fn();
  }

  private peek(): Planned | undefined {
    while (this.heap[0]?.cancelled) this.pop();
    return this.heap[0];
  }

  private push(entry: Planned): void {
    const heap = this.heap;
    let index = heap.push(entry) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!before(entry, heap[parent] as Planned)) break;
      heap[index] = heap[parent] as Planned;
      index = parent;
    }
    heap[index] = entry;
  }

  private pop(): Planned | undefined {
    const heap = this.heap;
    const top = heap[0];
    const last = heap.pop();
    if (top === undefined || last === undefined || heap.length === 0) return top;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(heap[child + 1] as Planned, heap[child] as Planned)) child++;
      if (!before(heap[child] as Planned, last)) break;
      heap[index] = heap[child] as Planned;
      index = child;
    }
    heap[index] = last;
    return top;
  }
}

const before = (a: Planned, b: Planned): boolean => a.at < b.at || (a.at === b.at && a.seq < b.seq);

/** One turn of the event loop: every promise that can settle without I/O has settled after it. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
