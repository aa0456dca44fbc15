import type { Duration, Instant } from '#kernel';
import type { NodeProgress, PlannedRoll, RollProgress } from '#fleet';
import type { RollAction } from './action.js';
import type { BootReport } from './boot-throttle.js';
import type { RollMemory } from './memory.js';

export interface RollDecision {
  /**
   * `done` nothing outdated, nothing of ours left · `working` actions or waits that end by themselves · `blocked`
   * nothing goes on until somebody else acts · `halted` stopped by the brain, needs `resumeRoll` · `aborted` ended by an
   * operator, everything of ours undone, outdated nodes left.
   */
  readonly state: 'done' | 'working' | 'blocked' | 'halted' | 'aborted';
  readonly actions: readonly RollAction[];
  readonly notes: readonly RollNote[];
  /** To be stored before the actions run. */
  readonly memory: RollMemory;
  readonly nodes: readonly NodeProgress[];
  /** Nodes replaced, and nodes that this roll replaces in all. */
  readonly progress: { readonly done: number; readonly total: number };
  /** For the fleet's throttle. */
  readonly boots: BootReport;
  /** One entry per group that rolls or rolled for this update. */
  readonly efficiency: readonly RollProgress[];
  /** Milliseconds until the end by the recurrence; undefined when done or when nobody can know. */
  readonly etaMs?: number;
  /** What the estimate counts on, to be read after "if"; undefined where nothing is known to be in the way. */
  readonly etaIf?: string;
  readonly nextLookIn: Duration;
  /** For people: what happens, what is waited for. */
  readonly message: string;
  readonly unblock?: string;
}

/** Code of the note about a machine whose Node is missing and may still come. */
export const NO_NODE = 'node-missing';

/** Something that people should know. Codes are stable; texts are not. */
export interface RollNote {
  readonly pool: string;
  readonly instance?: string;
  /** What else tells two notes of one code apart: the uid of the pod that it is about. */
  readonly subject?: string;
  readonly code: string;
  readonly message: string;
  readonly severity: 'info' | 'warning' | 'error';
  readonly since?: Instant;
  readonly blockedBy?: PdbBlock;
  readonly unblock?: string;
}

export interface PdbBlock {
  readonly pdb: string;
  readonly namespace: string;
  readonly pod?: string;
  /** Healthy pods that the PDB demands. */
  readonly needs: number;
  /** Healthy pods that there are. */
  readonly has: number;
  readonly owner?: string;
}

/** What a roll would do, before it does anything. */
export interface RollPreview {
  readonly pools: readonly PoolPreview[];
  readonly blockers: readonly {
    readonly what: string;
    readonly remedy: string;
    readonly owner?: string;
    readonly note: RollNote;
  }[];
  /** Masters first, then worker pools at the same time. */
  readonly estimate: Duration;
}

export interface PoolPreview extends PlannedRoll {
  /** Name of the auto scaling group: a pool may have one per zone. */
  readonly group: string;
  readonly surge: number;
  readonly parallelDrains: number;
  readonly order: readonly string[];
  readonly estimate: Duration;
}
