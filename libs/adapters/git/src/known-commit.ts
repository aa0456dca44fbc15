import { fail, FailureError } from '#kernel';
import { GitExitError } from './git-exit-error.js';
import { isCorruptMirror } from './git.classifier.js';
import type { Mirror } from './mirror.js';

export const COMMIT = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;

export function checkCommit(commit: string): string {
  if (COMMIT.test(commit)) return commit;
  return fail({ class: 'invalid', code: 'commit-unknown', message: 'that is no full commit id' });
}

export async function hasCommit(mirror: Mirror, commit: string): Promise<boolean> {
  const run = await mirror.local(['cat-file', '-e', `${commit}^{commit}`]);
  const failed = new GitExitError('cat-file', run.code, run.stderr, '', false);
  if (run.code !== 0 && isCorruptMirror(failed)) throw failed;
  return run.code === 0;
}

export async function needCommit(mirror: Mirror, commit: string): Promise<void> {
  if (!(await mirror.exists()) || !(await hasCommit(mirror, commit))) throw unknownCommit(commit);
}

export const unknownCommit = (commit: string): FailureError =>
  new FailureError({
    class: 'invalid',
    code: 'commit-unknown',
    message: `commit ${commit.slice(0, 10)} is on no branch of the repository`,
    hint: 'it may have been removed by a forced push; push it to a branch again, or go on from the present head',
  });
