import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { appendFile, cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import pg from 'pg';
import { startGitServer } from '#simulation';
import { createQueue } from '#adapters/queue';
import { startEmbeddedPostgres } from '../../../apps/sandbox/src/servers/embedded-postgres.js';
import { eventually } from '../../support/eventually.js';
import { RoleProcess } from './role-process.js';

const FIXTURE = fileURLToPath(new URL('../../fixtures/config-repo', import.meta.url));
export const CHANNELS = ['dev', 'alpha', 'beta', 'stable'] as const;
/** Without conformance: its Jobs would run in clusters that are not there. */
const POLICY = `apiVersion: fairway.dev/v1
channels:
${CHANNELS.map(
  (name, position) =>
    `- name: ${name}\n  promotion: automatic\n  waves: [1, 100%]\n${position > 0 ? `  from: ${CHANNELS[position - 1]}\n  gates:\n    converged: {}\n    soak: 1s\n` : ''}`,
).join('')}`;
export const TOKEN = `fwy_${'b'.repeat(43)}`;
const run = promisify(execFile);

/** Database, Git server, one worker process, and an outside that answers 503 and counts who asks. */
export interface FleetBed {
  readonly environment: Readonly<Record<string, string>>;
  readonly repositoryUrl: string;
  readonly sql: pg.Client;
  readonly worker: RoleProcess;
  /** Calls that reached AWS or a cluster. */
  outsideCalls(): number;
  ring(keys: readonly string[]): Promise<void>;
  /** Rings that wait or are worked on. */
  queued(): Promise<number>;
  /** Appends a line to a file and pushes it to every channel in one push; returns the commit. */
  pushEverywhere(file: string): Promise<string>;
  close(): Promise<void>;
}

export async function startFleetBed(): Promise<FleetBed> {
  const closers: (() => unknown)[] = [];
  const close = async (): Promise<void> => {
    for (const closer of closers.reverse()) await closer();
  };
  try {
    return await start(closers, close);
  } catch (error) {
    await close();
    throw error;
  }
}

async function start(closers: (() => unknown)[], close: () => Promise<void>): Promise<FleetBed> {
  const dir = await mkdtemp(join(tmpdir(), 'fairway-bench-'));
  closers.push(() => rm(dir, { recursive: true, force: true }));
  const database = await startEmbeddedPostgres({});
  closers.push(() => database.stop());
  const git = await startGitServer({ root: join(dir, 'git') });
  closers.push(() => git.close());
  const seed = join(dir, 'seed');
  await cp(FIXTURE, seed, { recursive: true });
  await writeFile(join(seed, 'fairway.yaml'), POLICY);
  const repositoryUrl = await git.createRepository('config', {
    dir: seed,
    branches: CHANNELS,
    message: 'The fleet',
  });
  const outside = await deadOutside();
  closers.push(outside.close);
  const environment = environmentOf(dir, database.url, repositoryUrl, outside.url);
  const worker = await RoleProcess.start('worker', environment);
  closers.push(() => worker.close());
  const sql = new pg.Client({ connectionString: database.url });
  await sql.connect();
  closers.push(() => sql.end());
  const queue = createQueue({ kind: 'postgres', databaseUrl: database.url }, { concurrency: 1 });
  closers.push(() => queue.close());
  await eventually(async () => (await heads(sql)) === CHANNELS.length, 'the first heads', 30_000);
  const clone = join(dir, 'clone');
  await run('git', ['clone', '-q', '-b', 'dev', repositoryUrl, clone]);
  return {
    environment,
    repositoryUrl,
    sql,
    worker,
    outsideCalls: outside.calls,
    ring: async (keys) => {
      for (const key of keys) await queue.ring(key);
    },
    queued: async () => {
      const { waiting, active } = await queue.depth();
      return waiting + active;
    },
    pushEverywhere: (file) => pushEverywhere(clone, file),
    close,
  };
}

const heads = async (sql: pg.Client): Promise<number> =>
  (await sql.query('SELECT 1 FROM channels WHERE head_commit IS NOT NULL')).rowCount ?? 0;

function environmentOf(
  dir: string,
  databaseUrl: string,
  repositoryUrl: string,
  outsideUrl: string,
): Readonly<Record<string, string>> {
  return {
    FAIRWAY_DATABASE_URL: databaseUrl,
    FAIRWAY_PORT: '0',
    FAIRWAY_REPOSITORY: repositoryUrl,
    FAIRWAY_GIT_DIR: join(dir, 'mirrors'),
    FAIRWAY_CLUSTER_CREDENTIALS_DIR: join(dir, 'clusters'),
    FAIRWAY_BOOTSTRAP_TOKEN: TOKEN,
    // Nobody polls while something is measured: the bench rings.
    FAIRWAY_GIT_POLL_INTERVAL: '1h',
    FAIRWAY_LOG_LEVEL: 'error',
    AWS_ENDPOINT_URL: outsideUrl,
    AWS_ACCESS_KEY_ID: 'bench',
    AWS_SECRET_ACCESS_KEY: 'bench',
    AWS_REGION: 'eu-central-1',
    AWS_EC2_METADATA_DISABLED: 'true',
  };
}

/** Whoever calls it did not need to. */
async function deadOutside(): Promise<{ readonly url: string; calls(): number; close(): void }> {
  let calls = 0;
  const server = createServer((_request, response) => {
    calls += 1;
    response.writeHead(503).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const close = (): void => {
    server.closeAllConnections();
    server.close();
  };
  return { url, calls: () => calls, close };
}

async function pushEverywhere(clone: string, file: string): Promise<string> {
  await appendFile(
    join(clone, file),
    `# ${createHash('sha256').update(String(process.hrtime.bigint())).digest('hex')}\n`,
  );
  const author = [
    '-c',
    'user.name=Bench',
    '-c',
    'user.email=bench@example.org',
    '-c',
    'commit.gpgsign=false',
  ];
  await run('git', ['-C', clone, ...author, 'commit', '-q', '-a', '-m', `Touch ${file}`]);
  await run('git', [
    '-C',
    clone,
    'push',
    '-q',
    'origin',
    ...CHANNELS.map((name) => `HEAD:refs/heads/${name}`),
  ]);
  return (await run('git', ['-C', clone, 'rev-parse', 'HEAD'])).stdout.trim();
}
