import type { NodeProgress, Plan, Problem, StepStatus } from '#fleet';

/** Answers of /api/v1, as far as commands read them. */
export interface ClusterSummary {
  readonly id: string;
  readonly alias: string;
  readonly channel: string;
  readonly lifecycle_status: string;
  readonly phase: string;
  readonly message: string;
  readonly step?: string;
  readonly progress?: { readonly done: number; readonly total: number; readonly unit: string };
  readonly current_version?: string;
  readonly next_version?: string;
  readonly eta_ms?: number;
  /** What the estimate counts on. */
  readonly eta_if?: string;
}

export interface ClusterDetail extends ClusterSummary {
  readonly steps: readonly StepStatus[];
  readonly nodes: readonly NodeProgress[];
  readonly problems: readonly Problem[];
  readonly last_version?: string;
}

export interface PlanAnswer {
  readonly commit?: string;
  readonly state: string;
  readonly plan: Plan;
}

export interface ChannelAnswer {
  readonly name: string;
  readonly branch: string;
  readonly from?: string;
  readonly paused_reason?: string;
  readonly head?: {
    readonly commit?: string;
    readonly subject?: string;
    readonly phase: string;
    readonly wave: number;
    readonly waves: number;
    readonly why_not_yet: readonly GateAnswer[];
  };
  readonly policy_problem?: Problem;
  readonly git: { readonly problem?: Problem };
}

export interface GateAnswer {
  readonly gate: string;
  readonly state: string;
  readonly message: string;
  readonly next_change_at?: string;
}
