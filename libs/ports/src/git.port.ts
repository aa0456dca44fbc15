import type { Instant } from '#kernel';
import type { ConfigTree, Revision } from '#fleet';

export type CommitFacts = Pick<Revision, 'commit' | 'author' | 'subject' | 'committedAt'>;

/**
 * Git repositories by URL, each with one bare mirror on local disk. Every error is a `FailureError`: `git-unreachable`
 * (transient), `git-denied` (denied), `tree-rejected` (invalid, names the files) … A failure never yields an empty tree.
 */
export interface GitPort {
  /** Fetches once (callers at the same time share the fetch) and returns all branch heads: branch → commit id. */
  fetch(repository: string): Promise<ReadonlyMap<string, string>>;
  commit(repository: string, commit: string): Promise<CommitFacts>;
  /** Digest of the `cluster/` tree at a commit; costs no reading of files. */
  treeDigest(repository: string, commit: string): Promise<string>;
  /** All files that Fairway reads, from the object database, within the configured limits. Cached by tree. */
  readTree(repository: string, commit: string): Promise<ConfigTree>;
  /** One more file of a commit, e.g. the Job of an own suite; undefined where there is none. `tree-rejected` if it is no plain text. */
  readFile(repository: string, commit: string, path: string): Promise<string | undefined>;
  isAncestor(repository: string, ancestor: string, descendant: string): Promise<boolean>;
  /**
   * Moves a branch forward on the remote with a lease on `expected` (undefined: the branch must not exist), never forced.
   * `already` when it is there; `diverged` when `commit` is no descendant; `moved` when the remote was not at `expected`.
   */
  advance(
    repository: string,
    branch: string,
    commit: string,
    expected: string | undefined,
  ): Promise<'advanced' | 'already' | 'diverged' | 'moved'>;
  /**
   * Merges `commit` into a branch that stands at `expected`, in the object database, and moves the branch with a lease.
   * The same arguments make the same merge commit, so repeating it after a crash ends in `already`.
   */
  merge(
    repository: string,
    branch: string,
    commit: string,
    expected: string,
    note: CommitNote,
  ): Promise<MergeResult>;
  /**
   * Puts a new commit on a branch that stands at `expected`, with `cluster/` and `clusters/` as they were at `commit`, and
   * everything else (the policy) as it is. Repeatable as `merge`. `already` also where nothing would change.
   */
  restore(
    repository: string,
    branch: string,
    commit: string,
    expected: string,
    note: CommitNote,
  ): Promise<MergeResult>;
  /**
   * Puts a new commit with one file's new text on a branch that stands at `expected`; everything else is as it is. Never
   * forced, and repeatable as `merge`. `already` also where the file has that text. Never `conflict`.
   */
  writeFile(
    repository: string,
    branch: string,
    file: FileWrite,
    expected: string,
    note: AuthoredNote,
  ): Promise<MergeResult>;
}

export interface FileWrite {
  readonly path: string;
  readonly text: string;
}

/** A commit that Fairway makes in somebody's name. */
export interface AuthoredNote extends CommitNote {
  readonly author: string;
}

/** What a commit made by Fairway says. */
export interface CommitNote {
  readonly message: string;
  /** Becomes the commit's date; whole seconds count. */
  readonly at: Instant;
}

export type MergeResult =
  | { readonly kind: 'advanced' | 'already'; readonly commit: string }
  | { readonly kind: 'moved' }
  /** Paths that both sides changed. */
  | { readonly kind: 'conflict'; readonly files: readonly string[] };
