import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { chown, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { canReach, type PostgresAccount } from './postgres-account.js';
import { makePrivate, type PostgresBinaries } from './postgres-binaries.js';
import { serverEnvironment } from './postgres-process.js';

/** Layout of a data directory of ours: `pg/` is the database's own, `password` is for its superuser. */
export interface PostgresData {
  readonly home: string;
  readonly pgData: string;
  readonly password: string;
}

export const SUPERUSER = 'fairway';

/** The directory itself, or, where the account cannot get to it, one that stands for it outside of the clone. */
export async function reachableHome(dataDir: string, account: PostgresAccount): Promise<string> {
  const wanted = resolve(dataDir);
  if (await canReach(wanted, account)) return wanted;
  const name = `fairway-${createHash('sha256').update(wanted).digest('hex').slice(0, 12)}`;
  return join('/var/tmp', name);
}

/** A database that is there is kept; a half-made one (a crash during the first start) is made anew. */
export async function prepareData(
  home: string,
  binaries: PostgresBinaries,
  account: PostgresAccount,
): Promise<PostgresData> {
  const owner = (await stat(home).catch(() => undefined))?.uid;
  const expected = account.ids?.uid ?? process.getuid?.();
  if (owner !== undefined && expected !== undefined && owner !== expected && owner !== process.getuid?.()) {
    throw new Error(
      `${home} belongs to another account (uid ${owner}). Start as that account, or remove the directory.`,
    );
  }
  await makePrivate(home, account);
  const pgData = join(home, 'pg');
  const version = await readFile(join(pgData, 'PG_VERSION'), 'utf8').catch(() => undefined);
  if (version === undefined) return initialise(home, binaries, account);
  if (version.trim() !== '17') {
    throw new Error(
      `${home} was made by PostgreSQL ${version.trim()}, this is 17. Dump it with the old one, or remove it.`,
    );
  }
  await waitForPrevious(pgData);
  return { home, pgData, password: (await readFile(join(home, 'password'), 'utf8')).trim() };
}

async function initialise(
  home: string,
  binaries: PostgresBinaries,
  account: PostgresAccount,
): Promise<PostgresData> {
  const password = randomBytes(24).toString('base64url');
  const passwordFile = join(home, 'password');
  await writeFile(passwordFile, `${password}\n`, { mode: 0o600 });
  if (account.ids) await chown(passwordFile, account.ids.uid, account.ids.gid);
  const draft = join(home, 'pg.new');
  await rm(draft, { recursive: true, force: true });
  const flags = [
    `--pgdata=${draft}`,
    `--username=${SUPERUSER}`,
    `--pwfile=${passwordFile}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    '--locale=C',
    '--no-sync',
  ];
  await promisify(execFile)(binaries.initdb, flags, {
    cwd: '/',
    env: { ...serverEnvironment(), TMPDIR: tmpdir() },
    ...account.ids,
  }).catch((error: Error & { stderr?: string }) => {
    throw new Error(`initdb failed: ${error.stderr?.trim() || error.message}`);
  });
  await rename(draft, join(home, 'pg'));
  return { home, pgData: join(home, 'pg'), password };
}

/**
 * `postmaster.pid` of a start before: where that server still runs (its parent was killed and it is shutting down) it
 * is given time; where its number belongs to another program by now, the file is stale and Postgres would refuse it.
 */
async function waitForPrevious(pgData: string): Promise<void> {
  const pidFile = join(pgData, 'postmaster.pid');
  const deadline = Date.now() + 20_000;
  for (;;) {
    const pid = Number((await readFile(pidFile, 'utf8').catch(() => '')).split('\n')[0]);
    if (!pid) return;
    if (!(await isServerOf(pid, pgData))) return rm(pidFile, { force: true });
    if (Date.now() > deadline) {
      throw new Error(`The database in ${pgData} is in use by process ${pid}. Stop the other Fairway first.`);
    }
    await new Promise((wake) => setTimeout(wake, 100));
  }
}

async function isServerOf(pid: number, pgData: string): Promise<boolean> {
  try {
    const { stdout } = await promisify(execFile)('ps', ['-ww', '-p', String(pid), '-o', 'args=']);
    return stdout.includes(pgData);
  } catch (error) {
    // Minimal systems have no ps; Linux tells by /proc. An absent entry means that nobody has the number.
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') return false;
    return (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).includes(pgData);
  }
}
