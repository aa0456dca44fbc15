import type { Duration, Instant } from '#kernel';
import type { Cancel, Scheduler } from './scheduler.js';

export interface ScaledSchedulerOptions {
  /** Keeps the process alive while calls are planned. Default false: the servers of the estate do that. */
  readonly keepAlive?: boolean;
  /** Told about a throw in a planned call; default rethrows, which ends the process loudly. */
  readonly onError?: (error: unknown) => void;
}

/**
 * Real time with faster processes: `now()` is the true time, so timestamps stay honest for everybody who
 * compares them with a watch, while a delay of `d` lasts `d / speed`.
 */
export class ScaledScheduler implements Scheduler {
  private readonly timers = new Set<NodeJS.Timeout>();
  private closed = false;

  constructor(
    readonly speed: number,
    private readonly options: ScaledSchedulerOptions = {},
  ) {
    if (!(speed > 0)) throw new Error(`speed must be above 0, got ${speed}`);
  }

  now(): Instant {
    return Date.now();
  }

  after(delay: Duration, fn: () => void): Cancel {
    if (this.closed) return () => undefined;
    const timer = setTimeout(
      () => {
        this.timers.delete(timer);
        this.run(fn);
      },
      Math.min(MAX_TIMER, Math.max(0, delay / this.speed)),
    );
    if (!this.options.keepAlive) timer.unref();
    this.timers.add(timer);
    return () => {
      clearTimeout(timer);
      this.timers.delete(timer);
    };
  }

  /** Cancels everything planned; nothing can be planned afterwards. */
  close(): void {
    this.closed = true;
    for (const timer of this.timers) clearTimeout(timer);
    this.timers.clear();
  }

  private run(fn: () => void): void {
    if (!this.options.onError) return fn();
    try {
      fn();
    } catch (error) {
      this.options.onError(error);
    }
  }
}

/** Node fires a longer timer at once. */
const MAX_TIMER = 2 ** 31 - 1;
