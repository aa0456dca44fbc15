import type { NodeProgress, Plan, RollProgress, StepStatus } from '#fleet';

/** Answer of `GET /api/v1/clusters/:cluster/roll`. */
export interface RollAnswer {
  readonly alias: string;
  readonly phase: string;
  readonly message: string;
  readonly steps: readonly StepStatus[];
  readonly eta_ms?: number;
  /** What the estimate counts on. */
  readonly eta_if?: string;
  readonly nodes: readonly NodeProgress[];
  readonly pools: readonly RollProgress[];
  readonly paused: readonly {
    readonly pool: string;
    readonly reason: string;
    readonly owner: string;
    readonly since: string;
  }[];
  readonly requests: readonly { readonly kind: string; readonly actor: string; readonly reason: string }[];
}

/** Answer of `GET /api/v1/clusters/:cluster/roll/plan`. */
export interface RollPlanAnswer {
  readonly commit?: string;
  readonly pools: Plan['nodes'];
  readonly blockers: Plan['blockers'];
  readonly unknown?: Plan['unknown'];
  readonly estimate_ms?: number;
}
