import type { Failure, Instant, Progress } from '#kernel';
import type { Problem } from './problem.js';

export const CLUSTER_PHASES = [
  'pending',
  'updating',
  'waiting',
  'blocked',
  'ready',
  'stalled',
  'failed',
  'halted',
  'held',
  'decommissioning',
  'decommissioned',
] as const;

/** One word that says how a cluster is. */
export type ClusterPhase = (typeof CLUSTER_PHASES)[number];

export const STEP_KINDS = [
  'validate',
  'preflight',
  'backup',
  'etcd',
  'cluster-stack',
  'control-plane',
  'manifests',
  'node-pools',
  'prune',
  'verify',
] as const;
export const DECOMMISSION_STEP_KINDS = ['remove-node-pools', 'remove-stacks', 'report-remains'] as const;
export type StepKind = (typeof STEP_KINDS)[number] | (typeof DECOMMISSION_STEP_KINDS)[number];

export type StepState = 'pending' | 'running' | 'waiting' | 'blocked' | 'done' | 'failed' | 'skipped';

export interface StepStatus {
  readonly kind: StepKind;
  readonly state: StepState;
  /** For people: what it does, waits for or is blocked by. */
  readonly message: string;
  readonly unblock?: string;
  readonly progress?: Progress;
  readonly startedAt?: Instant;
  readonly finishedAt?: Instant;
  readonly failure?: Failure;
}

/** State of one node during a roll, for the live grid. */
export interface NodeProgress {
  readonly pool: string;
  readonly instanceId: string;
  readonly nodeName?: string;
  readonly zone: string;
  readonly outdated: boolean;
  /** A state of rolling.md's machines, e.g. `draining`, `registered`, `in-service`. */
  readonly state: string;
  readonly since: Instant;
  readonly note?: string;
}

/** How a pool's roll uses its time. */
export interface RollProgress {
  readonly pool: string;
  /** Auto scaling group. */
  readonly group: string;
  readonly nodes: { readonly done: number; readonly total: number };
  readonly observedMs: number;
  /** The shortest possible time for what is done, from measured boots and drains. */
  readonly possibleMs: number;
  /** possible / observed. */
  readonly eta?: number;
  /** Measured: launch until Initialised, and drain plus terminate. */
  readonly bootMs: number;
  readonly drainMs: number;
  /** Milliseconds by cause; `drain` is work, everything else is waiting. */
  readonly spent: Readonly<Record<string, number>>;
}

/** What Fairway knows about a cluster. Written by the summariser only. */
export interface ClusterStatus {
  readonly clusterId: string;
  readonly phase: ClusterPhase;
  /** Why it is in this phase, for people. */
  readonly message: string;
  readonly currentVersion?: string;
  readonly lastVersion?: string;
  readonly nextVersion?: string;
  readonly desiredDigest?: string;
  readonly problems: readonly Problem[];
  readonly updateId?: string;
  readonly steps: readonly StepStatus[];
  readonly nodes: readonly NodeProgress[];
  readonly etaMs?: number;
  /** What the estimate counts on, to be read after "if". */
  readonly etaIf?: string;
  /** Of the present update, per pool that rolls or rolled. */
  readonly rolls?: readonly RollProgress[];
  /** Start of the present uninterrupted phase at the present version: what soak counts. */
  readonly since: Instant;
  /** Of the API server, when last seen by a verification. */
  readonly serverVersion?: string;
  readonly consecutiveFailures: number;
  readonly updatedAt: Instant;
}
