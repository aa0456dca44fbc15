import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock, Duration, Instant } from '#kernel';

/** Bounds the requests in flight to one API server, and holds all of them back while it asks for patience. */
export class Gate {
  #inFlight = 0;
  #pausedUntil: Instant = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(
    private readonly limit: number,
    private readonly clock: Clock,
  ) {}

  /** Runs the work when there is a place and no pause. */
  async run<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    await this.#enter();
    try {
      const pause = this.#pausedUntil - this.clock.now();
      if (pause > 0) await sleep(pause, undefined, signal && { signal });
      return await work();
    } finally {
      this.#leave();
    }
  }

  /** Nobody starts anything for this long. */
  pause(duration: Duration): void {
    this.#pausedUntil = Math.max(this.#pausedUntil, this.clock.now() + duration);
  }

  async #enter(): Promise<void> {
    if (this.#inFlight < this.limit) {
      this.#inFlight += 1;
      return;
    }
    // The one who leaves hands its place over, so the count stays.
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  #leave(): void {
    const next = this.#waiting.shift();
    if (next) next();
    else this.#inFlight -= 1;
  }
}
