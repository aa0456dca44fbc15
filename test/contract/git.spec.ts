import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { hostname, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { FailureError, milliseconds, minutes, seconds } from '#kernel';
import { createGit, type ClosableGit, type GitOptions } from '#adapters/git';
import { startGitServer, type GitServer, type PushedRef } from '#simulation';
import { eventually } from '../support/eventually.js';

const run = promisify(execFile);
let base: string;
let server: GitServer;
let git: ClosableGit;
let mirrorsDir: string;
let count = 0;
const pushes: { readonly repository: string; readonly refs: readonly PushedRef[] }[] = [];

const CLEAN = {
  PATH: process.env['PATH'] ?? '',
  HOME: '/nonexistent',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_TERMINAL_PROMPT: '0',
};
const WHO = ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.org'];

/** A person's clone: real work tree, real pushes. */
class Person {
  constructor(readonly dir: string) {}
  async git(...args: string[]): Promise<string> {
    return (
      await run('git', [...WHO, ...args], { cwd: this.dir, env: CLEAN, maxBuffer: 64 << 20 })
    ).stdout.trim();
  }
  async write(path: string, content: string | Buffer): Promise<void> {
    await mkdir(dirname(join(this.dir, path)), { recursive: true });
    await writeFile(join(this.dir, path), content);
  }
  async commit(message: string): Promise<string> {
    await this.git('add', '--all', '--force');
    await this.git('commit', '--quiet', '--allow-empty', '-m', message);
    return this.git('rev-parse', 'HEAD');
  }
  /** As the index has it, also what no work tree could. */
  async commitIndexed(message: string): Promise<string> {
    await this.git('add', '--force', 'cluster/Cluster.yaml', 'cluster/big.yaml', 'fairway.yaml');
    await this.git('commit', '--quiet', '-m', message);
    return this.git('rev-parse', 'HEAD');
  }
  async push(...refs: string[]): Promise<void> {
    await this.git('push', '--quiet', 'origin', ...refs);
  }
}

async function newRepository(
  options: { readonly branches?: readonly string[] } = {},
): Promise<{ url: string; person: Person; name: string }> {
  count += 1;
  const name = `config-${count}`;
  const seed = await mkdtemp(join(base, 'seed-'));
  await mkdir(join(seed, 'cluster', 'manifests', 'dns'), { recursive: true });
  await writeFile(join(seed, 'cluster', 'cluster.yaml'), 'Resources: {}\n');
  await writeFile(join(seed, 'cluster', 'manifests', 'dns', 'dns.yaml'), 'kind: ConfigMap # ä\n');
  await writeFile(join(seed, 'README.md'), 'not read\n');
  const url = await server.createRepository(name, {
    dir: seed,
    branches: options.branches ?? ['dev', 'alpha'],
  });
  const dir = await mkdtemp(join(base, 'clone-'));
  await run('git', ['clone', '--quiet', '--branch', 'dev', url, dir], { env: CLEAN });
  return { url, person: new Person(dir), name };
}

const newGit = (more: Partial<GitOptions> = {}): ClosableGit =>
  createGit({ mirrorsDir, fetchTimeout: minutes(1), ...more });

async function failureOf(
  work: Promise<unknown>,
): Promise<{ class: string; code: string; message: string; hint: string; details: readonly string[] }> {
  try {
    await work;
  } catch (error) {
    if (!(error instanceof FailureError)) throw error;
    const { failure } = error;
    return {
      class: failure.class,
      code: failure.code,
      message: failure.message,
      hint: failure.hint ?? '',
      details: failure.details?.map((one) => one.message) ?? [],
    };
  }
  throw new Error('it did not fail');
}

beforeAll(async () => {
  base = await mkdtemp(join(tmpdir(), 'fairway-git-'));
  server = await startGitServer({ root: join(base, 'served'), onPush: (push) => pushes.push(push) });
});
beforeEach(async () => {
  mirrorsDir = await mkdtemp(join(base, 'mirrors-'));
  git = newGit();
});
afterEach(async () => {
  server.setFault(undefined);
  await git.close();
});
afterAll(async () => {
  await server.close();
  await rm(base, { recursive: true, force: true });
});

describe('reading', () => {
  it('returns heads, facts and files at a pinned commit', async () => {
    const { url, person } = await newRepository();
    await person.write('cluster/node-pools/worker/stack.yaml', 'a: 1\n');
    await person.write('clusters/kube-1.yaml', 'b: 2\n');
    await person.write('fairway.yaml', 'c: 3\n');
    const commit = await person.commit('new image\n\nbody');
    await person.push('dev');
    const heads = await git.fetch(url);
    expect(heads.get('dev')).toBe(commit);
    expect([...heads.keys()].sort()).toEqual(['alpha', 'dev']);
    expect(await git.commit(url, commit)).toMatchObject({
      commit,
      author: 'Ada <ada@example.org>',
      subject: 'new image',
    });
    const tree = await git.readTree(url, commit);
    expect([...tree.files.keys()].sort()).toEqual([
      'cluster/cluster.yaml',
      'cluster/manifests/dns/dns.yaml',
      'cluster/node-pools/worker/stack.yaml',
      'clusters/kube-1.yaml',
      'fairway.yaml',
    ]);
    expect(tree.files.get('cluster/manifests/dns/dns.yaml')).toBe('kind: ConfigMap # ä\n');
    expect(tree.treeDigest).toBe(await git.treeDigest(url, commit));
  });

  it('binds the digest to the content of cluster/, not to the commit', async () => {
    const { url, person } = await newRepository();
    const first = await person.git('rev-parse', 'HEAD');
    await person.write('README.md', 'other words\n');
    await person.write('clusters/kube-1.yaml', 'b: 2\n');
    const second = await person.commit('words');
    await person.write('cluster/cluster.yaml', 'Resources: {A: 1}\n');
    const third = await person.commit('change');
    await person.git('revert', '--no-edit', third);
    const reverted = await person.git('rev-parse', 'HEAD');
    await person.push('dev');
    const digests = [];
    for (const commit of [first, second, third, reverted]) digests.push(await git.treeDigest(url, commit));
    expect(digests[1]).toBe(digests[0]);
    expect(digests[2]).not.toBe(digests[0]);
    expect(digests[3]).toBe(digests[0]);
    expect(await git.isAncestor(url, first, reverted)).toBe(true);
    expect(await git.isAncestor(url, reverted, first)).toBe(false);
  });

  it('shares a fetch among callers and asks only for heads when nothing is new', async () => {
    const { url } = await newRepository();
    await git.fetch(url);
    const before = server.requests.length;
    const all = await Promise.all(Array.from({ length: 10 }, () => git.fetch(url)));
    expect(new Set(all).size).toBe(1);
    const asked = server.requests.slice(before);
    // info/refs and one ls-refs of protocol 2; no pack is negotiated.
    expect(asked.map((one) => one.service)).toEqual(['refs', 'upload']);
  });

  it('follows links to files inside of cluster/ and nothing else', async () => {
    const { url, person } = await newRepository();
    await person.write('cluster/node-pools/a/userdata.yaml', 'x: 1\n');
    await mkdir(join(person.dir, 'cluster/node-pools/b'), { recursive: true });
    await run('ln', ['-s', '../a/userdata.yaml', 'cluster/node-pools/b/userdata.yaml'], { cwd: person.dir });
    await run('ln', ['-s', 'userdata.yaml', 'cluster/node-pools/b/again.yaml'], { cwd: person.dir });
    const good = await person.commit('links');
    await run('ln', ['-s', '../README.md', 'cluster/out.yaml'], { cwd: person.dir });
    await run('ln', ['-s', '/etc/passwd', 'cluster/passwd.yaml'], { cwd: person.dir });
    await run('ln', ['-s', 'node-pools', 'cluster/dir.yaml'], { cwd: person.dir });
    await run('ln', ['-s', 'circle.yaml', 'cluster/circle.yaml'], { cwd: person.dir });
    const bad = await person.commit('bad links');
    await person.push('dev');
    const tree = await git.readTree(url, good);
    expect(tree.files.get('cluster/node-pools/b/again.yaml')).toBe('x: 1\n');
    expect(await failureOf(git.readTree(url, bad))).toMatchObject({
      class: 'invalid',
      code: 'tree-rejected',
      details: [
        'cluster/circle.yaml: the link goes in circles or through too many links',
        'cluster/dir.yaml: the link leads to no file: node-pools',
        'cluster/out.yaml: the link leads out of cluster/: ../README.md',
        'cluster/passwd.yaml: the link leads to the absolute path /etc/passwd',
      ],
    });
  });

  it('rejects what cannot be configuration, all at once and by name', async () => {
    const { url, person } = await newRepository();
    await person.write('cluster/binary.yaml', Buffer.from([0x61, 0xff, 0xfe]));
    await person.write('cluster/nul.yaml', Buffer.from('a\0b'));
    await person.write('cluster/lfs.yaml', 'version https://git-lfs.github.com/spec/v1\noid sha256:00\n');
    const content = await person.commit('content');
    await person.git('reset', '--quiet', '--hard', 'HEAD~1');
    await person.write('cluster/Cluster.yaml', 'x\n');
    await person.git('rm', '--quiet', '--ignore-unmatch', 'fairway.yaml');
    await person.write('fairway.yaml/policy.yaml', 'channels: []\n');
    await person.write('cluster/big.yaml', Buffer.alloc(1024 * 1024 + 1, 0x61));
    const head = await person.git('rev-parse', 'HEAD');
    await person.git('update-index', '--add', '--cacheinfo', `160000,${head},cluster/module`);
    const names = await person.commitIndexed('names');
    await person.push('--force', `${names}:refs/heads/dev`, `${content}:refs/heads/content`);
    expect((await failureOf(git.readTree(url, content))).details).toEqual([
      'cluster/binary.yaml: the file is not UTF-8',
      'cluster/lfs.yaml: the file is in Git LFS, which is not read',
      'cluster/nul.yaml: the file holds NUL bytes',
    ]);
    const failure = await failureOf(git.readTree(url, names));
    expect(failure.details.slice().sort()).toEqual([
      'cluster/big.yaml: 1048577 bytes are more than 1048576',
      'cluster/cluster.yaml: differs from cluster/Cluster.yaml only by case or accents',
      'cluster/module: submodules are not followed',
      'fairway.yaml/policy.yaml: fairway.yaml is a directory where a file belongs',
    ]);
    expect(failure.message).toContain('cluster/big.yaml');
  });

  it('rejects crafted names that no work tree could hold', async () => {
    const { url, person } = await newRepository();
    const blob = await person.git('hash-object', '-w', 'README.md');
    const tree = async (entries: readonly [string, string, Buffer][]): Promise<string> => {
      const body = Buffer.concat(
        entries.map(([mode, oid, name]) =>
          Buffer.concat([Buffer.from(`${mode} `), name, Buffer.from([0]), Buffer.from(oid, 'hex')]),
        ),
      );
      await person.write('.git/raw', body);
      return person.git('hash-object', '-t', 'tree', '-w', '--literally', '.git/raw');
    };
    const inner = await tree([
      ['100644', blob, Buffer.from('..')],
      ['100644', blob, Buffer.from('a\\b')],
      ['100644', blob, Buffer.from([0x62, 0xff])],
      ['100644', blob, Buffer.from('c\nd\u001b[2J.yaml')],
      ['100644', blob, Buffer.from('e\u202elmay.yaml')],
      ['160000', 'a'.repeat(40), Buffer.from('f\ng')],
    ]);
    const root = await tree([['40000', inner, Buffer.from('cluster')]]);
    const commit = await person.git('commit-tree', root, '-m', 'crafted');
    await person.push(`${commit}:refs/heads/crafted`);
    expect((await failureOf(git.readTree(url, commit))).details).toEqual([
      'b\u00ff'.replace('b', 'cluster/b') + ': the name is not UTF-8',
      'cluster/..: the path holds "..", "." or nothing',
      'cluster/a\\b: the name holds a backslash',
      'cluster/c\\u000ad\\u001b[2J.yaml: the name holds control characters',
      'cluster/e\\u202elmay.yaml: the name holds control characters',
      'cluster/f\\u000ag: the name holds control characters',
    ]);
  });

  it('has limits for files and bytes', async () => {
    const { url } = await newRepository();
    const commit = (await git.fetch(url)).get('dev') as string;
    await expect(newGit({ limits: { maxFiles: 1 } }).readTree(url, commit)).rejects.toThrow(
      '2 files are more than 1',
    );
    await expect(newGit({ limits: { maxTreeBytes: 20 } }).readTree(url, commit)).rejects.toThrow(
      'are more than 20',
    );
  });

  it('refuses a commit without cluster/ and commits that are not there', async () => {
    const { url, person } = await newRepository();
    await person.git('rm', '--quiet', '-r', 'cluster');
    const commit = await person.commit('gone');
    await person.push('dev');
    expect(await failureOf(git.treeDigest(url, commit))).toMatchObject({
      class: 'invalid',
      code: 'tree-rejected',
    });
    expect(await failureOf(git.readTree(url, commit))).toMatchObject({
      class: 'invalid',
      code: 'tree-rejected',
    });
    expect(await failureOf(git.readTree(url, 'f'.repeat(40)))).toMatchObject({
      class: 'invalid',
      code: 'commit-unknown',
    });
    expect(await failureOf(git.readTree(url, '--output=/tmp/x'))).toMatchObject({ code: 'commit-unknown' });
  });
});

describe('trouble', () => {
  it('is told apart, with hints, and heals by itself', async () => {
    const { url } = await newRepository();
    const good = await git.fetch(url);
    server.setFault({ kind: 'unavailable' });
    expect(await failureOf(git.fetch(url))).toMatchObject({ class: 'transient', code: 'git-unreachable' });
    server.setFault({ kind: 'status', status: 503 });
    expect(await failureOf(git.fetch(url))).toMatchObject({ class: 'transient', code: 'git-unreachable' });
    server.setFault({ kind: 'status', status: 429 });
    expect(await failureOf(git.fetch(url))).toMatchObject({ class: 'throttled', code: 'git-throttled' });
    server.setFault({ kind: 'status', status: 403 });
    expect(await failureOf(git.fetch(url))).toMatchObject({ class: 'denied', code: 'git-denied' });
    server.setFault({ kind: 'hang' });
    const impatient = newGit({ fetchTimeout: seconds(2) });
    expect(await failureOf(impatient.fetch(url))).toMatchObject({ class: 'transient', code: 'git-timeout' });
    await impatient.close();
    server.setFault(undefined);
    expect(await failureOf(git.fetch(`${server.url}/nothing.git`))).toMatchObject({
      class: 'denied',
      code: 'git-not-found',
    });
    expect(await failureOf(git.fetch(await server.createRepository('empty')))).toMatchObject({
      class: 'invalid',
      code: 'git-empty',
    });
    expect(await failureOf(git.fetch('ext::sh -c touch% /tmp/x'))).toMatchObject({
      class: 'invalid',
      code: 'repository-url-invalid',
    });
    expect(await failureOf(git.fetch('file:///etc'))).toMatchObject({
      class: 'invalid',
      code: 'repository-url-invalid',
    });
    expect(await failureOf(git.fetch('--upload-pack=x'))).toMatchObject({
      class: 'invalid',
      code: 'repository-url-invalid',
    });
    expect(await git.fetch(url)).toEqual(good);
    const tree = await git.readTree(url, good.get('dev') as string);
    expect(tree.files.size).toBe(2);
  });

  it('keeps what was read when the remote loses everything', async () => {
    const { url, name } = await newRepository();
    const commit = (await git.fetch(url)).get('dev') as string;
    await rm(join(base, 'served', `${name}.git`, 'refs'), { recursive: true });
    await rm(join(base, 'served', `${name}.git`, 'packed-refs'), { force: true });
    await mkdir(join(base, 'served', `${name}.git`, 'refs'));
    expect((await failureOf(git.fetch(url))).code).toBe('git-empty');
    expect((await newGit().readTree(url, commit)).files.size).toBe(2);
  });

  it('takes no silent refusal for an answer: a remote that is a shallow copy', async () => {
    const { person, name } = await newRepository();
    await person.commit('two');
    await person.push('dev');
    const shallow = join(base, 'served', `${name}-shallow.git`);
    const source = `file://${join(base, 'served', `${name}.git`)}`;
    await run('git', ['clone', '--quiet', '--bare', '--depth=1', '--branch', 'dev', source, shallow], {
      env: CLEAN,
    });
    expect(await failureOf(git.fetch(`${server.url}/${name}-shallow.git`))).toMatchObject({
      class: 'transient',
      code: 'git-incomplete',
    });
  });

  it('heals after a fetch that was cut off', async () => {
    const { url, person } = await newRepository();
    await person.write('cluster/noise.yaml', createHash('sha512').update('x').digest('hex').repeat(5000));
    await person.commit('noise');
    await person.push('dev');
    server.setFault({ kind: 'cut', afterBytes: 3000 });
    expect(await failureOf(git.fetch(url))).toMatchObject({ class: 'transient' });
    server.setFault(undefined);
    const heads = await git.fetch(url);
    expect((await git.readTree(url, heads.get('dev') as string)).files.size).toBe(3);
  });

  it.each<[string, (mirror: string) => Promise<void>]>([
    [
      'lock files of a killed process',
      async (mirror) => {
        for (const file of [
          'packed-refs.lock',
          'config.lock',
          'HEAD.lock',
          'refs/heads/dev.lock',
          'shallow.lock',
          'objects/pack/tmp_pack_x',
        ])
          await writeFile(join(mirror, file), '');
      },
    ],
    [
      'a mirror lock of a dead process',
      async (mirror) =>
        writeFile(
          `${mirror.replace(/\/$/, '')}.lock`,
          JSON.stringify({ host: hostname(), pid: 2 ** 22 - 1, self: 'x' }),
        ),
    ],
    ['a half-made mirror', async (mirror) => rm(join(mirror, 'HEAD'))],
    ['a mirror without objects', async (mirror) => rm(join(mirror, 'objects'), { recursive: true })],
    [
      'empty object files',
      async (mirror) => {
        for (const file of await readdir(join(mirror, 'objects'), { recursive: true, withFileTypes: true })) {
          const path = join(file.parentPath, file.name);
          if (file.isFile()) await chmod(path, 0o644).then(() => truncate(path, 0));
        }
      },
    ],
    ['nothing at all', async (mirror) => rm(mirror, { recursive: true })],
  ])('heals: %s', async (_name, harm) => {
    const { url, person } = await newRepository();
    const first = (await git.fetch(url)).get('dev') as string;
    const [mirror] = (await readdir(mirrorsDir)).filter((name) => name.endsWith('.git'));
    await harm(join(mirrorsDir, mirror as string));
    git = newGit();
    expect((await git.readTree(url, first)).files.size).toBe(2);
    await person.write('cluster/new.yaml', 'n: 1\n');
    const second = await person.commit('next');
    await person.push('dev');
    expect((await git.fetch(url)).get('dev')).toBe(second);
    expect((await git.readTree(url, second)).files.size).toBe(3);
  });

  it('lets two workers share one mirror', async () => {
    const { url } = await newRepository();
    const other = newGit();
    const [a, b] = await Promise.all([git.fetch(url), other.fetch(url)]);
    expect(a).toEqual(b);
  });

  it('goes on where a worker was killed in the middle of its first fetch', async () => {
    const { url } = await newRepository();
    server.setFault({ kind: 'hang' });
    const program = `import { createGit } from '#adapters/git'; await createGit({ mirrorsDir: process.argv[1] }).fetch(process.argv[2]);`;
    const flags = ['--conditions=source', '--import', 'tsx', '--input-type=module', '--eval', program];
    const worker = spawn(process.execPath, [...flags, mirrorsDir, url], { stdio: 'ignore' });
    const died = new Promise((resolve) => worker.once('exit', resolve));
    await eventually(
      async () => (await readdir(mirrorsDir)).some((name) => name.endsWith('.git')),
      'the mirror',
    );
    worker.kill('SIGKILL');
    await died;
    expect((await readdir(mirrorsDir)).some((name) => name.endsWith('.lock'))).toBe(true);
    server.setFault(undefined);
    git = newGit();
    const heads = await git.fetch(url);
    expect((await git.readTree(url, heads.get('dev') as string)).files.size).toBe(2);
  });
});

describe('credentials', () => {
  it('reach the host and nothing else', async () => {
    const auth = { username: 'fairway', password: 's3cret-p4ss' };
    const guarded = await startGitServer({ root: join(base, 'guarded'), auth });
    try {
      const seed = await mkdtemp(join(base, 'seed-'));
      await mkdir(join(seed, 'cluster'));
      await writeFile(join(seed, 'cluster/cluster.yaml'), 'a\n');
      const url = await guarded.createRepository('private', { dir: seed, branches: ['dev'] });
      const denied = await failureOf(git.fetch(url));
      expect(denied).toMatchObject({ class: 'denied', code: 'git-denied' });
      const wrong = newGit({
        credentialsFor: () => ({ kind: 'basic', username: 'fairway', password: 'wrong-password' }),
      });
      const refused = await failureOf(wrong.fetch(url));
      expect(refused).toMatchObject({ class: 'denied', code: 'git-denied' });
      expect(JSON.stringify(refused)).not.toContain('wrong-password');
      const asked: string[] = [];
      const right = newGit({
        credentialsFor: (address) => (asked.push(address), { kind: 'basic', ...auth }),
      });
      expect((await right.fetch(url)).size).toBe(1);
      expect(asked).toEqual([url]);
      const inUrl = url.replace('http://', 'http://fairway:s3cret-p4ss@');
      expect((await newGit({ mirrorsDir: await mkdtemp(join(base, 'mirrors-')) }).fetch(inUrl)).size).toBe(1);
      const files = await readdir(mirrorsDir, { recursive: true, withFileTypes: true });
      for (const file of files.filter((one) => one.isFile())) {
        expect((await readFile(join(file.parentPath, file.name))).includes('s3cret')).toBe(false);
      }
    } finally {
      await guarded.close();
    }
  });

  it('are not carried to where a host redirects', async () => {
    const seen: (string | undefined)[] = [];
    const thief = createServer((request, response) => {
      seen.push(request.headers.authorization);
      response.writeHead(404).end();
    });
    await new Promise<void>((resolve) => thief.listen(0, '127.0.0.1', resolve));
    const address = `http://127.0.0.1:${(thief.address() as AddressInfo).port}/x.git/info/refs?service=git-upload-pack`;
    const { url } = await newRepository();
    server.setFault({ kind: 'status', status: 302, headers: { location: address } });
    const careful = newGit({ credentialsFor: () => ({ kind: 'bearer', token: 'topsecret-token' }) });
    const failure = await failureOf(careful.fetch(url));
    expect(failure.code).not.toBe('git-failed');
    expect(JSON.stringify(failure)).not.toContain('topsecret');
    expect(seen).toEqual([]);
    await new Promise((resolve) => thief.close(resolve));
  });
});

describe('advance', () => {
  it('moves a branch forward under a lease, and never otherwise', async () => {
    const { url, person, name } = await newRepository();
    const first = await person.git('rev-parse', 'HEAD');
    const second = await person.commit('two');
    const third = await person.commit('three');
    await person.push('dev');
    pushes.length = 0;
    expect(await git.advance(url, 'alpha', second, first)).toBe('advanced');
    expect(pushes).toEqual([
      { repository: `${name}.git`, refs: [{ branch: 'alpha', before: first, after: second }] },
    ]);
    expect(await git.advance(url, 'alpha', second, first)).toBe('already');
    expect(await git.advance(url, 'alpha', third, first)).toBe('moved');
    expect(await git.advance(url, 'alpha', first, second)).toBe('diverged');
    expect(await git.advance(url, 'beta', third, undefined)).toBe('advanced');
    expect(await git.advance(url, 'alpha', third, undefined)).toBe('moved');
    expect(await git.advance(url, 'gone', third, first)).toBe('moved');
    await person.git('checkout', '--quiet', '-b', 'side', second);
    const side = await person.commit('side');
    await person.push('side:alpha');
    // Nobody here ever fetched the new head of alpha.
    expect(await git.advance(url, 'alpha', third, side)).toBe('diverged');
    expect((await server.heads(name)).get('alpha')).toBe(side);
    expect(await failureOf(git.advance(url, '--mirror', third, side))).toMatchObject({
      code: 'branch-invalid',
    });
  });

  it('lets exactly one of several promote', async () => {
    const { url, person, name } = await newRepository();
    const first = await person.git('rev-parse', 'HEAD');
    const second = await person.commit('two');
    await person.push('dev');
    pushes.length = 0;
    const workers = await Promise.all(
      Array.from({ length: 4 }, async () => newGit({ mirrorsDir: await mkdtemp(join(base, 'mirrors-')) })),
    );
    const results = await Promise.all(workers.map((worker) => worker.advance(url, 'alpha', second, first)));
    expect(results.filter((one) => one === 'advanced').length).toBe(1);
    expect(results.every((one) => one === 'advanced' || one === 'already' || one === 'moved')).toBe(true);
    expect(pushes.length).toBe(1);
    expect((await server.heads(name)).get('alpha')).toBe(second);
  });

  it('says what a protected branch answers', async () => {
    const { url, person, name } = await newRepository();
    const first = await person.git('rev-parse', 'HEAD');
    const second = await person.commit('two');
    await person.push('dev');
    const hook = join(base, 'served', `${name}.git`, 'hooks', 'update');
    await mkdir(dirname(hook), { recursive: true });
    await writeFile(hook, '#!/bin/sh\necho "GL-HOOK: protected branch" >&2\nexit 1\n', { mode: 0o755 });
    const failure = await failureOf(git.advance(url, 'alpha', second, first));
    expect(failure).toMatchObject({ class: 'denied', code: 'push-refused' });
    expect(failure.message).toContain('GL-HOOK: protected branch');
  });

  it('takes large pushes of people, gzipped and chunked', async () => {
    const { person, name } = await newRepository();
    const noise = Buffer.concat(
      Array.from({ length: 200_000 }, (_, index) => createHash('sha256').update(String(index)).digest()),
    );
    await person.write('cluster/noise.bin', noise);
    const commit = await person.commit('large');
    await person.push('dev');
    expect((await server.heads(name)).get('dev')).toBe(commit);
  });

  it('times out on a slow host instead of hanging', async () => {
    const { url, person } = await newRepository();
    const first = await person.git('rev-parse', 'HEAD');
    const second = await person.commit('two');
    await person.push('dev');
    git = newGit({ fetchTimeout: milliseconds(700) });
    await git.fetch(url);
    server.setFault({ kind: 'slow', delay: seconds(3) });
    expect(await failureOf(git.advance(url, 'alpha', second, first))).toMatchObject({
      class: 'transient',
      code: 'git-timeout',
    });
  });
});
