/** A Git branch with a policy. Order is the order of promotion. */
export interface Channel {
  readonly name: string;
  readonly repository: string;
  readonly branch: string;
  /** The channel whose revisions may enter this one; undefined for the first. */
  readonly from?: string;
  readonly position: number;
  /** Commit that the branch had when last read without error. */
  readonly headCommit?: string;
  readonly headRevisionId?: string;
  /** Why nothing new is rolled out, for example `history-rewritten`. */
  readonly pausedReason?: string;
}

/** One commit seen on a channel. Its evidence is bound to `treeDigest`, not to the commit. */
export interface Revision {
  readonly id: string;
  readonly repository: string;
  readonly commit: string;
  /** Digest of the `cluster/` tree: equal content, equal digest. */
  readonly treeDigest: string;
  readonly author: string;
  readonly subject: string;
  /** ISO 8601, from the commit. */
  readonly committedAt: string;
}

export type RevisionPhase =
  | 'seen'
  | 'deploying'
  | 'converged'
  | 'verifying'
  | 'verified'
  | 'soaking'
  | 'eligible'
  | 'awaiting-approval'
  | 'promoted'
  | 'held'
  | 'failed'
  | 'superseded'
  | 'rolled-back';
