import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FailureError, systemClock } from '#kernel';
import { createPostgresStores, Database } from '#adapters/postgres';
import { wireTo } from '../support/cuttable-wire.js';
import { account } from '../support/records.js';
import { freshStores, withClient } from '../support/database.js';
import { eventually } from '../support/eventually.js';

const by = { actor: 'test' };

describe('a database that is away', () => {
  let direct: Awaited<ReturnType<typeof freshStores>>;
  beforeAll(async () => {
    direct = await freshStores();
  });
  afterAll(() => direct.drop());

  const codeOf = (work: Promise<unknown>): Promise<string> =>
    work.then(
      () => 'ok',
      (error: unknown) =>
        error instanceof FailureError ? `${error.failure.class} ${error.failure.code}` : String(error),
    );

  it('gives transient failures from the first use on, and heals', async () => {
    const url = new URL(direct.url);
    const wire = await wireTo(url.hostname, Number(url.port));
    url.host = `127.0.0.1:${wire.port}`;
    await wire.down();
    const stores = await createPostgresStores({
      url: url.toString(),
      clock: systemClock,
      notificationRoutes: [],
    });
    expect(await codeOf(stores.ping())).toBe('transient database-unreachable');
    expect(await codeOf(stores.migrate())).toBe('transient database-unreachable');
    await wire.up();
    await stores.ping();
    await stores.registry.createAccount(account({ id: 'aws:wire' }), by);
    await wire.down();
    const answers = await Promise.all([
      codeOf(stores.registry.getAccount('aws:wire')),
      codeOf(stores.registry.createAccount(account({ id: 'aws:wire2' }), by)),
      codeOf(stores.leases.acquire('x', 1000)),
    ]);
    expect(new Set(answers)).toEqual(new Set(['transient database-unreachable']));
    await wire.up();
    expect((await stores.registry.getAccount('aws:wire'))?.id).toBe('aws:wire');
    await stores.close();
    await wire.down();
  });

  it('survives the loss of every connection, idle and in the middle of a transaction', async () => {
    const database = new Database({ url: direct.url, size: 3, applicationName: 'doomed' });
    const kill = () =>
      withClient(direct.url, (client) =>
        client.query(
          `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'doomed'`,
        ),
      );
    const sleeping = database.transaction(async (tx) => {
      await tx.rows('SELECT 1');
      await tx.rows('SELECT pg_sleep(60)');
    });
    const inQuery = codeOf(sleeping);
    await eventually(
      async () =>
        (
          await database.rows(
            `SELECT 1 FROM pg_stat_activity WHERE query LIKE '%pg_sleep(60)%' AND state = 'active' AND pid <> pg_backend_pid()`,
          )
        ).length,
    );
    await kill();
    expect(await inQuery).toBe('transient database-unreachable');
    const between = database.transaction(async (tx) => {
      await tx.rows('SELECT 1');
      await kill();
      await tx.rows('SELECT 2');
    });
    expect(await codeOf(between)).toBe('transient database-unreachable');
    expect(await eventually(() => database.rows('SELECT 1 AS one'))).toEqual([{ one: 1 }]);
    await database.close();
  });

  it('names wrong credentials, a wrong database and a missing schema', async () => {
    const wrong = new URL(direct.url);
    wrong.username = 'nobody_here';
    wrong.password = 'wrong';
    const nowhere = new URL(direct.url);
    nowhere.pathname = '/no_such_database';
    const empty = new URL(direct.url);
    empty.pathname = '/postgres';
    for (const [url, expected] of [
      [wrong, 'denied database-denied'],
      [nowhere, 'denied database-denied'],
      [empty, 'transient schema-outdated'],
    ] as const) {
      const stores = await createPostgresStores({
        url: url.toString(),
        clock: systemClock,
        notificationRoutes: [],
      });
      expect(await codeOf(stores.leases.acquire('x', 1000))).toBe(expected);
      await stores.close();
      expect(await codeOf(stores.ping())).toBe('transient database-unreachable');
    }
  });

  it('repeats a transaction that the database gave up for a deadlock', async () => {
    const database = new Database({ url: direct.url, size: 3 });
    await database.execute('CREATE TABLE pair (id integer PRIMARY KEY, n integer)');
    await database.execute('INSERT INTO pair VALUES (1, 0), (2, 0)');
    let waiting = 0;
    const both = (first: number, second: number) =>
      database.transaction(async (tx) => {
        await tx.execute('UPDATE pair SET n = n + 1 WHERE id = $1', [first]);
        waiting++;
        await eventually(() => waiting >= 2);
        await tx.execute('UPDATE pair SET n = n + 1 WHERE id = $1', [second]);
      });
    await Promise.all([both(1, 2), both(2, 1)]);
    expect(await database.rows('SELECT n FROM pair ORDER BY id')).toEqual([{ n: 2 }, { n: 2 }]);
    expect(waiting).toBeGreaterThan(2);
    await database.close();
  });

  it('makes an unknown error a bug', async () => {
    const database = new Database({ url: direct.url, size: 1 });
    expect(await codeOf(database.rows('SELEKT'))).toBe('bug database-error');
    await database.close();
  });
});
