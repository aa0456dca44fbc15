import type { Instant } from '#kernel';
import type { GateReason } from './channel-revision.js';

/** One person's word about one content entering one channel. Appended, never changed; a newer word replaces an older. */
export interface ApprovalRecord {
  readonly id: string;
  /** The channel to be entered. */
  readonly channel: string;
  readonly revisionId: string;
  readonly treeDigest: string;
  /** Evidence that was shown when it was given; undefined binds it to the content only. */
  readonly evidenceDigest?: string;
  readonly decision: 'approve' | 'reject';
  readonly by: string;
  readonly roles: readonly string[];
  readonly reason?: string;
  readonly at: Instant;
}

/** Somebody with the right lets one content into one channel without the evidence that its gates ask for. */
export interface BrokenGlass {
  readonly id: string;
  readonly channel: string;
  readonly revisionId: string;
  readonly treeDigest: string;
  readonly by: string;
  readonly reason: string;
  readonly createdAt: Instant;
  readonly expiresAt: Instant;
}

/** Something that a person asked for and a worker does: moving refs needs Git, which the API never touches. */
export interface ChannelRequest {
  readonly id: string;
  readonly kind: 'promote' | 'rollback' | 'rollback-cluster';
  /** The channel that changes. */
  readonly channel: string;
  /** What it changes to. */
  readonly revisionId: string;
  readonly clusterId?: string;
  readonly by: string;
  readonly reason: string;
  readonly state: 'open' | 'done' | 'refused';
  /** How it ended. */
  readonly message?: string;
  readonly createdAt: Instant;
  readonly settledAt?: Instant;
}

/** What a gate that is judged outside (health, preflight, backup) answered, and how long that is worth something. */
export interface GateAnswer {
  readonly channel: string;
  readonly gate: 'health' | 'preflight' | 'backup';
  /** Which check of the gate; one answer is kept for each. */
  readonly name: string;
  /** The content that it is about; absent where it holds for any. */
  readonly treeDigest?: string;
  readonly state: GateReason['state'];
  readonly message: string;
  readonly by: string;
  readonly at: Instant;
  readonly expiresAt?: Instant;
}
