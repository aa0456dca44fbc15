import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { minutes } from '#kernel';
import { createGit, type ClosableGit } from '#adapters/git';
import { startGitServer, type GitServer, type PushedRef } from '#simulation';

const run = promisify(execFile);
const CLEAN = {
  PATH: process.env['PATH'] ?? '',
  HOME: '/nonexistent',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_TERMINAL_PROMPT: '0',
};
const WHO = ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.org'];
const NOTE = { message: 'Promote dev to alpha\n\nbecause', at: Date.parse('2026-06-01T08:00:00Z') };

let base: string;
let server: GitServer;
let git: ClosableGit;
let url: string;
let dir: string;
let count = 0;
const pushes: PushedRef[] = [];

const person = async (...args: string[]): Promise<string> =>
  (await run('git', [...WHO, ...args], { cwd: dir, env: CLEAN })).stdout.trim();

/** Commits files on a branch and pushes it. */
async function commit(branch: string, files: Readonly<Record<string, string>>): Promise<string> {
  await person('checkout', '--quiet', branch);
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(dir, path)), { recursive: true });
    await writeFile(join(dir, path), text);
  }
  await person('add', '--all');
  await person('commit', '--quiet', '-m', `change ${branch}`);
  await person('push', '--quiet', 'origin', branch);
  return person('rev-parse', 'HEAD');
}

beforeAll(async () => {
  base = await mkdtemp(join(tmpdir(), 'fairway-merge-'));
  server = await startGitServer({ root: join(base, 'served'), onPush: (push) => pushes.push(...push.refs) });
});
beforeEach(async () => {
  count += 1;
  const seed = await mkdtemp(join(base, 'seed-'));
  await mkdir(join(seed, 'cluster'), { recursive: true });
  await writeFile(join(seed, 'cluster', 'cluster.yaml'), 'a: 1\n');
  await writeFile(join(seed, 'fairway.yaml'), 'policy: 1\n');
  url = await server.createRepository(`config-${count}`, { dir: seed, branches: ['dev', 'alpha'] });
  dir = await mkdtemp(join(base, 'clone-'));
  await run('git', ['clone', '--quiet', '--branch', 'dev', url, dir], { env: CLEAN });
  git = createGit({ mirrorsDir: await mkdtemp(join(base, 'mirrors-')), fetchTimeout: minutes(1) });
  pushes.length = 0;
});
afterAll(async () => {
  await git.close();
  await server.close();
  await rm(base, { recursive: true, force: true });
});

