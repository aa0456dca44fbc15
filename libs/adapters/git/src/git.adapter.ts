import type { Digest } from '#kernel';
import { digestOf, fail, FailureError, seconds } from '#kernel';
import type { ConfigTree } from '#fleet';
import type { AuthoredNote, CommitFacts, CommitNote, FileWrite, GitPort, MergeResult } from '#ports';
import { advanceBranch, type AdvanceResult } from './branch.advancer.js';
import { mergeBranch, restoreBranch } from './branch.merger.js';
import { writeToBranch } from './branch.writer.js';
import { secretsOf, type GitCredentials } from './git-environment.js';
import type { GitOptions } from './git-options.js';
import { classifyGit, isCorruptMirror } from './git.classifier.js';
import { checkCommit, COMMIT, hasCommit, needCommit, unknownCommit } from './known-commit.js';
import { Mirror } from './mirror.js';
import { bringUpToDate } from './mirror.updater.js';
import type { Remote } from './remote.js';
import { parseRepositoryUrl } from './repository-url.js';
import { TreeCache } from './tree-cache.js';
import { DEFAULT_TREE_LIMITS, READ_PATHS, type TreeLimits } from './tree-rules.js';
import { readOneFile, readTreeContent, type TreeContent } from './tree.reader.js';

export interface ClosableGit extends GitPort {
  /** Waits for what is under way. */
  close(): Promise<void>;
}

export const createGit = (options: GitOptions): ClosableGit => new GitAdapter(options);

const KIB = 1024;
/** Whole trees by commit: readers remember what they found out by the object, so it must be the same one. */
const KEPT_TREES = 16;

class GitAdapter implements ClosableGit {
  private readonly limits: TreeLimits;
  private readonly trees: TreeCache<TreeContent>;
  /** Small answers about immutable commits. */
  private readonly facts = new TreeCache<string>(10_000 * KIB);
  private readonly commits = new TreeCache<ConfigTree>(KEPT_TREES);
  private readonly remotes = new Map<string, Remote>();
  private readonly fetches = new Map<string, Promise<ReadonlyMap<string, string>>>();

  constructor(private readonly options: GitOptions) {
    this.limits = { ...DEFAULT_TREE_LIMITS, ...options.limits };
    this.trees = new TreeCache(options.cacheBytes ?? 128 * 1024 * 1024);
  }

  fetch(repository: string): Promise<ReadonlyMap<string, string>> {
    const running = this.fetches.get(repository);
    if (running !== undefined) return running;
    const started = this.fetchNow(repository).finally(() => this.fetches.delete(repository));
    this.fetches.set(repository, started);
    return started;
  }

  async commit(repository: string, commit: string): Promise<CommitFacts> {
    const cached = await this.fact(repository, commit, 'facts', async (mirror) => {
      const { stdout } = await mirror.checked([
        'log',
        '-1',
        '--format=%an <%ae>%x00%s%x00%cI',
        '--end-of-options',
        commit,
      ]);
      return stdout.toString('utf8').trimEnd();
    });
    const [author = '', subject = '', committedAt = ''] = cached.split('\0');
    return { commit, author: author.slice(0, 300), subject: subject.slice(0, 500), committedAt };
  }

  async treeDigest(repository: string, commit: string): Promise<Digest> {
    const [cluster] = await this.treeIds(repository, commit);
    if (cluster === undefined || cluster === 'missing') {
      return fail({
        class: 'invalid',
        code: 'tree-rejected',
        message: `commit ${commit.slice(0, 10)} has no directory cluster/`,
        hint: 'push a commit that has one; clusters stay at the last good revision',
      });
    }
    return digestOf(`cluster tree ${cluster}`);
  }

  async readTree(repository: string, commit: string): Promise<ConfigTree> {
    const byCommit = `${this.remote(repository).name} ${checkCommit(commit)}`;
    const whole = this.commits.get(byCommit);
    if (whole !== undefined) return whole;
    const [ids, treeDigest] = [
      await this.treeIds(repository, commit),
      await this.treeDigest(repository, commit),
    ];
    const key = `${this.remote(repository).name} ${ids.join(' ')}`;
    let content = this.trees.get(key);
    if (content === undefined) {
      content = await this.reading(repository, (mirror) =>
        readTreeContent((args, more) => mirror.checked(args, more), commit, this.limits),
      );
      this.trees.set(key, content, content.bytes);
    }
    const tree: ConfigTree = { commit, treeDigest, files: content.files };
    this.commits.set(byCommit, tree, 1);
    return tree;
  }

  async readFile(repository: string, commit: string, path: string): Promise<string | undefined> {
    checkCommit(commit);
    return this.reading(repository, async (mirror) => {
      await needCommit(mirror, commit);
      return readOneFile((args, more) => mirror.checked(args, more), commit, path, this.limits);
    });
  }

  async isAncestor(repository: string, ancestor: string, descendant: string): Promise<boolean> {
    const answer = await this.fact(
      repository,
      descendant,
      `after ${checkCommit(ancestor)}`,
      async (mirror) => {
        if (!(await hasCommit(mirror, ancestor))) throw unknownCommit(ancestor);
        const run = await mirror.local(['merge-base', '--is-ancestor', ancestor, descendant]);
        if (run.code === 0 || run.code === 1) return String(run.code === 0);
        return (
          await mirror.checked(['merge-base', '--is-ancestor', ancestor, descendant])
        ).stdout.toString();
      },
    );
    return answer === 'true';
  }

