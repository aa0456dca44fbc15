import { Queue, Worker } from 'bullmq';
import { jobWorker, STREAMS, workerOptions, type QueueBackend } from './queue-backend.js';

const PREFIX = 'fairway';

/** Jobs in Redis. ioredis reconnects for ever; a call that waits for it is given up by the caller's time limit. */
export function redisBackend(url: string, name: string): QueueBackend {
  const connection = {
    url,
    maxRetriesPerRequest: null,
    connectTimeout: 5_000,
    retryStrategy: (times: number) => Math.min(100 * times, 2_000),
  };
  return {
    async openQueue(onError) {
      const queue = new Queue(name, { connection, prefix: PREFIX, streams: STREAMS });
      queue.on('error', onError);
      return queue;
    },
    async openWorker(settings) {
      const worker = new Worker(name, (job) => settings.process(job.data), {
        connection,
        prefix: PREFIX,
        ...workerOptions(settings),
      });
      worker.on('error', settings.onError);
      return jobWorker(worker);
    },
    async close() {
      // Queue and worker end their own connections.
    },
  };
}
