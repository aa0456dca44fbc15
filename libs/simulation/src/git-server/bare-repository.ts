import { execFile } from 'node:child_process';
import { access, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { serverEnvironment } from './git-backend.js';

const run = promisify(execFile);

export interface Seed {
  /** Files of the first commit. */
  readonly dir: string;
  /** Branches that start at it; the first one is HEAD. */
  readonly branches?: readonly string[];
  readonly message?: string;
}

/** A bare repository on disk, as the server serves it. */
export class BareRepository {
  constructor(
    private readonly root: string,
    readonly dir: string,
  ) {}

  async exists(): Promise<boolean> {
    return access(join(this.dir, 'HEAD')).then(
      () => true,
      () => false,
    );
  }

  async create(head: string): Promise<void> {
    await this.git(
      ['init', '--bare', '--quiet', '--template=', `--initial-branch=${head}`, this.dir],
      {},
      this.root,
    );
  }

  /** One commit with all files of a directory, made without touching the directory; equal files, equal commit. */
  async seed({ dir, branches = ['main'], message = 'First configuration' }: Seed): Promise<string> {
    const scratch = await mkdtemp(join(tmpdir(), 'fairway-seed-'));
    try {
      const env = { GIT_DIR: this.dir, GIT_WORK_TREE: dir, GIT_INDEX_FILE: join(scratch, 'index') };
      await this.git(['add', '--all', '--force', '.'], env, dir);
      const tree = await this.git(['write-tree'], env);
      const when = '2026-01-01T00:00:00Z';
      const who = {
        GIT_AUTHOR_NAME: 'Platform',
        GIT_AUTHOR_EMAIL: 'platform@example.org',
        GIT_AUTHOR_DATE: when,
      };
      const committer = {
        GIT_COMMITTER_NAME: 'Platform',
        GIT_COMMITTER_EMAIL: 'platform@example.org',
        GIT_COMMITTER_DATE: when,
      };
      const commit = await this.git(['commit-tree', tree, '-m', message], { ...env, ...who, ...committer });
      for (const branch of branches) await this.git(['update-ref', `refs/heads/${branch}`, commit]);
      return commit;
    } finally {
      await rm(scratch, { recursive: true, force: true });
    }
  }

  async heads(): Promise<ReadonlyMap<string, string>> {
    const text = await this.git(['for-each-ref', '--format=%(refname:lstrip=2) %(objectname)', 'refs/heads']);
    const lines = text.split('\n').filter((line) => line !== '');
    return new Map(lines.map((line) => line.split(' ') as [string, string]));
  }

  private async git(
    args: readonly string[],
    env: Record<string, string> = {},
    cwd = this.dir,
  ): Promise<string> {
    const { stdout } = await run('git', [...args], { cwd, env: { ...serverEnvironment(this.root), ...env } });
    return stdout.trimEnd();
  }
}
