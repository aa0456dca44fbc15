import type { Queue } from 'bullmq';
import type { Duration } from '#kernel';

/** What is left of BullMQ's queue and worker when the backend does not matter. */
export type JobQueue = Pick<Queue, 'add' | 'close' | 'getJobCounts'>;
export interface JobWorker {
  /** Waits for running handlers. */
  close(): Promise<void>;
  /** Cuts the connections, whatever still runs. */
  abandon(): Promise<void>;
}

/** One ring: the key is the name of what wants a pass. */
export interface Ring {
  readonly key: string;
}

export interface WorkerSettings {
  readonly process: (ring: Ring) => Promise<void>;
  readonly concurrency: number;
  /** A job whose worker died is handed out again after this time, at most thrice as long. */
  readonly lockDuration: Duration;
  readonly onError: (error: unknown) => void;
}

/** Where the jobs are kept. Opening rejects while the other side is away; what is open reconnects by itself. */
export interface QueueBackend {
  openQueue(onError: (error: unknown) => void): Promise<JobQueue>;
  openWorker(settings: WorkerSettings): Promise<JobWorker>;
  /** After queue and worker were closed. */
  close(): Promise<void>;
}

export const jobWorker = (worker: {
  close(): Promise<void>;
  getBackend(): { disconnect(): Promise<unknown> };
}): JobWorker => ({
  close: () => worker.close(),
  async abandon() {
    await worker.getBackend().disconnect();
  },
});

/** Options that both backends have in common. */
export const workerOptions = (settings: WorkerSettings) => ({
  concurrency: settings.concurrency,
  lockDuration: settings.lockDuration,
  stalledInterval: settings.lockDuration / 2,
  // A worker may be killed any number of times; a pass is safe to repeat.
  maxStalledCount: 2 ** 31 - 1,
  // While the backend is away, ask it again this often.
  runRetryDelay: 1_000,
  removeOnComplete: { count: 0 },
  removeOnFail: { count: 0 },
});

/** Nobody reads BullMQ's own event stream. */
export const STREAMS = { events: { maxLen: 100 } } as const;
