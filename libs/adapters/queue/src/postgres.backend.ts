import {
  createPostgresBackend,
  DEFAULT_SCHEMA,
  runMigrations,
  withBackend,
  type Job,
  type PgPool,
} from 'bullmq';
import pg from 'pg';
import { jobWorker, STREAMS, workerOptions, type QueueBackend, type Ring } from './queue-backend.js';

/** One connection listens, the others claim and finish jobs: short statements. */
const POOL_SIZE = 6;

/**
 * Jobs in Postgres, in BullMQ's own schema beside ours. Workers wait by LISTEN, so a ring arrives without polling. One
 * pool serves queue and worker; it is ours, because BullMQ makes one of its own only in CommonJS.
 */
export function postgresBackend(url: string, name: string): QueueBackend {
  const { Queue, Worker } = withBackend(createPostgresBackend);
  const pool = new pg.Pool({
    connectionString: url,
    max: POOL_SIZE,
    application_name: 'fairway-queue',
    options: `-c search_path=${DEFAULT_SCHEMA}`,
    connectionTimeoutMillis: 5_000,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
  });
  pool.on('error', () => undefined);
  const connection = pool as unknown as PgPool;
  // Queue, worker and their connections each watch the pool.
  pool.setMaxListeners(50);
  return {
    async openQueue(onError) {
      await migrate(pool);
      const queue = new Queue<Ring>(name, { connection, streams: STREAMS });
      queue.on('error', onError);
      return opened(queue);
    },
    async openWorker(settings) {
      await migrate(pool);
      const process = (job: Job<Ring>): Promise<void> => settings.process(job.data);
      const worker = new Worker<Ring>(name, process, { connection, ...workerOptions(settings) });
      worker.on('error', settings.onError);
      return jobWorker(await opened(worker));
    },
    close: () => pool.end(),
  };
}

/** Locked by BullMQ against replicas that start at once, and nothing but a look where the schema is up to date. */
async function migrate(pool: pg.Pool): Promise<void> {
  const client = await pool.connect();
  // A connection that breaks while it is lent out tells so by an event as well as by the rejected query.
  const ignore = (): void => undefined;
  client.on('error', ignore);
  try {
    await runMigrations(client);
  } finally {
    client.off('error', ignore);
    client.release();
  }
}

/** BullMQ remembers a first connection that failed for ever, so such a one is thrown away and made anew later. */
async function opened<T extends { waitUntilReady(): Promise<unknown>; close(): Promise<void> }>(
  made: T,
): Promise<T> {
  try {
    await made.waitUntilReady();
    return made;
  } catch (error) {
    await made.close().catch(() => undefined);
    throw error;
  }
}
