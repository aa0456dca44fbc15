import { fail } from '#kernel';
import type { AuthoredNote, FileWrite, MergeResult } from '#ports';
import { BRANCH, needHere, push, remoteHead } from './branch.advancer.js';
import type { GitCredentials } from './git-environment.js';
import type { Mirror } from './mirror.js';

export interface WriteMove {
  readonly branch: string;
  readonly expected: string;
  readonly file: FileWrite;
  readonly note: AuthoredNote;
}

/** Folders and names that no tool reads as anything else. */
const PATH = /^(?:[A-Za-z0-9_][A-Za-z0-9._-]*\/)*[A-Za-z0-9_][A-Za-z0-9._-]*$/;
const BLOB_MODE = '100644';

/** A commit with one file's new text on top of a branch that stands at `expected`, made in the object database. */
export async function writeToBranch(
  mirror: Mirror,
  credentials: GitCredentials | undefined,
  move: WriteMove,
): Promise<MergeResult> {
  const { branch, expected, file } = move;
  if (!BRANCH.test(branch))
    return fail({ class: 'invalid', code: 'branch-invalid', message: `"${branch}" is no branch name` });
  if (!PATH.test(file.path))
    return fail({ class: 'invalid', code: 'path-invalid', message: `"${file.path}" is no path to write to` });
  const current = await remoteHead(mirror, credentials, branch);
  await needHere(mirror, credentials, expected);
  const commit = await writtenCommit(mirror, move);
  if (current === commit) return { kind: 'already', commit };
  if (current !== expected) return { kind: 'moved' };
  if (commit === expected) return { kind: 'already', commit };
  const result = await push(mirror, credentials, { branch, commit, expected });
  if (result === 'advanced' || result === 'already') return { kind: result, commit };
  return (await remoteHead(mirror, credentials, branch)) === commit
    ? { kind: 'already', commit }
    : { kind: 'moved' };
}

async function writtenCommit(mirror: Mirror, { expected, file, note }: WriteMove): Promise<string> {
  const blob = await words(mirror, ['hash-object', '-w', '--stdin'], file.text);
  const root = await words(mirror, ['rev-parse', '--verify', `${expected}^{tree}`]);
  const tree = await treeWith(mirror, root, file.path.split('/'), blob);
  return tree === root ? expected : commitTree(mirror, tree, expected, note);
}

/** The tree with the blob at the path; trees on the way are made anew, everything else is taken over by id. */
async function treeWith(
  mirror: Mirror,
  tree: string | undefined,
  [name = '', ...rest]: readonly string[],
  blob: string,
): Promise<string> {
  const entries = tree === undefined ? new Map<string, string>() : await entriesOf(mirror, tree);
  if (rest.length === 0) {
    entries.set(name, `${BLOB_MODE} blob ${blob}`);
  } else {
    const [, type, id] = entries.get(name)?.split(' ') ?? [];
    const below = await treeWith(mirror, type === 'tree' ? id : undefined, rest, blob);
    entries.set(name, `040000 tree ${below}`);
  }
  const input = [...entries].map(([key, entry]) => `${entry}\t${key}\0`).join('');
  return words(mirror, ['mktree', '-z'], input);
}

/** Name → `<mode> <type> <id>`. */
async function entriesOf(mirror: Mirror, tree: string): Promise<Map<string, string>> {
  const { stdout } = await mirror.checked(['ls-tree', '-z', tree]);
  const entries = new Map<string, string>();
  for (const line of stdout.toString('utf8').split('\0')) {
    const tab = line.indexOf('\t');
    if (tab > 0) entries.set(line.slice(tab + 1), line.slice(0, tab));
  }
  return entries;
}

async function words(mirror: Mirror, args: readonly string[], input?: string): Promise<string> {
  const { stdout } = await mirror.checked(args, input === undefined ? {} : { input });
  return stdout.toString('utf8').trim();
}

const COMMITTER = { name: 'Fairway', email: 'fairway@localhost' };

/** The same file, parent and note make the same id: whoever repeats a write after a crash finds it done. */
async function commitTree(mirror: Mirror, tree: string, parent: string, note: AuthoredNote): Promise<string> {
  const date = `${Math.floor(note.at / 1000)} +0000`;
  const { stdout } = await mirror.checked(['commit-tree', '--no-gpg-sign', tree, '-p', parent], {
    input: `${note.message.trimEnd()}\n`,
    environment: {
      GIT_AUTHOR_NAME: personName(note.author),
      GIT_AUTHOR_EMAIL: COMMITTER.email,
      GIT_AUTHOR_DATE: date,
      GIT_COMMITTER_NAME: COMMITTER.name,
      GIT_COMMITTER_EMAIL: COMMITTER.email,
      GIT_COMMITTER_DATE: date,
    },
  });
  return stdout.toString('utf8').trim();
}

/** What Git would take for syntax, or for nothing at all, is left out. */
function personName(author: string): string {
  const name = author.replace(/[\p{Cc}<>]/gu, ' ').replace(/^[\s.,:;"'\\]+|[\s.,:;"'\\]+$/g, '');
  return name.slice(0, 200) || COMMITTER.name;
}