  async advance(
    repository: string,
    branch: string,
    commit: string,
    expected: string | undefined,
  ): Promise<AdvanceResult> {
    return this.moving(repository, commit, expected, (mirror, credentials) =>
      advanceBranch(mirror, credentials, { branch, commit, expected }),
    );
  }

  merge(
    repository: string,
    branch: string,
    commit: string,
    expected: string,
    note: CommitNote,
  ): Promise<MergeResult> {
    return this.moving(repository, commit, expected, (mirror, credentials) =>
      mergeBranch(mirror, credentials, { branch, commit, expected, note }),
    );
  }

  restore(
    repository: string,
    branch: string,
    commit: string,
    expected: string,
    note: CommitNote,
  ): Promise<MergeResult> {
    return this.moving(repository, commit, expected, (mirror, credentials) =>
      restoreBranch(mirror, credentials, { branch, commit, expected, note }),
    );
  }

  writeFile(
    repository: string,
    branch: string,
    file: FileWrite,
    expected: string,
    note: AuthoredNote,
  ): Promise<MergeResult> {
    return this.moving(repository, expected, expected, (mirror, credentials) =>
      writeToBranch(mirror, credentials, { branch, file, expected, note }),
    );
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.fetches.values());
  }

  /** Both ends must be here to compare them; the expected head may be newer than the last fetch. */
  private async moving<T>(
    repository: string,
    commit: string,
    expected: string | undefined,
    move: (mirror: Mirror, credentials: GitCredentials | undefined) => Promise<T>,
  ): Promise<T> {
    checkCommit(commit);
    if (expected !== undefined) checkCommit(expected);
    await this.reading(repository, (mirror) => needCommit(mirror, commit));
    const remote = this.remote(repository);
    return this.classified(remote, async () => {
      const credentials = await this.ask(remote);
      return remote.mirror.exclusively(() => move(remote.mirror, credentials));
    });
  }

  private async fetchNow(repository: string): Promise<ReadonlyMap<string, string>> {
    const remote = this.remote(repository);
    return this.classified(remote, async () => {
      const credentials = await this.ask(remote);
      return remote.mirror.exclusively(async () => {
        try {
          return await bringUpToDate(remote.mirror, credentials);
        } catch (error) {
          if (!isCorruptMirror(error)) throw error;
          await remote.mirror.create();
          return bringUpToDate(remote.mirror, credentials);
        }
      });
    });
  }

  /** Oids of cluster/, clusters/ and fairway.yaml; `missing` where there is none. */
  private async treeIds(repository: string, commit: string): Promise<readonly string[]> {
    const ids = await this.fact(repository, commit, 'trees', async (mirror) => {
      const input = READ_PATHS.map((path) => `${commit}:${path}\n`).join('');
      const { stdout } = await mirror.checked(['cat-file', '--batch-check=%(objectname) %(objecttype)'], {
        input,
      });
      const lines = stdout.toString('utf8').trimEnd().split('\n');
      return lines
        .map((line, index) => {
          const [oid = '', type] = line.split(' ');
          const wanted = READ_PATHS[index] === 'fairway.yaml' ? 'blob' : 'tree';
          return type === wanted
            ? oid
            : type === 'missing' || !COMMIT.test(oid)
              ? 'missing'
              : `${type}:${oid}`;
        })
        .join(' ');
    });
    return ids.split(' ').map((id, index) => (index === 0 && id.includes(':') ? 'missing' : id));
  }

  /** Something about a commit that never changes, asked of Git once. */
  private async fact(
    repository: string,
    commit: string,
    what: string,
    ask: (mirror: Mirror) => Promise<string>,
  ): Promise<string> {
    const key = `${this.remote(repository).name} ${checkCommit(commit)} ${what}`;
    const cached = this.facts.get(key);
    if (cached !== undefined) return cached;
    const answer = await this.reading(repository, async (mirror) => {
      await needCommit(mirror, commit);
      return ask(mirror);
    });
    this.facts.set(key, answer, 1024);
    return answer;
  }

  /** Reads the mirror; fetches once where something is not there, and makes the mirror anew once where it is damaged. */
  private async reading<T>(repository: string, read: (mirror: Mirror) => Promise<T>): Promise<T> {
    const remote = this.remote(repository);
    return this.classified(remote, async () => {
      try {
        return await read(remote.mirror);
      } catch (error) {
        const unknown = error instanceof FailureError && error.failure.code === 'commit-unknown';
        if (!unknown && !isCorruptMirror(error)) throw error;
        if (!unknown) await remote.mirror.exclusively(() => remote.mirror.create());
        await this.fetch(repository);
        return read(remote.mirror);
      }
    });
  }

  private remote(repository: string): Remote {
    const known = this.remotes.get(repository);
    if (known !== undefined) return known;
    const url = parseRepositoryUrl(repository, this.options.allowFileUrls ?? false);
    const own: GitCredentials | undefined =
      url.password === undefined
        ? undefined
        : { kind: 'basic', username: url.username ?? '', password: url.password };
    const remote: Remote = {
      mirror: new Mirror(this.options.mirrorsDir, url, this.options.fetchTimeout ?? seconds(60)),
      name: url.url,
      credentials: async () => (await this.options.credentialsFor?.(url.url)) ?? own,
      secrets: secretsOf(own),
    };
    this.remotes.set(repository, remote);
    return remote;
  }

  private async ask(remote: Remote): Promise<GitCredentials | undefined> {
    const credentials = await remote.credentials();
    remote.secrets = secretsOf(credentials);
    return credentials;
  }

  private async classified<T>(remote: Remote, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof FailureError) throw error;
      throw new FailureError(classifyGit(error, remote.name, remote.secrets));
    }
  }
}
