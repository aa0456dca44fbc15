import type { Instant } from '#kernel';
import type { Severity } from './problem.js';

/** Something that happened, as people and receivers of notifications read it. Appended, never changed. */
export interface FleetEvent {
  /** Dotted and past tense: `revision.seen`, `update.started`, `node.terminated`, `problem.raised`, `promotion.done`. */
  readonly type: string;
  readonly at: Instant;
  readonly severity: Severity;
  /** `cluster/<id>`, `channel/<name>`, `repository/<url>`, `update/<id>`: order is kept per subject. */
  readonly subject: string;
  readonly channel?: string;
  readonly clusterId?: string;
  readonly message: string;
  readonly data: Readonly<Record<string, unknown>>;
  /** Equal keys within a scope are notified once (no times in it). */
  readonly dedupeKey?: string;
}

/** An event as stored: ids grow in commit order. */
export interface StoredEvent extends FleetEvent {
  readonly id: number;
}
