import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import { MigrationExecutor, type MigrationInterface, type QueryRunner } from 'typeorm';
import { classified } from './classify.js';
import type { Database } from './database.js';

/** `migrations/` of the package, the same distance from the source and from the build. */
const MIGRATIONS_DIRECTORY = fileURLToPath(new URL('../../../../migrations', import.meta.url));

/** Any number that nobody else in this database uses for an advisory lock. */
const MIGRATION_LOCK = 7020101;
/** TypeORM orders migrations by the 13 digits at the end of their name; ours are counted, not dated. */
const NUMBER_BASE = 1_000_000_000_000;

/**
 * Runs what is pending of the numbered SQL files, each in its own transaction. Replicas that start at once wait for one
 * another. Resolves with the names of the files that were run.
 */
export async function migrate(
  database: Database,
  directory: string = MIGRATIONS_DIRECTORY,
): Promise<readonly string[]> {
  try {
    const dataSource = await database.connect();
    const runner = dataSource.createQueryRunner();
    try {
      // Waiting for another replica and building an index may both take long.
      await runner.query('SET statement_timeout = 0');
      await runner.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK]);
      const migrations = await loadMigrations(directory);
      Object.assign(dataSource, { migrations });
      const executor = new MigrationExecutor(dataSource, runner);
      executor.transaction = 'each';
      const executed = await executor.executePendingMigrations();
      return executed.map((migration) => migration.name.replace(/-\d{13}$/, '.sql'));
    } finally {
      await runner.query('SELECT pg_advisory_unlock($1)', [MIGRATION_LOCK]).catch(() => undefined);
      await runner.query('RESET statement_timeout').catch(() => undefined);
      await runner.release();
    }
  } catch (error) {
    throw classified(error);
  }
}

async function loadMigrations(directory: string): Promise<readonly MigrationInterface[]> {
  const files = (await readdir(directory)).filter((file) => /^\d{4}-[a-z0-9-]+\.sql$/.test(file)).sort();
  const numbers = files.map((file) => file.slice(0, 4));
  const twice = numbers.find((number, index) => numbers.indexOf(number) !== index);
  if (twice !== undefined) throw new Error(`two migrations in ${directory} have the number ${twice}`);
  return Promise.all(
    files.map(async (file) => sqlMigration(file, await readFile(join(directory, file), 'utf8'))),
  );
}

function sqlMigration(file: string, sql: string): MigrationInterface {
  return {
    name: `${file.slice(0, -'.sql'.length)}-${NUMBER_BASE + Number(file.slice(0, 4))}`,
    async up(runner: QueryRunner) {
      await runner.query(sql);
    },
    // Schema changes are made so that the release before still works; going back is a new migration.
    async down() {
      throw new Error(`${file} cannot be reverted; write a new migration`);
    },
  };
}
