import { minutes, type Clock, type Duration, type Instant } from '#kernel';
import type { Settings } from '#platform';
import type { LogPort, RetentionPolicy, RetentionPort } from '#ports';

const EVERY: Duration = minutes(10);
/** A backlog is worked off in rounds, with room for others between them. */
const AGAIN: Duration = minutes(1);

/** Clears old rows away from time to time; asked by the one worker that sweeps. */
export class Housekeeping {
  private nextAt: Instant = 0;
  private running: Promise<void> | undefined;

  constructor(
    private readonly retention: RetentionPort,
    private readonly policy: RetentionPolicy,
    private readonly clock: Clock,
    private readonly log: LogPort,
  ) {}

  /** Returns at once; a round takes its time beside the sweep. */
  tick(): void {
    const now = this.clock.now();
    if (this.running || now < this.nextAt) return;
    this.nextAt = now + EVERY;
    this.running = this.round()
      .catch((error: unknown) => this.log.warn('old rows could not be removed', { reason: String(error) }))
      .finally(() => {
        this.running = undefined;
      });
  }

  async close(): Promise<void> {
    await this.running;
  }

  private async round(): Promise<void> {
    const { removed, more } = await this.retention.clear(this.policy);
    if (Object.keys(removed).length > 0) this.log.info('old rows removed', { removed });
    if (more) this.nextAt = this.clock.now() + AGAIN;
  }
}

/** A duration of 0 keeps for ever. */
export function retentionPolicy(settings: Settings): RetentionPolicy {
  const {
    FAIRWAY_RETENTION_EVENTS: events,
    FAIRWAY_RETENTION_DELIVERIES: deliveries,
    FAIRWAY_RETENTION_UPDATES: updates,
  } = settings;
  return {
    ...(events > 0 && { events }),
    ...(deliveries > 0 && { deliveries }),
    ...(updates > 0 && { updates }),
  };
}
