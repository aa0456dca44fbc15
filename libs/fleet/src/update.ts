import type { Digest, Duration, Instant } from '#kernel';
import type { StepKind } from './cluster-status.js';
import type { FieldChange } from './drift.js';
import type { ObjectRef } from './kubernetes-object.js';

export type UpdateState = 'running' | 'succeeded' | 'failed' | 'superseded' | 'halted';

/** One cluster being brought to one desired state. */
export interface Update {
  readonly id: string;
  readonly clusterId: string;
  readonly kind: 'update' | 'decommission';
  readonly revisionId?: string;
  readonly commit?: string;
  readonly desiredDigest?: string;
  readonly state: UpdateState;
  readonly startedAt: Instant;
  readonly finishedAt?: Instant;
  readonly plan?: Plan;
}

/** Complete before the first write. `digest` covers everything but the estimate. */
export interface Plan {
  readonly digest: Digest;
  readonly stacks: readonly PlannedStack[];
  readonly objects: readonly PlannedObject[];
  readonly nodes: readonly PlannedRoll[];
  readonly blockers: readonly { readonly what: string; readonly remedy: string; readonly owner?: string }[];
  /** What could not be looked at, for people: it may be in the way or not. */
  readonly unknown?: readonly string[];
  readonly steps: readonly StepKind[];
  readonly estimate?: Duration;
}

export interface PlannedStack {
  readonly name: string;
  readonly action: 'create' | 'update' | 'none' | 'delete';
  readonly changes: readonly string[];
}

export interface PlannedObject {
  readonly ref: ObjectRef;
  readonly component: string;
  readonly action: 'create' | 'change' | 'none' | 'delete';
  /** It left Git and is not deleted: why. */
  readonly kept?: string;
  /** Paths that change, secrets masked. */
  readonly fields: readonly string[];
  /** What changes there, as `fairway diff` shows it; at most 40 places. */
  readonly diff?: readonly FieldChange[];
}

export interface PlannedRoll {
  readonly pool: string;
  readonly master: boolean;
  readonly total: number;
  readonly outdated: readonly string[];
  readonly reason: string;
}
