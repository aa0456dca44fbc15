import { DoorbellQueue, type QueueSettings } from './doorbell-queue.js';
import { postgresBackend } from './postgres.backend.js';
import { redisBackend } from './redis.backend.js';

/** Where the queue lives. `name` keeps several apart on one server; no colons. */
export type QueueLocation =
  | { readonly kind: 'postgres'; readonly databaseUrl: string; readonly name?: string }
  | { readonly kind: 'redis'; readonly redisUrl: string; readonly name?: string };

const NAME = 'doorbell';

/** Connects with the first use, and comes back by itself when the backend does. Close it. */
export function createQueue(location: QueueLocation, settings: QueueSettings): DoorbellQueue {
  const name = location.name ?? NAME;
  const backend =
    location.kind === 'redis'
      ? redisBackend(location.redisUrl, name)
      : postgresBackend(location.databaseUrl, name);
  return new DoorbellQueue(backend, settings);
}
