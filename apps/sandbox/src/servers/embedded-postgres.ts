import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { canReach, postgresAccount, type PostgresAccount } from './postgres-account.js';
import { makePrivate, postgresBinaries, type PostgresBinaries } from './postgres-binaries.js';
import { prepareData, reachableHome, SUPERUSER, type PostgresData } from './postgres-data.js';
import { startServer, type ServerProcess } from './postgres-process.js';

export interface EmbeddedPostgresOptions {
  /** Kept over restarts. Absent: a temporary one that is removed with the server and need not survive a power cut. */
  readonly dataDir?: string;
  readonly onLog?: (line: string) => void;
}

export interface EmbeddedPostgres {
  /** Of the database `fairway`, with its password: never to be logged. Loopback only, any free port. */
  readonly url: string;
  /** Where the data really is: not below `dataDir` if the database's account cannot get there. */
  readonly dataDir: string;
  /** Ends the server (fast shutdown). Its end, or ours by any signal, leaves nothing running. */
  stop(): Promise<void>;
}

const DATABASE = 'fairway';

/** A database that need not survive a power cut. */
const TEMPORARY = ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off', 'max_wal_size=256MB'];
const SETTINGS = [
  'listen_addresses=127.0.0.1',
  'unix_socket_directories=',
  'max_connections=200',
  'shared_buffers=64MB',
  'jit=off',
  'log_min_messages=warning',
  'log_checkpoints=off',
];

/** Starts a real Postgres from the npm package, as root and as an ordinary user, without a fixed port. */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const account = await postgresAccount();
  const binaries = await postgresBinaries(account);
  const temporary = options.dataDir === undefined;
  const home = temporary ? await temporaryHome(account) : await reachableHome(options.dataDir, account);
  try {
    const data = await prepareData(home, binaries, account);
    const { server, port } = await startOnFreePort(binaries, data, account, temporary, options.onLog);
    const url = (database: string): string =>
      `postgres://${SUPERUSER}:${encodeURIComponent(data.password)}@127.0.0.1:${port}/${database}`;
    await ensureDatabase(url('postgres')).catch(async (error: unknown) => {
      await server.stop();
      throw error;
    });
    return { url: url(DATABASE), dataDir: home, stop: () => server.stop() };
  } catch (error) {
    if (temporary) await rm(home, { recursive: true, force: true });
    throw error;
  }
}

async function temporaryHome(account: PostgresAccount): Promise<string> {
  const base = (await canReach(tmpdir(), account)) ? tmpdir() : '/var/tmp';
  const home = await mkdtemp(join(base, 'fairway-db-'));
  await makePrivate(home, account);
  return home;
}

/** Between finding a free port and binding it somebody may take it: then another one is tried. */
async function startOnFreePort(
  binaries: PostgresBinaries,
  data: PostgresData,
  account: PostgresAccount,
  temporary: boolean,
  onLog: (line: string) => void = () => undefined,
): Promise<{ server: ServerProcess; port: number }> {
  const settings = [...SETTINGS, ...(temporary ? TEMPORARY : [])].flatMap((setting) => ['-c', setting]);
  for (let attempt = 1; ; attempt++) {
    const port = await freePort();
    const command = [binaries.postgres, '-D', data.pgData, '-p', String(port), ...settings];
    try {
      const server = await startServer({
        command,
        account,
        onLog,
        ...(temporary && { removeAtEnd: data.home }),
      });
      return { server, port };
    } catch (error) {
      if (attempt === 10 || !/could not bind|Address already in use/.test(String(error))) throw error;
    }
  }
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

async function ensureDatabase(adminUrl: string): Promise<void> {
  const client = new pg.Client({ connectionString: adminUrl });
  client.on('error', () => undefined);
  await client.connect();
  try {
    const found = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [DATABASE]);
    if (found.rowCount === 0) await client.query(`CREATE DATABASE ${DATABASE}`);
  } finally {
    await client.end();
  }
}
