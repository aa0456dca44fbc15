import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createGit, type ClosableGit } from '#adapters/git';

const NOBODY = { GIT_CONFIG_NOSYSTEM: '1', GIT_CONFIG_GLOBAL: '/dev/null' };
const AUTHOR = ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.org'];

describe('a file written to a branch', () => {
  let root: string;
  let url: string;
  let git: ClosableGit;
  const run = (...args: string[]): string =>
    execFileSync('git', args, { env: { ...process.env, ...NOBODY }, encoding: 'utf8' }).trim();
  const remote = (...args: string[]): string => run('-C', join(root, 'remote'), ...args);
  const head = (): string => remote('rev-parse', 'dev');
  const note = (author: string) => ({ message: 'as registered', at: 1_700_000_000_000, author });

  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), 'fairway-write-'));
    run('init', '--quiet', '--initial-branch=dev', join(root, 'remote'));
    remote('config', 'receive.denyCurrentBranch', 'ignore');
    run('init', '--quiet', join(root, 'other'));
    commitFile('cluster', 'first');
    url = `file://${join(root, 'remote')}`;
    git = createGit({ mirrorsDir: join(root, 'mirrors'), allowFileUrls: true });
  });
  afterAll(async () => {
    await git.close();
    rmSync(root, { recursive: true });
  });

  function commitFile(folder: string, text: string): void {
    const blob = execFileSync('git', ['-C', join(root, 'remote'), 'hash-object', '-w', '--stdin'], {
      input: text,
      encoding: 'utf8',
    }).trim();
    remote('update-index', '--add', '--cacheinfo', `100644,${blob},${folder}/a.yaml`);
    remote(...AUTHOR, 'commit', '--quiet', '--message', text);
  }

  it('is one commit that touches nothing else, in the name of its author', async () => {
    const before = head();
    const written = await git.writeFile(
      url,
      'dev',
      { path: 'clusters/one.yaml', text: 'a: 1\n' },
      before,
      note('Grace <x>\nHopper'),
    );
    expect(written).toEqual({ kind: 'advanced', commit: head() });
    expect(remote('rev-parse', 'dev~1')).toBe(before);
    expect(remote('diff', '--name-only', 'dev~1', 'dev')).toBe('clusters/one.yaml');
    expect(remote('log', '-1', '--format=%an|%cn|%s', 'dev')).toBe('Grace  x  Hopper|Fairway|as registered');
    expect(await git.treeDigest(url, head())).toBe(await git.treeDigest(url, before));
  });

  it('is there already when it is repeated, and where nothing would change', async () => {
    const before = remote('rev-parse', 'dev~1');
    const file = { path: 'clusters/one.yaml', text: 'a: 1\n' };
    const again = await git.writeFile(url, 'dev', file, before, note('Grace <x>\nHopper'));
    expect(again).toEqual({ kind: 'already', commit: head() });
    expect(await git.writeFile(url, 'dev', file, head(), note('Ada'))).toEqual({
      kind: 'already',
      commit: head(),
    });
  });

  it('is not forced upon a branch that has moved', async () => {
    const before = head();
    remote('reset', '--quiet');
    commitFile('cluster', 'somebody was quicker');
    const moved = head();
    const file = { path: 'clusters/two.yaml', text: 'b: 2\n' };
    expect(await git.writeFile(url, 'dev', file, before, note('Ada'))).toEqual({ kind: 'moved' });
    expect(head()).toBe(moved);
    expect((await git.writeFile(url, 'dev', file, moved, note('Ada'))).kind).toBe('advanced');
    expect(remote('show', 'dev:cluster/a.yaml')).toBe('somebody was quicker');
  });

  it.each(['../a', '/a', 'a//b', '.git/config', 'clusters/..', 'a b'])(
    'has no path like %s',
    async (path) => {
      await expect(git.writeFile(url, 'dev', { path, text: '' }, head(), note('Ada'))).rejects.toThrow();
    },
  );
});
