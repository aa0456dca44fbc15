import { randomUUID } from 'node:crypto';
import { access, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Duration } from '#kernel';
import { gitEnvironment, type GitCredentials } from './git-environment.js';
import { GitExitError } from './git-exit-error.js';
import { localGit, remoteGit, type LocalRun } from './git-process.js';
import { withMirrorLock } from './mirror-lock.js';
import type { RepositoryUrl } from './repository-url.js';

/** Names of locks that only Git itself makes, for moments. Under our own lock any such file is a killed process's. */
const GIT_LOCK = /\.lock$/;
const GIT_LEFTOVER = /^(?:tmp_|\.tmp-|incoming-)/;

/** One bare copy of a repository on local disk. Everything in it can be made again from the remote. */
export class Mirror {
  readonly dir: string;
  private readonly lockFile: string;
  private readonly home: string;

  constructor(
    private readonly root: string,
    readonly url: RepositoryUrl,
    readonly timeout: Duration,
  ) {
    this.dir = join(root, url.slug);
    this.lockFile = join(root, `${url.slug}.lock`);
    this.home = join(root, '.home');
  }

  /** Runs alone, after the rests of killed processes are swept away and the mirror is there, if only empty. */
  async exclusively<T>(work: () => Promise<T>): Promise<T> {
    await mkdir(this.home, { recursive: true });
    return withMirrorLock(this.lockFile, this.timeout, async () => {
      await this.sweep();
      if (!(await this.exists())) await this.create();
      return work();
    });
  }

  async exists(): Promise<boolean> {
    try {
      await Promise.all(['HEAD', 'config', 'objects', 'refs'].map((name) => access(join(this.dir, name))));
      return true;
    } catch {
      return false;
    }
  }

  /** Throws the copy away; under the lock only. */
  async discard(): Promise<void> {
    const aside = join(this.root, `.broken-${randomUUID()}`);
    await rename(this.dir, aside).catch(() => undefined);
    await rm(aside, { recursive: true, force: true });
  }

  /** Made aside and moved in whole, so that a half-made one is never taken for a mirror. */
  async create(): Promise<void> {
    await this.discard();
    const aside = join(this.root, `.new-${randomUUID()}`);
    try {
      await this.checked(
        ['init', '--bare', '--quiet', '--template=', '--initial-branch=fairway-none', aside],
        {},
        this.root,
      );
      await rename(aside, this.dir);
    } finally {
      await rm(aside, { recursive: true, force: true });
    }
  }

  private async sweep(): Promise<void> {
    for (const folder of ['', 'objects', 'objects/pack', 'refs']) {
      const path = join(this.dir, folder);
      const names = await readdir(path, { recursive: folder === 'refs' }).catch(() => []);
      const rests = names.filter((name) => GIT_LOCK.test(name) || GIT_LEFTOVER.test(name));
      await Promise.all(rests.map((name) => rm(join(path, name), { recursive: true, force: true })));
    }
  }

  /** A local command that must succeed. */
  async checked(
    args: readonly string[],
    options: Parameters<Mirror['local']>[1] = {},
    cwd = this.dir,
  ): Promise<LocalRun> {
    const run = await this.local(args, options, cwd);
    if (run.code !== 0) {
      throw new GitExitError(
        args[0] ?? 'git',
        run.code,
        run.stderr,
        run.stdout.toString('utf8').slice(0, 2000),
        false,
      );
    }
    return run;
  }

  async local(
    args: readonly string[],
    options: {
      readonly input?: string;
      readonly maxBytes?: number;
      readonly environment?: Readonly<Record<string, string>>;
    } = {},
    cwd = this.dir,
  ): Promise<LocalRun> {
    if (cwd === this.dir && !(await this.exists())) {
      throw new GitExitError(args[0] ?? 'git', 128, `fatal: not a git repository: ${this.dir}`, '', false);
    }
    const environment = gitEnvironment({ home: this.home, mirrorDir: this.dir, timeout: this.timeout });
    // Never a repository around the mirrors, should this one be broken.
    const inside = cwd === this.dir ? { ...environment, GIT_DIR: this.dir } : environment;
    const { environment: more, ...rest } = options;
    return localGit(args, { ...inside, ...more }, { cwd, timeout: this.timeout, ...rest });
  }

  remote(args: readonly string[], credentials: GitCredentials | undefined): Promise<string> {
    const environment = gitEnvironment({
      home: this.home,
      mirrorDir: this.dir,
      timeout: this.timeout,
      remote: { url: this.url, credentials },
    });
    return remoteGit(this.dir, args, { ...environment, GIT_DIR: this.dir }, this.timeout);
  }

  /** Branches of the copy: name → commit. */
  async heads(): Promise<ReadonlyMap<string, string>> {
    const { stdout } = await this.checked([
      'for-each-ref',
      '--format=%(objectname) %(refname)',
      'refs/heads',
    ]);
    return parseHeads(stdout.toString('utf8'), ' ');
  }
}

/** `<id><separator>refs/heads/<name>` per line. */
export function parseHeads(text: string, separator: string): ReadonlyMap<string, string> {
  const heads = new Map<string, string>();
  for (const line of text.split('\n')) {
    const [id, ref] = line.split(separator);
    if (id !== undefined && ref?.startsWith('refs/heads/') === true)
      heads.set(ref.slice('refs/heads/'.length), id);
  }
  return heads;
}
