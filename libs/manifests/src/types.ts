import type { Digest } from '#kernel';
import type { FieldChange, KubernetesObject, ObjectRef, PathSegment, SourcedObject } from '#fleet';

export interface Ownership {
  readonly clusterId: string;
  readonly component: string;
}

/** An object on its way to a cluster, labelled as ours. */
export interface StagedObject extends SourcedObject {
  readonly component: string;
}

/**
 * A step of the apply. Stages run in order; the batches of a stage run in order; objects of one batch may run at the same
 * time. A stage of a component that failed does not stop the stages that do not name it in `after`.
 */
export interface Stage {
  /** `definitions`, `classes`, `component/<name>`, `webhooks` */
  readonly name: string;
  readonly kind: 'definitions' | 'classes' | 'component' | 'webhooks';
  /** Set for `component` stages. */
  readonly component?: string;
  readonly wave: number;
  /** Components that must be applied and healthy before this stage. */
  readonly after: readonly string[];
  readonly batches: readonly (readonly StagedObject[])[];
  /** What to wait for before going on: CRDs established and namespaces active, or the component's health. */
  readonly waitFor: 'established' | 'health' | 'nothing';
  readonly timeoutMs: number;
}

/** One changed place with the way to it, for looking up who owns it. */
export interface DiffLine extends FieldChange {
  readonly segments: readonly PathSegment[];
}

export interface ApplyComparison {
  readonly action: 'create' | 'change' | 'none';
  readonly fields: readonly string[];
  readonly diff: readonly DiffLine[];
}

export type HealthStatus = 'Current' | 'InProgress' | 'Failed' | 'Terminating' | 'NotFound';
export interface Health {
  readonly status: HealthStatus;
  readonly message: string;
}

/** Structurally the ports' InventoryEntry. */
export interface InventoryItem {
  readonly ref: ObjectRef;
  readonly uid?: string;
  readonly component: string;
  readonly confirmed?: string;
}

export interface PruneQuestion {
  readonly clusterId: string;
  /** As recorded: everything that Fairway applied and has not pruned. */
  readonly inventory: readonly InventoryItem[];
  readonly desired: readonly ObjectRef[];
  /** Components of the desired state; a component that is not here has vanished from Git. */
  readonly components: readonly {
    readonly name: string;
    readonly prune: boolean;
    readonly removed: boolean;
  }[];
  /** Live objects of inventory entries that are not desired, by `refKey`. Absent: not there any more. */
  readonly live: ReadonlyMap<string, KubernetesObject>;
  /** Digest-bound: a confirmation counts when it equals the decision's `digest`. */
  readonly confirmations: readonly string[];
  /** `pruneKey`s of objects whose deletion was confirmed before, in a prune that has not ended yet. */
  readonly approved?: readonly string[];
  /** Most deletions at once; default max(5, 10 % of the inventory). */
  readonly budget?: number;
}

export interface PruneItem {
  readonly item: InventoryItem;
  /** UID precondition of the delete. */
  readonly uid: string;
}

export interface PruneBlock {
  readonly item: InventoryItem;
  readonly code:
    | 'not-ours'
    | 'other-uid'
    | 'prune-disabled'
    | 'needs-confirmation'
    | 'over-budget'
    | 'component-vanished'
    | 'component-keeps';
  readonly reason: string;
  readonly remedy: string;
}

export interface PruneDecision {
  /** In the order in which to delete them: reverse of the apply order. */
  readonly prune: readonly PruneItem[];
  readonly blocked: readonly PruneBlock[];
  /** Entries whose object is gone or is not ours any more: they only leave the inventory. */
  readonly forget: readonly InventoryItem[];
  /** Identity of the set of objects that wait for a confirmation; a confirmation names it. What goes anyway is no part of it. */
  readonly digest: Digest;
  /** `pruneKey`s of what people let go, now or before, and is still to go; what Git names again must be asked for again. */
  readonly approved: readonly string[];
}

export interface ImmutableFailure {
  readonly immutable: boolean;
  /** Paths that the API server named. */
  readonly fields: readonly string[];
}
