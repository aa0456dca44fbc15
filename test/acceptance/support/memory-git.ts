import { digestOfValue, fail, sha256Hex, type Digest, type Instant } from '#kernel';
import type { AuthoredNote, CommitNote, FileWrite, GitPort, MergeResult } from '#ports';

type Files = ReadonlyMap<string, string>;
interface Commit {
  readonly id: string;
  readonly parents: readonly string[];
  readonly files: Files;
  readonly author: string;
  readonly subject: string;
  readonly at: Instant;
}

class CountedMap extends Map<string, string> {
  changes = 0;

  override set(branch: string, commit: string): this {
    this.changes = (this.changes ?? 0) + 1;
    return super.set(branch, commit);
  }
}

/** A Git host in memory: commits, branches, merges by file, moves with a lease. It can be away. */
export class MemoryGit implements GitPort {
  readonly branches = new CountedMap();
  readonly refUpdates: { readonly branch: string; readonly commit: string; readonly at: Instant }[] = [];
  private readonly commits = new Map<string, Commit>();
  down = false;
  /** Called between the look at the remote and the move of a ref. */
  beforeMove: (() => void) | undefined;

  constructor(private readonly now: () => Instant) {}

  /** Grows whenever a branch moves: what a webhook tells. */
  get version(): number {
    return this.branches.changes;
  }

  /** A person commits on top of a branch (or of nothing) and pushes. */
  push(branch: string, change: Readonly<Record<string, string>>, subject: string): string {
    const head = this.branches.get(branch);
    const files = new Map([...(head === undefined ? [] : this.of(head).files), ...Object.entries(change)]);
    const commit = this.add(files, head === undefined ? [] : [head], subject);
    this.branches.set(branch, commit);
    return commit;
  }

  /** A person merges one branch into another by hand. */
  mergeByHand(from: string, into: string): string {
    const [source, target] = [this.branches.get(from) as string, this.branches.get(into) as string];
    const commit = this.ancestor(target, source)
      ? source
      : this.add(this.of(source).files, [target, source], `merge ${from}`);
    this.branches.set(into, commit);
    return commit;
  }

  file(commit: string, path: string): string | undefined {
    return this.of(commit).files.get(path);
  }

  async fetch(): Promise<ReadonlyMap<string, string>> {
    this.reach();
    return new Map(this.branches);
  }
  async commit(_repository: string, commit: string) {
    const { author, subject, at } = this.of(commit);
    return { commit, author, subject, committedAt: new Date(at).toISOString() };
  }
  async treeDigest(_repository: string, commit: string): Promise<string> {
    return clusterDigest(this.of(commit).files);
  }
  async readTree(_repository: string, commit: string) {
    const { files } = this.of(commit);
    return { commit, treeDigest: clusterDigest(files), files };
  }
  async readFile(_repository: string, commit: string, path: string): Promise<string | undefined> {
    return this.of(commit).files.get(path);
  }
  async isAncestor(_repository: string, ancestor: string, descendant: string): Promise<boolean> {
    return this.ancestor(ancestor, descendant);
  }

  async advance(_repository: string, branch: string, commit: string, expected: string | undefined) {
    this.reach();
    if (this.branches.get(branch) === commit) return 'already' as const;
    if (this.branches.get(branch) !== expected) return 'moved' as const;
    if (expected !== undefined && !this.ancestor(expected, commit)) return 'diverged' as const;
    return this.move(branch, commit, expected);
  }

  async merge(
    _r: string,
    branch: string,
    commit: string,
    expected: string,
    note: CommitNote,
  ): Promise<MergeResult> {
    this.reach();
    const base = this.mergeBase(commit, expected);
    const [ours, theirs] = [this.of(expected).files, this.of(commit).files];
    const merged = new Map<string, string>();
    const conflicts: string[] = [];
    for (const path of new Set([...ours.keys(), ...theirs.keys()])) {
      const [was, our, their] = [base?.files.get(path), ours.get(path), theirs.get(path)];
      if (our !== their && our !== was && their !== was) conflicts.push(path);
      const result = our === was ? their : our;
      if (result !== undefined) merged.set(path, result);
    }
    if (conflicts.length > 0) return { kind: 'conflict', files: conflicts };
    return this.moveTo(branch, this.add(merged, [expected, commit], note.message, note.at), expected);
  }

  async restore(
    _r: string,
    branch: string,
    commit: string,
    expected: string,
    note: CommitNote,
  ): Promise<MergeResult> {
    this.reach();
    const isContent = (path: string): boolean => /^clusters?\//.test(path);
    const files = new Map([
      ...[...this.of(expected).files].filter(([path]) => !isContent(path)),
      ...[...this.of(commit).files].filter(([path]) => isContent(path)),
    ]);
    return this.moveTo(branch, this.add(files, [expected], note.message, note.at), expected);
  }

  async writeFile(
    _r: string,
    branch: string,
    file: FileWrite,
    expected: string,
    note: AuthoredNote,
  ): Promise<MergeResult> {
    this.reach();
    const files = new Map([...this.of(expected).files, [file.path, file.text]]);
    return this.moveTo(branch, this.add(files, [expected], note.message, note.at), expected);
  }

  private moveTo(branch: string, commit: string, expected: string): MergeResult {
    if (this.branches.get(branch) === commit) return { kind: 'already', commit };
    const result = this.move(branch, commit, expected);
    return result === 'moved' ? { kind: 'moved' } : { kind: 'advanced', commit };
  }

  private move(branch: string, commit: string, expected: string | undefined): 'advanced' | 'moved' {
    this.beforeMove?.();
    if (this.branches.get(branch) !== expected) return 'moved';
    this.branches.set(branch, commit);
    this.refUpdates.push({ branch, commit, at: this.now() });
    return 'advanced';
  }

  private add(files: Files, parents: readonly string[], subject: string, at = this.now()): string {
    const id = sha256Hex(JSON.stringify([[...files].sort(), parents, subject, Math.floor(at / 1000)])).slice(
      0,
      40,
    );
    this.commits.set(id, {
      id,
      parents,
      files,
      subject: subject.split('\n')[0] ?? '',
      author: 'Ada <ada@example.org>',
      at,
    });
    return id;
  }

  private ancestor(ancestor: string, descendant: string): boolean {
    return ancestor === descendant || this.of(descendant).parents.some((one) => this.ancestor(ancestor, one));
  }

  private mergeBase(a: string, b: string): Commit | undefined {
    const queue = [a];
    for (let at = 0; at < queue.length; at += 1) {
      const id = queue[at] as string;
      if (this.ancestor(id, b)) return this.of(id);
      queue.push(...this.of(id).parents);
    }
    return undefined;
  }

  private of(id: string): Commit {
    return this.commits.get(id) ?? fail({ class: 'invalid', code: 'commit-unknown', message: id });
  }

  private reach(): void {
    if (this.down)
      fail({ class: 'transient', code: 'git-unreachable', message: 'the Git host does not answer' });
  }
}

const clusterDigest = (files: Files): Digest =>
  digestOfValue(Object.fromEntries([...files].filter(([path]) => path.startsWith('cluster/'))));
