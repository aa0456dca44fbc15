import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '#kernel';

/** At most `perSecond` calls a second on average, `burst` at once. Waiters are served in order. */
export class TokenBucket {
  #tokens: number;
  #filledAt: number;

  constructor(
    private readonly perSecond: number,
    private readonly burst: number,
    private readonly clock: Clock,
  ) {
    this.#tokens = burst;
    this.#filledAt = clock.now();
  }

  async take(): Promise<void> {
    const wait = this.reserve();
    if (wait > 0) await sleep(wait);
  }

  /** Takes one token now or from the future; returns the milliseconds until it is there. */
  reserve(): number {
    const now = this.clock.now();
    const filled = (Math.max(0, now - this.#filledAt) / 1000) * this.perSecond;
    this.#tokens = Math.min(this.burst, this.#tokens + filled) - 1;
    this.#filledAt = now;
    return this.#tokens >= 0 ? 0 : Math.ceil((-this.#tokens / this.perSecond) * 1000);
  }
}
