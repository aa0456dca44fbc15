import type { Clock } from '#kernel';
import { seconds } from '#kernel';
import type { Delivery, DeliveryResult, LogPort, NotifierPort, OutboxPort } from '#ports';
import type { Metrics } from '#platform';

export interface OutboxPumpOptions {
  readonly outbox: OutboxPort;
  readonly notifier: NotifierPort;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly log: LogPort;
  /** Routes that people read: what was held back for them goes as one message. */
  readonly digests: ReadonlySet<string>;
}

const CLAIMED = 100;
const CLAIM_FOR = seconds(60);
/** Fewer are told one by one, however late they are. */
const DIGEST_FROM = 5;
const LARGEST_DIGEST = 1_000;

/** Delivers what the outbox holds: at once after a commit, and on every sweep for what is due again. */
export class OutboxPump {
  private running: Promise<void> | undefined;
  private again = false;
  private readonly stopListening: () => void;

  constructor(private readonly options: OutboxPumpOptions) {
    this.stopListening = options.outbox.onCommitted(() => this.wake());
  }

  wake(): void {
    if (this.running) {
      this.again = true;
      return;
    }
    this.running = this.drain()
      .catch((error: unknown) => this.options.log.warn('outbox could not be read', { reason: String(error) }))
      .finally(() => {
        this.running = undefined;
        if (this.again) {
          this.again = false;
          this.wake();
        }
      });
  }

  async close(): Promise<void> {
    this.stopListening();
    this.again = false;
    await this.running;
  }

  private async drain(): Promise<void> {
    const { outbox, clock } = this.options;
    await outbox.settleQuiet(clock.now());
    for (;;) {
      const deliveries = await outbox.claim(clock.now(), CLAIMED, CLAIM_FOR);
      if (deliveries.length === 0) return;
      const digests = this.digestsAmong(deliveries);
      const together = new Set(digests.flat());
      await Promise.all([
        ...digests.map((group) => this.deliverTogether(group)),
        ...deliveries.filter((one) => !together.has(one)).map((one) => this.deliver(one)),
      ]);
    }
  }

  /** What is late, because there was too much or because the receiver was away, by route. */
  private digestsAmong(deliveries: readonly Delivery[]): readonly (readonly Delivery[])[] {
    const late = deliveries.filter(
      ({ route, dueAt, event }) => this.options.digests.has(route) && dueAt > event.at,
    );
    const routes = [...new Set(late.map(({ route }) => route))];
    return routes
      .map((route) => late.filter((one) => one.route === route))
      .filter((group) => group.length >= DIGEST_FROM);
  }

  private async deliver(delivery: Delivery): Promise<void> {
    await this.settle([delivery], await this.options.notifier.deliver(delivery));
  }

  private async deliverTogether(group: readonly Delivery[]): Promise<void> {
    const { outbox, clock, notifier } = this.options;
    const more = await outbox.claimFollowers(group, clock.now(), LARGEST_DIGEST, CLAIM_FOR);
    const all = [...group, ...more].sort((a, b) => a.event.id - b.event.id);
    await this.settle(all, await notifier.deliverDigest(all));
  }

  private async settle(deliveries: readonly Delivery[], result: DeliveryResult): Promise<void> {
    const { outbox, clock, metrics } = this.options;
    for (const { id, route } of deliveries) {
      metrics.deliveries.inc({ route, result: result.kind });
      await outbox.settle(id, result, clock.now());
    }
  }
}
