import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startEmbeddedPostgres } from '../../apps/sandbox/src/servers/embedded-postgres.js';
import { withClient } from '../support/database.js';
import { eventually } from '../support/eventually.js';

const LAUNCHER = fileURLToPath(
  new URL('../../apps/sandbox/src/servers/embedded-postgres.ts', import.meta.url),
);

const one = (url: string): Promise<unknown> =>
  withClient(url, async (client) => (await client.query('SELECT 1 AS one')).rows[0]);

/** A process of its own with a database, that can be killed. */
async function startInProcess(dataDir?: string): Promise<{ child: ChildProcess; url: string; home: string }> {
  const code = `
    import { startEmbeddedPostgres } from ${JSON.stringify(LAUNCHER)};
    const db = await startEmbeddedPostgres(${JSON.stringify(dataDir === undefined ? {} : { dataDir })});
    console.log(JSON.stringify({ url: db.url, home: db.dataDir }));
    setInterval(() => {}, 1000);`;
  const child = spawn(
    process.execPath,
    ['--conditions=source', '--import', 'tsx', '--input-type=module', '-e', code],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  const line = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout as NodeJS.ReadableStream }).once('line', resolve);
    child.once('exit', (status) => reject(new Error(`ended with ${status}`)));
  });
  return { child, ...(JSON.parse(line) as { url: string; home: string }) };
}

describe('embedded Postgres', () => {
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'fairway-embedded-'));
  });
  afterAll(() => rm(directory, { recursive: true, force: true }));

  it('starts several temporary ones at once, by password only, and leaves nothing', async () => {
    const servers = await Promise.all([startEmbeddedPostgres({}), startEmbeddedPostgres({})]);
    for (const server of servers) {
      expect(await one(server.url)).toEqual({ one: 1 });
      expect(new URL(server.url).hostname).toBe('127.0.0.1');
      const wrong = new URL(server.url);
      wrong.password = 'wrong';
      await expect(one(wrong.toString())).rejects.toThrow('password authentication failed');
    }
    await Promise.all(servers.map((server) => server.stop()));
    for (const server of servers) {
      await expect(one(server.url)).rejects.toThrow('ECONNREFUSED');
      await expect(stat(server.dataDir)).rejects.toThrow('ENOENT');
    }
  });

  it('keeps its data over restarts, and ignores a stale pid file', async () => {
    const dataDir = join(directory, 'kept');
    const first = await startEmbeddedPostgres({ dataDir });
    await withClient(first.url, (client) => client.query('CREATE TABLE kept AS SELECT 42 AS answer'));
    await first.stop();
    await writeFile(join(first.dataDir, 'pg', 'postmaster.pid'), `${process.pid}\n/elsewhere\n`);
    const second = await startEmbeddedPostgres({ dataDir });
    const rows = await withClient(
      second.url,
      async (client) => (await client.query('SELECT * FROM kept')).rows,
    );
    expect(rows).toEqual([{ answer: 42 }]);
    await second.stop();
  });

  it.each(['SIGKILL', 'SIGTERM', 'SIGINT'] as const)('ends when its process ends by %s', async (signal) => {
    const { child, url, home } = await startInProcess();
    expect(await one(url)).toEqual({ one: 1 });
    child.kill(signal);
    await eventually(
      () =>
        one(url).then(
          () => false,
          () => true,
        ),
      'the server is gone',
    );
    await eventually(
      () =>
        stat(home).then(
          () => false,
          () => true,
        ),
      'the temporary data are gone',
    );
  });

  it('comes up again on the data of a killed process', async () => {
    const dataDir = join(directory, 'killed');
    const { child, url, home } = await startInProcess(dataDir);
    await withClient(url, (client) => client.query('CREATE TABLE survived (id integer)'));
    child.kill('SIGKILL');
    const again = await startEmbeddedPostgres({ dataDir });
    expect(again.dataDir).toBe(home);
    const found = await withClient(again.url, (client) =>
      client.query(`SELECT to_regclass('survived') AS name`),
    );
    expect(found.rows).toEqual([{ name: 'survived' }]);
    await again.stop();
  });

  it('refuses data of another version and says so', async () => {
    const dataDir = join(directory, 'old');
    const server = await startEmbeddedPostgres({ dataDir });
    await server.stop();
    const file = join(server.dataDir, 'pg', 'PG_VERSION');
    expect((await readFile(file, 'utf8')).trim()).toBe('17');
    await writeFile(file, '12\n');
    await expect(startEmbeddedPostgres({ dataDir })).rejects.toThrow('was made by PostgreSQL 12');
  });
});
