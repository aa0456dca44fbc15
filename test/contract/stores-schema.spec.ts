import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Database, describeSchema, entityDrift, migrate } from '#adapters/postgres';
import { freshDatabase, type TestDatabase } from '../support/database.js';

const GOLDEN = fileURLToPath(new URL('../../migrations/schema.sql', import.meta.url));

describe('migrations', () => {
  let fresh: TestDatabase;
  let directory: string;
  const open: Database[] = [];
  const connect = (): Database => {
    const database = new Database({ url: fresh.url, size: 2 });
    open.push(database);
    return database;
  };
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'fairway-migrations-'));
  });
  afterAll(() => rm(directory, { recursive: true }));
  beforeEach(async () => {
    fresh = await freshDatabase();
  });
  afterEach(async () => {
    for (const database of open.splice(0)) await database.close();
    await fresh.drop();
  });

  it('lead to the schema in migrations/schema.sql', async () => {
    const database = connect();
    await migrate(database);
    const schema = await describeSchema(database);
    if (process.env['UPDATE_GOLDEN']) await writeFile(GOLDEN, schema);
    const golden = await readFile(GOLDEN, 'utf8').catch(() => '');
    expect(schema, 'run the integration tests with UPDATE_GOLDEN=1 and review the difference').toBe(golden);
  });

  it('agree with the entities, and the check sees a difference', async () => {
    const database = connect();
    await migrate(database);
    expect(await entityDrift(database)).toEqual([]);
    await database.execute(
      'ALTER TABLE holds ADD COLUMN extra text, ALTER COLUMN owner DROP NOT NULL, DROP COLUMN pool CASCADE',
    );
    await database.execute('CREATE TABLE stray (id integer)');
    expect(await entityDrift(database)).toEqual([
      'holds.pool: entity text, database none',
      'holds.owner: entity text NOT NULL, database text',
      'holds.extra: entity none, database text',
      'stray.id: entity none, database integer',
    ]);
  });

  it('run once when several replicas start together', async () => {
    const runs = await Promise.all(Array.from({ length: 5 }, () => migrate(connect())));
    const files = runs.flat();
    expect(files[0]).toBe('0001-registry-and-runtime.sql');
    expect(new Set(files).size).toBe(files.length);
    expect(await migrate(connect())).toEqual([]);
  });

  it('are each whole or not at all, and go on where they stopped', async () => {
    const write = (name: string, sql: string) => writeFile(join(directory, name), sql);
    await write('0001-first.sql', 'CREATE TABLE first (id integer);');
    await write('0002-second.sql', 'CREATE TABLE second (id integer); SELECT no_such_function();');
    await write('notes.txt', 'not SQL');
    const database = connect();
    await expect(migrate(database, directory)).rejects.toThrow('no_such_function');
    const tables = async () =>
      (
        await database.rows<{ name: string }>(
          `SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' ORDER BY 1`,
        )
      ).map((row) => row.name);
    expect(await tables()).toEqual(['first', 'migrations']);
    await write('0002-second.sql', 'CREATE TABLE second (id integer); CREATE INDEX ON second (id);');
    expect(await migrate(database, directory)).toEqual(['0002-second.sql']);
    expect(await tables()).toEqual(['first', 'migrations', 'second']);
    await write('0002-twin.sql', 'SELECT 1');
    await expect(migrate(database, directory)).rejects.toThrow('have the number 0002');
  });
});
