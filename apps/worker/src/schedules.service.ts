import { Inject, Injectable } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { seconds, toFailure, type Instant } from '#kernel';
import type { Lease } from '#ports';
import { WORKER, type WorkerRuntime } from './worker-runtime.js';

const SWEEP_MS = 1_000;
/** A leader that died is followed after this, or sooner where cluster leases are shorter. */
const SWEEP_TTL = seconds(10);
/** A ring by the queue comes before the sweep's; the sweep is for rings that were lost. */
const SWEEP_SLACK = seconds(2);
const CHANNEL_EVERY = seconds(15);
const BACKUPS_EVERY = seconds(5);
const INSPECTIONS_EVERY = seconds(5);
/** What the sweep rang is in the queue, maybe behind many others: it is rung again only after this time. */
const RING_AGAIN = seconds(5);

/** The clockwork. Fires in every replica; a database lease lets only one of them sweep. */
@Injectable()
export class SchedulesService {
  private lease: Lease | undefined;
  private sweeping = false;
  private lastPoll: Instant = 0;
  private lastChannels: Instant = 0;
  private lastInspections: Instant = 0;
  private lastBackups: Instant = 0;
  private readonly rung = new Map<string, Instant>();

  constructor(@Inject(WORKER) private readonly worker: WorkerRuntime) {}

  @Interval(SWEEP_MS)
  async sweep(): Promise<void> {
    if (this.sweeping || this.worker.closing) return;
    this.sweeping = true;
    try {
      if (await this.leads()) {
        await this.ringWhatIsDue();
        this.worker.housekeeping.tick();
      }
      this.worker.outbox.wake();
    } catch (thrown) {
      const failure = toFailure(thrown);
      this.worker.ports.log.warn('sweep failed', { code: failure.code, reason: failure.message });
      this.lease = undefined;
    } finally {
      this.sweeping = false;
    }
  }

  private async leads(): Promise<boolean> {
    const { leases } = this.worker.ports;
    const ttl = Math.min(SWEEP_TTL, this.worker.settings.leaseTtl);
    this.lease = this.lease
      ? await leases.renew(this.lease, ttl)
      : await leases.acquire('schedule/sweep', ttl);
    return this.lease !== undefined;
  }

  private async ringWhatIsDue(): Promise<void> {
    const { ports, settings, passes } = this.worker;
    const now = ports.clock.now();
    const due = await ports.updates.due(now - SWEEP_SLACK, 500);
    const keys = due.map((id) => `cluster/${id}`);
    if (now - this.lastPoll >= settings.gitPollInterval) {
      this.lastPoll = now;
      const repositories = new Set(
        (await ports.channels.listChannels()).map((channel) => channel.repository),
      );
      keys.push(...[...repositories].map((url) => `repository/${url}`));
    }
    if (now - this.lastChannels >= CHANNEL_EVERY) {
      this.lastChannels = now;
      keys.push(...(await ports.channels.listChannels()).map((channel) => `channel/${channel.name}`));
    }
    if (now - this.lastInspections >= INSPECTIONS_EVERY) {
      this.lastInspections = now;
      const open = await this.worker.inspections.inspections.openInspections(100);
      const lost = open.filter(({ requestedAt }) => requestedAt <= now - SWEEP_SLACK);
      keys.push(...lost.map(({ id }) => `inspection/${id}`));
    }
    if (now - this.lastBackups >= BACKUPS_EVERY) {
      this.lastBackups = now;
      keys.push(...(await ports.backups.dueBackups(now, 100)).map((id) => `backup/${id}`));
    }
    for (const [key, at] of this.rung) if (now - at >= RING_AGAIN) this.rung.delete(key);
    const missed = keys.filter((key) => !passes.inFlight.has(key) && !this.rung.has(key));
    for (const key of missed) this.rung.set(key, now);
    await Promise.all(missed.map((key) => ports.doorbell.ring(key)));
  }
}
