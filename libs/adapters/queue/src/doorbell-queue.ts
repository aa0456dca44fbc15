import { FailureError, fail, minutes, seconds, type Duration, type Failure } from '#kernel';
import type { DoorbellPort } from '#ports';
import { classify, unreachable } from './classify.js';
import type { JobQueue, JobWorker, QueueBackend, Ring } from './queue-backend.js';

export interface QueueSettings {
  /** Keys that are worked on at the same time. */
  readonly concurrency: number;
  /** Told about every trouble that a caller does not see; it must not throw. For logs and metrics. */
  readonly onTrouble?: (failure: Failure) => void;
  /** A key whose worker died is handed out again after this time, at most thrice as long; 10 s if absent. */
  readonly lockDuration?: Duration;
}

const ADD_LIMIT = seconds(3);
const FIRST_RETRY = 250;
const LAST_RETRY = seconds(5);
/** setTimeout cannot wait longer than 2^31 ms. */
const LONGEST_DELAY = minutes(60 * 24);

/**
 * The doorbell on BullMQ. One job per key: a ring while one waits is the same ring, a ring while the key is worked on
 * leads to exactly one more run afterwards. A delay is kept in this process: the durable due time is in the database,
 * a waiting cluster costs the queue nothing, and whatever runs the key first makes the delayed ring superfluous.
 */
export class DoorbellQueue implements DoorbellPort {
  private readonly delayed = new Map<string, { readonly due: number; readonly timer: NodeJS.Timeout }>();
  private queue: Promise<JobQueue> | undefined;
  private worker: JobWorker | undefined;
  private opening: Promise<void> | undefined;
  private closed = false;
  private wake: (() => void) | undefined;

  constructor(
    private readonly backend: QueueBackend,
    private readonly settings: QueueSettings,
  ) {}

  /** Rejects with `queue-unreachable` (transient) within three seconds if the backend is away. */
  async ring(key: string, delay: Duration = 0): Promise<void> {
    if (this.closed) return;
    if (delay > 0) this.ringLater(key, delay);
    else await this.ringNow(key);
  }

  /** Runs the handler for every ring, from now on. What it throws is reported, never tried again by the queue. */
  work(handler: (key: string) => Promise<void>): void {
    if (this.opening) throw new Error('work() was called before');
    this.opening = this.openWorker(handler);
  }

  /** Rejects while the backend does not answer. For readiness. */
  async ping(): Promise<void> {
    await this.depth();
  }

  /** Keys that wait for a worker, and keys that are worked on. */
  async depth(): Promise<{ readonly waiting: number; readonly active: number }> {
    const counts = await this.guarded(async () => (await this.openQueue()).getJobCounts('waiting', 'active'));
    return { waiting: counts['waiting'] ?? 0, active: counts['active'] ?? 0 };
  }

  /** Takes no more work, and waits for running handlers up to the limit. Delayed rings are forgotten. */
  async close(limit: Duration = seconds(30)): Promise<void> {
    this.closed = true;
    this.wake?.();
    for (const { timer } of this.delayed.values()) clearTimeout(timer);
    this.delayed.clear();
    await this.opening;
    await closeWithin(this.worker, limit);
    const queue = await this.queue?.catch(() => undefined);
    await within(seconds(2), queue?.close());
    await within(seconds(2), this.backend.close());
  }

  private ringLater(key: string, delay: Duration): void {
    const wait = Math.min(delay, LONGEST_DELAY);
    const due = Date.now() + wait;
    const earlier = this.delayed.get(key);
    if (earlier && earlier.due <= due) return;
    this.forget(key);
    const timer = setTimeout(() => {
      this.ringNow(key).catch((error: unknown) => this.report(error));
    }, wait);
    timer.unref();
    this.delayed.set(key, { due, timer });
  }

  private async ringNow(key: string): Promise<void> {
    this.forget(key);
    await this.guarded(async () => {
      const ring: Ring = { key };
      await (
        await this.openQueue()
      ).add('ring', ring, {
        // A ring while the key is worked on is kept and becomes a job when the running one ends.
        deduplication: { id: key, keepLastIfActive: true },
        attempts: 1,
        removeOnComplete: true,
        removeOnFail: true,
      });
    });
  }

  private forget(key: string): void {
    clearTimeout(this.delayed.get(key)?.timer);
    this.delayed.delete(key);
  }

  private openQueue(): Promise<JobQueue> {
    this.queue ??= this.backend
      .openQueue((error) => this.report(error))
      .catch((error: unknown) => {
        this.queue = undefined;
        throw error;
      });
    return this.queue;
  }

  private async openWorker(handler: (key: string) => Promise<void>): Promise<void> {
    let retry = FIRST_RETRY;
    while (!this.closed) {
      try {
        this.worker = await this.backend.openWorker({
          process: (ring) => this.process(ring, handler),
          concurrency: this.settings.concurrency,
          lockDuration: this.settings.lockDuration ?? seconds(10),
          onError: (error) => this.report(error),
        });
        return;
      } catch (error) {
        this.report(error);
        await this.pause(retry);
        retry = Math.min(retry * 2, LAST_RETRY);
      }
    }
  }

  private async process({ key }: Ring, handler: (key: string) => Promise<void>): Promise<void> {
    this.forget(key);
    try {
      await handler(key);
    } catch (error) {
      this.report(error);
    }
  }

  private async guarded<T>(work: () => Promise<T>): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new FailureError(unreachable('no answer within 3 s'))), ADD_LIMIT);
    });
    try {
      return await Promise.race([work(), late]);
    } catch (error) {
      return fail(classify(error), error);
    } finally {
      clearTimeout(timer);
    }
  }

  private report(error: unknown): void {
    if (!this.closed) this.settings.onTrouble?.(classify(error));
  }

  private async pause(wait: Duration): Promise<void> {
    await new Promise<void>((resolve) => {
      this.wake = resolve;
      setTimeout(resolve, wait).unref();
    });
  }
}

/** Running handlers get the limit; what still runs then is left to its lease. */
async function closeWithin(worker: JobWorker | undefined, limit: Duration): Promise<void> {
  if (!worker) return;
  const graceful = worker.close().then(() => true);
  if (await within(limit, graceful)) return;
  await within(seconds(2), worker.abandon());
}

async function within<T>(limit: Duration, work: Promise<T> | undefined): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), limit);
  });
  try {
    return await Promise.race([work?.catch(() => undefined), late]);
  } finally {
    clearTimeout(timer);
  }
}
