import type { TestProject } from 'vitest/node';
import { startEmbeddedPostgres } from '../../apps/sandbox/src/servers/embedded-postgres.js';
import { findRedisServer, startRedis } from './redis-server.js';

declare module 'vitest' {
  interface ProvidedContext {
    /** A server on which tests make databases of their own; see `freshDatabase()`. */
    databaseUrl: string;
    /** Absent where the machine has no redis-server. */
    redisUrl: string | undefined;
  }
}

/** One Postgres and, where there is one, one Redis for a run; FAIRWAY_TEST_DATABASE_URL and _REDIS_URL name others. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const stops: (() => Promise<void>)[] = [];
  const databaseUrl = process.env['FAIRWAY_TEST_DATABASE_URL'] ?? (await ownPostgres(stops));
  const redisUrl = process.env['FAIRWAY_TEST_REDIS_URL'] ?? (await ownRedis(stops));
  project.provide('databaseUrl', databaseUrl);
  project.provide('redisUrl', redisUrl);
  return async () => {
    for (const stop of stops.reverse()) await stop();
  };
}

async function ownPostgres(stops: (() => Promise<void>)[]): Promise<string> {
  const server = await startEmbeddedPostgres({});
  stops.push(() => server.stop());
  return server.url;
}

async function ownRedis(stops: (() => Promise<void>)[]): Promise<string | undefined> {
  const binary = findRedisServer();
  if (binary === undefined) return undefined;
  const server = await startRedis(binary);
  stops.push(() => server.stop());
  return server.url;
}
