import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { simpleGit, type SimpleGit } from 'simple-git';

const AUTHOR = { 'user.name': 'Dana Demo', 'user.email': 'dana@example.org', 'commit.gpgsign': 'false' };

/** A person's clone of the configuration repository. */
export class ConfigClone {
  private constructor(
    private readonly dir: string,
    private readonly git: SimpleGit,
  ) {}

  static async of(url: string, dir: string, branch: string): Promise<ConfigClone> {
    const config = Object.entries(AUTHOR).map(([key, value]) => `${key}=${value}`);
    await simpleGit({ config }).clone(url, dir, ['--branch', branch]);
    return new ConfigClone(dir, simpleGit({ baseDir: dir, config }));
  }

  /** Changes one file; the change must change something. */
  async edit(path: string, change: (text: string) => string): Promise<void> {
    const file = join(this.dir, path);
    const before = await readFile(file, 'utf8');
    const after = change(before);
    if (after === before) throw new Error(`the demo's edit of ${path} changes nothing`);
    await writeFile(file, after);
  }

  /** Returns the new commit. */
  async push(message: string, branch: string): Promise<string> {
    await this.git.add('.');
    await this.git.commit(message);
    await this.git.push('origin', `HEAD:refs/heads/${branch}`);
    return (await this.git.revparse(['HEAD'])).trim();
  }
}
