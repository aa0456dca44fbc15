import type { Duration, Instant } from '#kernel';
import type { ScaledScheduler } from '#simulation';

type Scheduler = Pick<ScaledScheduler, 'now' | 'after'>;

/** Lets a test look at what lasts only for a moment: while it is held, nothing that was planned happens. */
export class HoldableScheduler implements Scheduler {
  private held: (() => void)[] | undefined;

  constructor(private readonly real: Scheduler) {}

  now(): Instant {
    return this.real.now();
  }

  after(delay: Duration, fn: () => void): () => void {
    let cancelled = false;
    const run = (): void => {
      if (cancelled) return;
      if (this.held) this.held.push(run);
      else fn();
    };
    const cancel = this.real.after(delay, run);
    return () => {
      cancelled = true;
      cancel();
    };
  }

  hold(): void {
    this.held ??= [];
  }

  /** What became due meanwhile happens now, in its order. */
  release(): void {
    const due = this.held ?? [];
    this.held = undefined;
    for (const run of due) run();
  }
}
