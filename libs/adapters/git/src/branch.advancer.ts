import { fail } from '#kernel';
import type { GitCredentials } from './git-environment.js';
import { GitExitError } from './git-exit-error.js';
import { parseHeads, type Mirror } from './mirror.js';

export type AdvanceResult = 'advanced' | 'already' | 'diverged' | 'moved';

export interface Move {
  readonly branch: string;
  readonly commit: string;
  readonly expected: string | undefined;
}

/** As `git check-ref-format` has it, and nothing that could be read as an option or a pattern. */
export const BRANCH =
  /^(?!.*(?:\.\.|\/\/|\/\.|@\{|\.lock(?:\/|$)))[A-Za-z0-9][A-Za-z0-9._/@+-]*[A-Za-z0-9_+-]$|^[A-Za-z0-9]$/;

/**
 * Moves a branch of the remote forward. Two guards at once: the new commit descends from the expected one (checked
 * here), and the remote is still at the expected one (checked by the remote, in one step with the move).
 */
export async function advanceBranch(
  mirror: Mirror,
  credentials: GitCredentials | undefined,
  { branch, commit, expected }: Move,
): Promise<AdvanceResult> {
  if (!BRANCH.test(branch))
    return fail({ class: 'invalid', code: 'branch-invalid', message: `"${branch}" is no branch name` });
  const current = await remoteHead(mirror, credentials, branch);
  if (current === commit) return 'already';
  if (current !== expected) return 'moved';
  if (expected !== undefined) {
    await needHere(mirror, credentials, expected);
    const run = await mirror.local(['merge-base', '--is-ancestor', expected, commit]);
    if (run.code === 1) return 'diverged';
    if (run.code !== 0) throw new GitExitError('merge-base', run.code, run.stderr, '', false);
  }
  const result = await push(mirror, credentials, { branch, commit, expected });
  // Whoever was quicker may have wanted the same.
  if (result === 'moved' && (await remoteHead(mirror, credentials, branch)) === commit) return 'already';
  return result;
}

export async function remoteHead(
  mirror: Mirror,
  credentials: GitCredentials | undefined,
  branch: string,
): Promise<string | undefined> {
  const args = ['ls-remote', '--heads', '--end-of-options', mirror.url.url, `refs/heads/${branch}`];
  return parseHeads(await mirror.remote(args, credentials), '\t').get(branch);
}

export async function needHere(
  mirror: Mirror,
  credentials: GitCredentials | undefined,
  commit: string,
): Promise<void> {
  if ((await mirror.local(['cat-file', '-e', `${commit}^{commit}`])).code === 0) return;
  const refs = '+refs/heads/*:refs/heads/*';
  await mirror.remote(
    ['fetch', '--quiet', '--no-tags', '--no-write-fetch-head', '--end-of-options', mirror.url.url, refs],
    credentials,
  );
}

export async function push(
  mirror: Mirror,
  credentials: GitCredentials | undefined,
  move: Move,
): Promise<AdvanceResult> {
  const ref = `refs/heads/${move.branch}`;
  const lease = `--force-with-lease=${ref}:${move.expected ?? ''}`;
  const options = ['--porcelain', '--no-verify', '--no-signed', lease];
  const args = ['push', ...options, '--end-of-options', mirror.url.url, `${move.commit}:${ref}`];
  try {
    const said = await mirror.remote(args, credentials);
    // `=`: the remote was there already when it was asked, so nothing was moved by us.
    return said.split('\n').some((line) => line.startsWith('=')) ? 'already' : 'advanced';
  } catch (error) {
    if (!(error instanceof GitExitError) || error.timedOut) throw error;
    return refused(error, move);
  }
}

const QUICKER =
  /stale info|fetch first|non-fast-forward|cannot lock ref|failed to update ref|reference already exists/i;

/** Lines of `push --porcelain`: `!` TAB `<from>:<to>` TAB `[rejected] (stale info)`. */
function refused(error: GitExitError, { branch }: Move): AdvanceResult {
  const line = error.stdout.split('\n').find((one) => one.startsWith('!'));
  if (line === undefined) throw error;
  const why = line.split('\t')[2] ?? '';
  // Somebody else was quicker: either our lease or the lock of the ref on the other side says so.
  if (QUICKER.test(why)) return 'moved';
  const hook = error.stderr
    .split('\n')
    .filter((one) => one.startsWith('remote:'))
    .map((one) => one.slice('remote:'.length).trim())
    .filter((one) => one !== '');
  return fail({
    class: 'denied',
    code: 'push-refused',
    message: `the Git host refuses to move ${branch}: ${[why, ...hook.slice(0, 3)].join('; ')}`.slice(0, 600),
    hint: `let Fairway's user push to ${branch} (protected branches, required reviews), then it is tried again`,
  });
}
