import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { inject } from 'vitest';
import { systemClock, type Clock } from '#kernel';
import { createPostgresStores, type PostgresStores, type RouteFilter } from '#adapters/postgres';

export interface TestDatabase {
  readonly url: string;
  /** Ends what is connected and removes it. */
  drop(): Promise<void>;
}

/** An empty database of its own, for one spec file or one test. */
export async function freshDatabase(): Promise<TestDatabase> {
  const name = `test_${randomBytes(6).toString('hex')}`;
  await asAdmin((client) => client.query(`CREATE DATABASE ${name}`));
  const url = new URL(inject('databaseUrl'));
  url.pathname = `/${name}`;
  return {
    url: url.toString(),
    drop: () => asAdmin((client) => client.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)),
  };
}

/** A fresh database with the schema in it, and stores on it. */
export async function freshStores(
  options: { readonly clock?: Clock; readonly notificationRoutes?: readonly RouteFilter[] } = {},
): Promise<PostgresStores & { readonly url: string; drop(): Promise<void> }> {
  const database = await freshDatabase();
  const stores = await createPostgresStores({
    url: database.url,
    clock: options.clock ?? systemClock,
    notificationRoutes: options.notificationRoutes ?? [],
  });
  await stores.migrate();
  const drop = async (): Promise<void> => {
    await stores.close();
    await database.drop();
  };
  return { ...stores, url: database.url, drop };
}

/** Runs statements beside the code under test. */
export async function withClient<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

const asAdmin = async (work: (client: pg.Client) => Promise<unknown>): Promise<void> => {
  await withClient(inject('databaseUrl'), work);
};
