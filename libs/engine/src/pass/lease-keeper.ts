import type { Clock, Duration, Instant } from '#kernel';
import { FailureError } from '#kernel';
import type { Lease, LeasePort } from '#ports';

/** Keeps one lease fresh during a pass; rejects with `lease-lost` as soon as somebody else may be writing. */
export class LeaseKeeper {
  private renewing: Promise<Lease> | undefined;

  private constructor(
    private readonly leases: LeasePort,
    private readonly clock: Clock,
    private readonly ttl: Duration,
    private lease: Lease,
    private takenAt: number,
  ) {}

  static async acquire(
    leases: LeasePort,
    clock: Clock,
    name: string,
    ttl: Duration,
  ): Promise<LeaseKeeper | undefined> {
    const takenAt = clock.now();
    const lease = await leases.acquire(name, ttl);
    return lease && new LeaseKeeper(leases, clock, ttl, lease, takenAt);
  }

  /** The lease, renewed when a third of its time is gone; once for all who ask meanwhile. */
  readonly current = async (): Promise<Lease> => {
    if (this.clock.now() - this.takenAt < this.ttl / 3) return this.lease;
    this.renewing ??= this.renew().finally(() => (this.renewing = undefined));
    return this.renewing;
  };

  private async renew(): Promise<Lease> {
    const now = this.clock.now();
    const renewed = await this.leases.renew(this.lease, this.ttl);
    if (!renewed) {
      throw new FailureError({
        class: 'conflict',
        code: 'lease-lost',
        message: `another worker has taken over ${this.lease.name}`,
      });
    }
    this.lease = renewed;
    this.takenAt = now;
    return renewed;
  }

  /** Renews the lease while the work goes on, which may be silent for longer than it lasts; a lost one shows at `current()`. */
  async during<T>(work: () => Promise<T>): Promise<T> {
    const timer = setInterval(() => void this.current().catch(() => undefined), this.ttl / 4);
    try {
      return await work();
    } finally {
      clearInterval(timer);
    }
  }

  /** The moment of the last word with the store, by the store's own clock. */
  storeTime(): Instant {
    return this.lease.expiresAt - this.ttl;
  }

  async release(): Promise<void> {
    await this.leases.release(this.lease);
  }
}
