import { fail } from '#kernel';
import type { CommitNote, MergeResult } from '#ports';
import { BRANCH, needHere, push, remoteHead } from './branch.advancer.js';
import type { GitCredentials } from './git-environment.js';
import { GitExitError } from './git-exit-error.js';
import type { Mirror } from './mirror.js';

export interface MergeMove {
  readonly branch: string;
  readonly commit: string;
  readonly expected: string;
  readonly note: CommitNote;
}

type Made =
  | { readonly kind: 'commit'; readonly commit: string }
  | { readonly kind: 'conflict'; readonly files: readonly string[] };

/** Directories that a rollback brings back; the policy beside them stays as it is. */
const RESTORED = ['cluster', 'clusters'];
const MAX_FILES = 200;

/** A merge of the commit into the branch, without a work tree. Source: git-merge-tree(1), from Git 2.38. */
export const mergeBranch = (
  mirror: Mirror,
  credentials: GitCredentials | undefined,
  move: MergeMove,
): Promise<MergeResult> => moveTo(mirror, credentials, move, () => mergeCommit(mirror, move));

/** A commit on top of the branch with the directories as they were at `commit`. */
export const restoreBranch = (
  mirror: Mirror,
  credentials: GitCredentials | undefined,
  move: MergeMove,
): Promise<MergeResult> => moveTo(mirror, credentials, move, () => restoreCommit(mirror, move));

async function moveTo(
  mirror: Mirror,
  credentials: GitCredentials | undefined,
  move: MergeMove,
  make: () => Promise<Made>,
): Promise<MergeResult> {
  const { branch, expected } = move;
  if (!BRANCH.test(branch))
    return fail({ class: 'invalid', code: 'branch-invalid', message: `"${branch}" is no branch name` });
  const current = await remoteHead(mirror, credentials, branch);
  await needHere(mirror, credentials, expected);
  const made = await make();
  if (made.kind === 'conflict') return current === expected ? made : { kind: 'moved' };
  const { commit } = made;
  if (current === commit) return { kind: 'already', commit };
  if (current !== expected) return { kind: 'moved' };
  const result = await push(mirror, credentials, { branch, commit, expected });
  if (result === 'advanced' || result === 'already') return { kind: result, commit };
  return (await remoteHead(mirror, credentials, branch)) === commit
    ? { kind: 'already', commit }
    : { kind: 'moved' };
}

async function mergeCommit(mirror: Mirror, { commit, expected, note }: MergeMove): Promise<Made> {
  const run = await mirror.local([
    'merge-tree',
    '--write-tree',
    '-z',
    '--name-only',
    '--no-messages',
    expected,
    commit,
  ]);
  if (run.code !== 0 && run.code !== 1) {
    if (/unknown option|usage: git merge-tree|not a valid object name/i.test(run.stderr)) {
      return fail({
        class: 'denied',
        code: 'git-too-old',
        message: 'the installed Git cannot merge without a work tree',
        hint: 'install Git 2.38 or newer where the worker runs, or merge by hand',
      });
    }
    throw new GitExitError('merge-tree', run.code, run.stderr, '', false);
  }
  const [tree = '', ...files] = run.stdout
    .toString('utf8')
    .split('\0')
    .filter((part) => part !== '');
  if (run.code === 1) return { kind: 'conflict', files: [...new Set(files)].slice(0, MAX_FILES) };
  return { kind: 'commit', commit: await commitTree(mirror, tree, [expected, commit], note) };
}

async function restoreCommit(mirror: Mirror, { commit, expected, note }: MergeMove): Promise<Made> {
  const [now, then] = [await rootEntries(mirror, expected), await rootEntries(mirror, commit)];
  const kept = [...now].filter(([name]) => !RESTORED.includes(name));
  const back = [...then].filter(([name]) => RESTORED.includes(name));
  const input = [...kept, ...back].map(([name, entry]) => `${entry}\t${name}\0`).join('');
  const { stdout } = await mirror.checked(['mktree', '-z'], { input });
  const tree = stdout.toString('utf8').trim();
  const before = (await mirror.checked(['rev-parse', '--verify', `${expected}^{tree}`])).stdout
    .toString('utf8')
    .trim();
  if (tree === before) return { kind: 'commit', commit: expected };
  return { kind: 'commit', commit: await commitTree(mirror, tree, [expected], note) };
}

/** Name → `<mode> <type> <id>` of the entries of a commit's root. */
async function rootEntries(mirror: Mirror, commit: string): Promise<ReadonlyMap<string, string>> {
  const { stdout } = await mirror.checked(['ls-tree', '-z', '--full-tree', commit]);
  const entries = new Map<string, string>();
  for (const line of stdout.toString('latin1').split('\0')) {
    const tab = line.indexOf('\t');
    if (tab > 0) entries.set(Buffer.from(line.slice(tab + 1), 'latin1').toString('utf8'), line.slice(0, tab));
  }
  return entries;
}

/** The same tree, parents and note make the same id: whoever repeats a move after a crash finds it done. */
async function commitTree(
  mirror: Mirror,
  tree: string,
  parents: readonly string[],
  note: CommitNote,
): Promise<string> {
  const date = `${Math.floor(note.at / 1000)} +0000`;
  const who = { name: 'Fairway', email: 'fairway@localhost' };
  const args = ['commit-tree', '--no-gpg-sign', tree, ...parents.flatMap((parent) => ['-p', parent])];
  const { stdout } = await mirror.checked(args, {
    input: `${note.message.trimEnd()}\n`,
    environment: {
      GIT_AUTHOR_NAME: who.name,
      GIT_AUTHOR_EMAIL: who.email,
      GIT_AUTHOR_DATE: date,
      GIT_COMMITTER_NAME: who.name,
      GIT_COMMITTER_EMAIL: who.email,
      GIT_COMMITTER_DATE: date,
    },
  });
  return stdout.toString('utf8').trim();
}
