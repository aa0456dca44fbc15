import type { Duration, Instant } from '#kernel';

const BURST = 12;

/**
 * A transition is followed at once; a cluster that never rests is not looked at without end. So many rings may come at a
 * moment's notice, then one per poll interval: what is looked at in vain costs at most twice what polling costs. A look that
 * came to something costs nothing.
 */
export class RingBudget {
  private spare = BURST;
  private countedAt: Instant | undefined;

  constructor(private readonly perRing: Duration) {}

  /** Time until the next ring may sound; takes it. */
  take(now: Instant): Duration {
    const rested = now - (this.countedAt ?? now);
    this.spare = Math.min(BURST, this.spare + Math.max(0, rested) / Math.max(1, this.perRing));
    this.countedAt = now;
    this.spare -= 1;
    return this.spare >= 0 ? 0 : Math.ceil(-this.spare * this.perRing);
  }

  restore(): void {
    this.spare = BURST;
  }
}
