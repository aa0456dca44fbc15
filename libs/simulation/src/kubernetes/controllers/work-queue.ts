import type { Duration } from '#kernel';
import type { Cancel, Scheduler } from '../../time/scheduler.js';
import type { ProcessClock } from './process-clock.js';

/** Whether somebody who renews the leader's lease is alive: without, no controller and no scheduler does anything. */
export class Gate {
  private readonly waiting: (() => void)[] = [];
  constructor(private opened = true) {}

  get open(): boolean {
    return this.opened;
  }

  set(open: boolean): void {
    this.opened = open;
    if (!open) return;
    for (const fn of this.waiting.splice(0)) fn();
  }

  /** Runs now where the gate is open, else once when it opens. */
  whenOpen(fn: () => void): void {
    if (this.opened) fn();
    else this.waiting.push(fn);
  }
}

interface Due {
  readonly at: number;
  readonly cancel: Cancel;
}

/** Keys to reconcile, each at most once at a time, after a small latency; the earliest due time asked for wins. */
export class WorkQueue {
  private readonly due = new Map<string, Due>();
  private readonly held = new Set<string>();

  constructor(
    private readonly scheduler: Scheduler,
    private readonly clock: ProcessClock,
    private readonly gate: Gate,
    private readonly latency: () => Duration,
    private readonly reconcile: (key: string) => void,
  ) {}

  add(key: string, delay: Duration = this.latency()): void {
    const at = this.clock.now() + delay;
    const known = this.due.get(key);
    if (known && known.at <= at) return;
    known?.cancel();
    this.due.set(key, { at, cancel: this.scheduler.after(delay, () => this.fire(key)) });
  }

  close(): void {
    for (const { cancel } of this.due.values()) cancel();
    this.due.clear();
    this.held.clear();
  }

  private fire(key: string): void {
    this.due.delete(key);
    if (this.gate.open) return this.reconcile(key);
    if (this.held.has(key)) return;
    this.held.add(key);
    this.gate.whenOpen(() => {
      if (this.held.delete(key)) this.add(key);
    });
  }
}
