import type { Clock } from '#kernel';
import { seconds } from '#kernel';
import type { LogPort, NotifierPort, OutboxPort } from '#ports';
import type { Metrics } from '#platform';

/** Delivers what the outbox holds: at once after a commit, and on every sweep for what is due again. */
export class OutboxPump {
  private running: Promise<void> | undefined;
  private again = false;
  private readonly stopListening: () => void;

  constructor(
    private readonly outbox: OutboxPort,
    private readonly notifier: NotifierPort,
    private readonly clock: Clock,
    private readonly metrics: Metrics,
    private readonly log: LogPort,
  ) {
    this.stopListening = outbox.onCommitted(() => this.wake());
  }

  wake(): void {
    if (this.running) {
      this.again = true;
      return;
    }
    this.running = this.drain()
      .catch((error: unknown) => this.log.warn('outbox could not be read', { reason: String(error) }))
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
    for (;;) {
      const deliveries = await this.outbox.claim(this.clock.now(), 20, seconds(30));
      if (deliveries.length === 0) return;
      await Promise.all(
        deliveries.map(async (delivery) => {
          const result = await this.notifier.deliver(delivery);
          this.metrics.deliveries.inc({ route: delivery.route, result: result.kind });
          await this.outbox.settle(delivery.id, result, this.clock.now());
        }),
      );
    }
  }
}
