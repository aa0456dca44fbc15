import type { GateReason } from '#fleet';

/** One check of a health gate: a PromQL query whose values may be at most `max`, or an address that must answer 2xx. */
export type HealthQuestion =
  | { readonly name: string; readonly promql: string; readonly max: number }
  | { readonly name: string; readonly url: string };

export interface HealthAnswer {
  readonly state: GateReason['state'];
  /** For people; holds no address. */
  readonly message: string;
}

/** Asks outside how the fleet is. Never throws for what it is told: no data and no answer are answers that are no pass. */
export interface HealthProbePort {
  ask(question: HealthQuestion): Promise<HealthAnswer>;
}