describe('merge in the object database', () => {
  it('joins what diverged, keeps both sides, and repeats itself without another commit', async () => {
    const target = await commit('alpha', { 'fairway.yaml': 'policy: alpha\n' });
    const source = await commit('dev', { 'cluster/cluster.yaml': 'a: 2\n' });
    pushes.length = 0;
    await git.fetch(url);
    expect(await git.advance(url, 'alpha', source, target)).toBe('diverged');
    const merged = await git.merge(url, 'alpha', source, target, NOTE);
    expect(merged.kind).toBe('advanced');
    const made = 'commit' in merged ? merged.commit : '';
    expect((await git.fetch(url)).get('alpha')).toBe(made);
    const tree = await git.readTree(url, made);
    expect([tree.files.get('cluster/cluster.yaml'), tree.files.get('fairway.yaml')]).toEqual([
      'a: 2\n',
      'policy: alpha\n',
    ]);
    expect(tree.treeDigest).toBe(await git.treeDigest(url, source));
    expect([await git.isAncestor(url, source, made), await git.isAncestor(url, target, made)]).toEqual([
      true,
      true,
    ]);
    expect(await git.commit(url, made)).toMatchObject({
      author: 'Fairway <fairway@localhost>',
      subject: 'Promote dev to alpha',
    });
    expect(await git.merge(url, 'alpha', source, target, NOTE)).toEqual({ kind: 'already', commit: made });
    expect(pushes).toHaveLength(1);
  });

  it('names the files of a conflict and moves nothing', async () => {
    const target = await commit('alpha', { 'cluster/cluster.yaml': 'a: alpha\n', 'cluster/b.yaml': 'x\n' });
    const source = await commit('dev', { 'cluster/cluster.yaml': 'a: dev\n', 'cluster/c.yaml': 'y\n' });
    pushes.length = 0;
    await git.fetch(url);
    expect(await git.merge(url, 'alpha', source, target, NOTE)).toEqual({
      kind: 'conflict',
      files: ['cluster/cluster.yaml'],
    });
    expect((await git.fetch(url)).get('alpha')).toBe(target);
    expect(pushes).toEqual([]);
  });

  it('says so when the branch moved meanwhile', async () => {
    const target = await commit('alpha', { 'fairway.yaml': 'policy: alpha\n' });
    const source = await commit('dev', { 'cluster/cluster.yaml': 'a: 2\n' });
    await git.fetch(url);
    const later = await commit('alpha', { 'fairway.yaml': 'policy: other\n' });
    expect(await git.merge(url, 'alpha', source, target, NOTE)).toEqual({ kind: 'moved' });
    expect((await git.fetch(url)).get('alpha')).toBe(later);
  });

  it('is made once by two workers at once', async () => {
    const target = await commit('alpha', { 'fairway.yaml': 'policy: alpha\n' });
    const source = await commit('dev', { 'cluster/cluster.yaml': 'a: 2\n' });
    await git.fetch(url);
    pushes.length = 0;
    const other = createGit({ mirrorsDir: await mkdtemp(join(base, 'mirrors-')), fetchTimeout: minutes(1) });
    await other.fetch(url);
    const both = await Promise.all([git, other].map((one) => one.merge(url, 'alpha', source, target, NOTE)));
    await other.close();
    expect(both.map((one) => one.kind).sort()).toEqual(expect.arrayContaining(['advanced']));
    expect(new Set(both.map((one) => ('commit' in one ? one.commit : ''))).size).toBe(1);
    expect(new Set(pushes.map((one) => JSON.stringify(one))).size).toBe(1);
  });
});

describe('restore', () => {
  it('brings the content back by a new commit and leaves the policy as it is', async () => {
    const good = await person('rev-parse', 'dev');
    await commit('dev', { 'cluster/cluster.yaml': 'a: bad\n', 'cluster/extra.yaml': 'b\n' });
    const head = await commit('dev', { 'fairway.yaml': 'policy: 2\n' });
    await git.fetch(url);
    const restored = await git.restore(url, 'dev', good, head, { ...NOTE, message: 'Roll dev back' });
    const made = 'commit' in restored ? restored.commit : '';
    expect(restored.kind).toBe('advanced');
    const tree = await git.readTree(url, made);
    expect([...tree.files.keys()].sort()).toEqual(['cluster/cluster.yaml', 'fairway.yaml']);
    expect(tree.files.get('fairway.yaml')).toBe('policy: 2\n');
    expect(tree.treeDigest).toBe(await git.treeDigest(url, good));
    expect(await git.isAncestor(url, head, made)).toBe(true);
    expect(await git.restore(url, 'dev', good, head, { ...NOTE, message: 'Roll dev back' })).toEqual({
      kind: 'already',
      commit: made,
    });
    expect(await git.restore(url, 'dev', good, made, NOTE)).toEqual({ kind: 'already', commit: made });
  });
});

describe('one more file', () => {
  it('is read wherever the policy names it, and is no link', async () => {
    const head = await commit('dev', { 'e2e/own.yaml': 'kind: Job\n' });
    await git.fetch(url);
    expect(await git.readFile(url, head, 'e2e/own.yaml')).toBe('kind: Job\n');
    expect(await git.readFile(url, head, 'e2e/none.yaml')).toBeUndefined();
    await expect(git.readFile(url, head, 'e2e')).rejects.toMatchObject({
      failure: { code: 'tree-rejected' },
    });
    await person('checkout', '--quiet', 'dev');
    await run('ln', ['-s', '/etc/passwd', join(dir, 'e2e', 'link.yaml')]);
    const linked = await commit('dev', {});
    await git.fetch(url);
    await expect(git.readFile(url, linked, 'e2e/link.yaml')).rejects.toMatchObject({
      failure: { code: 'tree-rejected' },
    });
  });
});
