import { fail } from '#kernel';
import type { GitCredentials } from './git-environment.js';
import { parseHeads, type Mirror } from './mirror.js';

/** Asks for the heads; fetches only if they differ. A remote without branches changes nothing here. */
export async function bringUpToDate(
  mirror: Mirror,
  credentials: GitCredentials | undefined,
): Promise<ReadonlyMap<string, string>> {
  const { url } = mirror.url;
  const there = parseHeads(
    await mirror.remote(['ls-remote', '--heads', '--end-of-options', url], credentials),
    '\t',
  );
  if (there.size === 0) {
    return fail({
      class: 'invalid',
      code: 'git-empty',
      message: `${url} has no branches`,
      hint: 'push a first branch; what was read before stays in force',
    });
  }
  const here = await mirror.heads();
  if (sameHeads(here, there)) return here;
  const quiet = ['--quiet', '--no-tags', '--no-write-fetch-head', '--force', '--prune'];
  await mirror.remote(
    ['fetch', ...quiet, '--end-of-options', url, '+refs/heads/*:refs/heads/*'],
    credentials,
  );
  await mirror.local(['gc', '--auto', '--quiet']);
  const now = await mirror.heads();
  // Git may leave refs alone and still end well, for example where the remote is a shallow copy.
  const left = [...there].filter(
    ([branch, id]) => !now.has(branch) || (now.get(branch) !== id && now.get(branch) === here.get(branch)),
  );
  if (left.length === 0) return now;
  return fail({
    class: 'transient',
    code: 'git-incomplete',
    message: `${url} did not hand over ${left
      .map(([branch]) => branch)
      .slice(0, 3)
      .join(', ')}`,
    hint: 'a branch was moved in this moment, or the remote is a shallow copy: serve a full one',
  });
}

const sameHeads = (a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>): boolean =>
  a.size === b.size && [...a].every(([branch, commit]) => b.get(branch) === commit);
