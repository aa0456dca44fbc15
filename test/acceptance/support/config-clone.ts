import { execFile } from 'node:child_process';
import { readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Nobody's own Git configuration, and an author. */
const ENVIRONMENT = {
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_AUTHOR_NAME: 'Tester',
  GIT_AUTHOR_EMAIL: 'tester@example.org',
  GIT_COMMITTER_NAME: 'Tester',
  GIT_COMMITTER_EMAIL: 'tester@example.org',
};

export const OLD_IMAGE = 'fairway-node-1.31.4-20251103';
export const NEW_IMAGE = 'fairway-node-1.31.4-20251117';

/** Somebody's clone of the configuration repository. */
export class ConfigClone {
  private constructor(readonly dir: string) {}

  static async of(url: string, dir: string, branch = 'dev'): Promise<ConfigClone> {
    await run('git', ['clone', '--quiet', '--branch', branch, url, dir], {
      env: { ...process.env, ...ENVIRONMENT },
    });
    return new ConfigClone(dir);
  }

  async git(...args: string[]): Promise<string> {
    const { stdout } = await run('git', args, { cwd: this.dir, env: { ...process.env, ...ENVIRONMENT } });
    return stdout.trim();
  }

  /** The edit must change something. */
  async edit(path: string, change: (text: string) => string): Promise<void> {
    const file = join(this.dir, path);
    const before = await readFile(file, 'utf8');
    const after = change(before);
    if (after === before) throw new Error(`the edit of ${path} changes nothing`);
    await writeFile(file, after);
  }

  write(path: string, text: string): Promise<void> {
    return writeFile(join(this.dir, path), text);
  }

  remove(path: string): Promise<void> {
    return rm(join(this.dir, path), { recursive: true });
  }

  link(path: string, target: string): Promise<void> {
    return symlink(target, join(this.dir, path));
  }

  async commit(message: string): Promise<string> {
    await this.git('add', '--all');
    await this.git('commit', '--quiet', '--message', message);
    return this.git('rev-parse', 'HEAD');
  }

  async push(branch: string, ...flags: string[]): Promise<void> {
    await this.git('push', '--quiet', ...flags, 'origin', `HEAD:refs/heads/${branch}`);
  }

  /** Commits everything and pushes it; returns the commit. */
  async publish(message: string, branch = 'dev'): Promise<string> {
    const commit = await this.commit(message);
    await this.push(branch);
    return commit;
  }

  setNodeImage(image: string): Promise<void> {
    return this.edit('cluster/config-defaults.yaml', (text) =>
      text.replace(/^node_image: .*$/m, `node_image: "${image}"`),
    );
  }
}
