import type { Digest, Instant } from '#kernel';
import type { ObjectRef } from './kubernetes-object.js';

/** A step of the way into an object: a member, a position, or the element of a list that has this value under this key. */
export type PathSegment = string | number | { readonly key: string; readonly value: unknown };

/** One changed place. Texts are JSON, shortened; values of Secrets are masked. */
export interface FieldChange {
  /** `spec.template.spec.containers[web].image`; empty for the whole object */
  readonly path: string;
  readonly change: 'add' | 'remove' | 'change';
  readonly before?: string;
  readonly after?: string;
}

export type DriftMode = 'off' | 'detect' | 'correct';
/** Config item of a cluster, `off`, `detect` (default) or `correct`. */
export const DRIFT_MODE_ITEM = 'drift_mode';

/** A field of a cluster that is not what Git says. `before` is live, `after` is what Git says. */
export interface DriftFinding extends FieldChange {
  readonly ref: ObjectRef;
  readonly component: string;
  readonly segments: readonly PathSegment[];
  /** Who wrote it last, as `metadata.managedFields` says; with the subresource, `kube-controller-manager/scale`. */
  readonly manager?: string;
  /** When that manager wrote, by the API server's clock. */
  readonly managedSince?: Instant;
  /** `fight`: corrected too often in a short time and left alone. `corrected` entries are history. */
  readonly state: 'open' | 'accepted' | 'fight' | 'corrected';
  /** Digest of the object as Git has it; a finding that was accepted holds for this content only. */
  readonly basis: string;
  readonly firstSeen: Instant;
  readonly lastSeen: Instant;
  /** Times of the latest corrections. */
  readonly corrections: readonly Instant[];
}

/** An object that left Git and is kept in the cluster, with what would let it go. */
export interface KeptObject {
  readonly ref: ObjectRef;
  readonly component: string;
  readonly uid?: string;
  readonly code: string;
  readonly reason: string;
  readonly remedy: string;
}

/** What the last prune decision left in the cluster. */
export interface PruneState {
  /** What a confirmation names. */
  readonly digest: Digest;
  readonly decidedAt: Instant;
  readonly kept: readonly KeptObject[];
  /** How many of the kept ones a confirmation of `digest` would delete. */
  readonly confirmable: number;
}
