import { type Dirent, lstatSync, readdirSync, readFileSync, readlinkSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { digestOf, digestOfValue, fail, seconds } from '#kernel';
import type { ConfigTree } from '#fleet';
import { gitEnvironment } from './git-environment.js';
import { GitExitError } from './git-exit-error.js';
import { localGit, type LocalRun } from './git-process.js';
import { assemble, checkTotal, readTreeContent } from './tree.reader.js';
import {
  checkEntries,
  DEFAULT_TREE_LIMITS,
  READ_PATHS,
  Rejections,
  type TreeEntry,
  type TreeLimits,
} from './tree-rules.js';

/** What stands for a commit where the files of a directory are read as they lie there. */
const NO_COMMIT = 'working-directory';
const NOT_A_REPOSITORY = 'name the root of a configuration repository: the directory that holds cluster/';
const MEND = 'fix or remove these files; the server refuses a commit that holds them';

/**
 * A directory as the tree that a commit of it would be, under the same rules and limits as the server's reading from the
 * object database. Rejects with `tree-rejected` (every file that breaks a rule) or `directory-unreadable`.
 */
export function readDirectoryTree(directory: string, limits: Partial<TreeLimits> = {}): ConfigTree {
  const all = { ...DEFAULT_TREE_LIMITS, ...limits };
  const rejections = new Rejections();
  const entries = READ_PATHS.flatMap((path) => entriesAt(directory, path, all, rejections));
  if (!entries.some((entry) => entry.path.startsWith('cluster/'))) {
    rejections.add('cluster/', 'the directory is not there or empty');
    rejections.throwIfAny(NO_COMMIT, directory, NOT_A_REPOSITORY);
  }
  checkEntries(entries, all, rejections);
  checkTotal(entries, all, rejections);
  rejections.throwIfAny(NO_COMMIT, directory, MEND);
  const content = new Map(entries.map((entry) => [entry.oid, readEntry(directory, entry)]));
  const { files } = assemble(entries, content, all, rejections);
  rejections.throwIfAny(NO_COMMIT, directory, MEND);
  const digests = [...files]
    .filter(([path]) => path.startsWith('cluster/'))
    .map(([path, text]) => [path, digestOf(text)]);
  return { commit: NO_COMMIT, treeDigest: digestOfValue(Object.fromEntries(digests)), files };
}

/** Everything below a path, in order of names. The path itself is the "object id": contents are read once each. */
function entriesAt(
  root: string,
  path: string,
  limits: TreeLimits,
  rejections: Rejections,
): readonly TreeEntry[] {
  const found: TreeEntry[] = [];
  const visit = (at: string): void => {
    // Far more than allowed is no reason to walk on.
    if (found.length > limits.maxFiles) return;
    const stat = lstatSync(join(root, at), { throwIfNoEntry: false });
    if (!stat) return;
    if (stat.isDirectory()) {
      for (const name of namesIn(root, at, rejections)) visit(`${at}/${name}`);
      return;
    }
    const mode = stat.isSymbolicLink()
      ? '120000'
      : stat.isFile()
        ? '100644'
        : `special ${stat.mode.toString(8)}`;
    found.push({ mode, oid: at, bytes: stat.size, path: at });
  };
  try {
    visit(path);
  } catch (error) {
    fail({
      class: 'invalid',
      code: 'directory-unreadable',
      message: `${join(root, path)} cannot be read (${(error as NodeJS.ErrnoException).code ?? String(error)})`,
    });
  }
  return found;
}

function namesIn(root: string, at: string, rejections: Rejections): readonly string[] {
  const strict = new TextDecoder('utf-8', { fatal: true });
  const entries: Dirent<Buffer>[] = readdirSync(join(root, at), { withFileTypes: true, encoding: 'buffer' });
  return entries
    .flatMap((entry) => {
      try {
        return strict.decode(entry.name);
      } catch {
        rejections.add(`${at}/${entry.name.toString('latin1')}`, 'the name is not UTF-8');
        return [];
      }
    })
    .sort();
}

const readEntry = (root: string, entry: TreeEntry): Buffer =>
  entry.mode === '120000'
    ? Buffer.from(readlinkSync(join(root, entry.path)))
    : readFileSync(join(root, entry.path));

/**
 * The tree of a revision (commit, branch, tag, `HEAD~1`, …) of a local repository, from its object database: hooks,
 * filters and checked out files have no say. Rejects with `not-a-repository`, `commit-unknown` or `tree-rejected`.
 */
export async function readRevisionTree(
  directory: string,
  revision: string,
  limits: Partial<TreeLimits> = {},
): Promise<ConfigTree> {
  const run = await repositoryAt(directory);
  const named = await run([
    'rev-parse',
    '--verify',
    '--quiet',
    '--end-of-options',
    `${revision}^{commit}`,
  ]).catch(() =>
    fail({
      class: 'invalid',
      code: 'commit-unknown',
      message: `${directory} has no revision ${revision}`,
      hint: 'Name a commit, a branch or a tag of this repository; in a shallow clone, fetch it first.',
    }),
  );
  const commit = lastLine(named);
  const { files } = await readTreeContent(run, commit, { ...DEFAULT_TREE_LIMITS, ...limits });
  const cluster = lastLine(await run(['rev-parse', '--verify', `${commit}:cluster`]));
  return { commit, treeDigest: digestOf(`cluster tree ${cluster}`), files };
}

const lastLine = (run: LocalRun): string => run.stdout.toString('utf8').trim().split('\n').at(-1) ?? '';

type Run = (
  args: readonly string[],
  options?: { readonly input?: string; readonly maxBytes?: number },
) => Promise<LocalRun>;

async function repositoryAt(directory: string): Promise<Run> {
  const notOne = (): never =>
    fail({
      class: 'invalid',
      code: 'not-a-repository',
      message: `${directory} is not the root of a Git repository`,
      hint: 'Give the directory of a clone (or a bare repository).',
    });
  let root: string;
  try {
    root = realpathSync(directory);
  } catch {
    return notOne();
  }
  const timeout = seconds(60);
  const environment = {
    ...gitEnvironment({ home: root, mirrorDir: root, timeout }),
    // Never a repository around this one.
    GIT_CEILING_DIRECTORIES: dirname(root),
  };
  const run: Run = async (args, options) => {
    const done = await localGit(args, environment, { cwd: root, timeout, ...options });
    if (done.code !== 0) throw new GitExitError(args[0] ?? 'git', done.code, done.stderr, '', false);
    return done;
  };
  await run(['rev-parse', '--git-dir']).catch((error: unknown) => {
    if (error instanceof GitExitError) return notOne();
    return fail({ class: 'invalid', code: 'git-missing', message: `git cannot be run (${String(error)})` });
  });
  return run;
}
