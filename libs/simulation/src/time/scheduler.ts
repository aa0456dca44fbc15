import type { Clock, Duration } from '#kernel';

/** Takes the planned call back. Calling it after the fact, or twice, does nothing. */
export type Cancel = () => void;

/**
 * The only source of time in the simulated estate. Callbacks never run inside `after` itself, so a
 * caller may finish what it is doing before anything it planned happens.
 */
export interface Scheduler extends Clock {
  /** Calls `fn` once, `delay` from now. A negative delay counts as zero. */
  after(delay: Duration, fn: () => void): Cancel;
}
