import type { Duration, Instant } from '#kernel';
import type { Scheduler } from '../../time/scheduler.js';

/**
 * How long processes have been at something. Where a scheduler runs fast, `now()` stays the true time and only delays shrink, so
 * the difference of two instants is not a duration of the simulated world: this clock runs at the scheduler's speed.
 */
export class ProcessClock {
  private readonly speed: number;

  constructor(private readonly scheduler: Scheduler) {
    this.speed = 'speed' in scheduler && typeof scheduler.speed === 'number' ? scheduler.speed : 1;
  }

  /** Milliseconds of simulated work, from an arbitrary start. Only differences mean something. */
  now(): number {
    return this.scheduler.now() * this.speed;
  }

  /**
   * Simulated time since an instant that was written down with whole seconds. The lost fraction is taken as a full second where
   * time runs fast, so that nothing happens early.
   */
  since(instant: Instant): Duration {
    const lost = this.speed > 1 ? 1000 : 0;
    return Math.max(0, this.scheduler.now() - instant - lost) * this.speed;
  }

  /** Simulated delay in which so much true time passes: for what people and probes measure by their own watch. */
  trueTime(duration: Duration): Duration {
    return duration * this.speed;
  }
}
