import type { Duration } from '#kernel';
import type { DriftMode } from '#fleet';

/** A number of clusters, or a share of the channel's clusters (rounded up). */
export type Amount =
  { readonly kind: 'count'; readonly value: number } | { readonly kind: 'percent'; readonly value: number };

/** What `fairway.yaml` says. Channels are in the order of promotion. */
export interface FleetPolicy {
  readonly channels: readonly ChannelPolicy[];
  readonly suites: Readonly<Record<string, ConformanceSuite>>;
}

/** How one channel takes a revision in (`from`, `promotion`, `gates`) and rolls it out (`waves` and limits). */
export interface ChannelPolicy {
  readonly name: string;
  readonly branch: string;
  /** Undefined for a channel that people push to. */
  readonly from?: string;
  readonly promotion: 'automatic' | 'manual';
  /** Cumulative: `[1, 10%, 100%]` is one cluster, then a tenth of all, then the rest. */
  readonly waves: readonly Amount[];
  /** How long a wave has to stay healthy before the next one starts. */
  readonly wavePause: Duration;
  /** Clusters that may be updating or unhealthy at once. */
  readonly maxUnavailable?: Amount;
  /** Clusters that a revision may break before the channel pauses itself; also bounds clusters in flight. */
  readonly failureBudget?: number;
  /** What happens to objects that are not as Git says, beside updates; absent means `detect`. */
  readonly drift?: DriftMode;
  readonly gates: ChannelGates;
}

/** What must be shown about a revision in `from` before it may enter the channel. Absent gates are not asked for. */
export interface ChannelGates {
  readonly converged?: ConvergedGate;
  readonly conformance?: ConformanceGate;
  readonly soak?: Duration;
  readonly windows?: readonly TimeWindow[];
  readonly freeze?: readonly Freeze[];
  readonly approvals?: ApprovalsGate;
  readonly backup?: { readonly maxAge: Duration };
  /** The clusters' own summaries, and checks by PromQL or HTTP whose answers alone the evaluator sees. */
  readonly health?: { readonly checks: readonly HealthCheck[] };
  /** Skew, removed APIs, PDBs and quota of the target clusters, from their summaries and the engine's look at versions. */
  readonly preflight?: Record<string, never>;
}

export interface ConvergedGate {
  /** Percent of the reachable clusters that must run the revision in health. */
  readonly coverage: number;
  /** Unreachable clusters that are tolerated; undefined tolerates any number while at least one cluster converged. */
  readonly maxOffline?: number;
}

export interface ConformanceGate {
  readonly suites: readonly string[];
  readonly clusters: 'all' | number;
}

/** Open from `start` until before `end`, wall clock of `tz`, on `days` (1 = Monday … 7). May pass midnight. */
export interface TimeWindow {
  readonly days: readonly number[];
  /** Minutes since midnight. */
  readonly start: number;
  /** Minutes since midnight, up to 1440. Not after `start` means the next day. */
  readonly end: number;
  /** IANA zone. */
  readonly tz: string;
}

/** Closed from `from` until before `to`; beats every window. Dates without time are whole days, the last included. */
export interface Freeze {
  /** ISO 8601 date or date and time without offset, in `tz`. */
  readonly from: string;
  readonly to: string;
  readonly tz: string;
  readonly reason: string;
}

export interface ApprovalsGate {
  readonly required: number;
  readonly roles: readonly string[];
  readonly authorMayApprove: boolean;
  /** Age at which an approval no longer counts. */
  readonly expiresAfter?: Duration;
}

export type HealthCheck =
  | { readonly name: string; readonly promql: string; readonly max: number }
  | { readonly name: string; readonly url: string };

/** Which tests prove a content, and how many of them must have run. */
export interface ConformanceSuite {
  readonly name: string;
  /** Regular expression (RE2) of the tests to run. */
  readonly focus?: string;
  readonly skip?: string;
  readonly parallel: boolean;
  readonly extraArgs: readonly string[];
  readonly timeout: Duration;
  /** A run with fewer executed tests proves nothing. At least 1. */
  readonly expectedMin: number;
  /** Path of an own Job in the repository; the conformance image is not used then. */
  readonly job?: string;
}

/** Clusters that an amount means. A share of a non-empty fleet is at least one. */
export function amountOf(amount: Amount, total: number): number {
  if (amount.kind === 'count') return Math.min(amount.value, total);
  return Math.min(total, Math.ceil((amount.value * total) / 100));
}

/** The channel that takes its revisions from `name`: its gates are judged on what happens in `name`. */
export const nextChannels = (policy: FleetPolicy, name: string): readonly ChannelPolicy[] =>
  policy.channels.filter((channel) => channel.from === name);

export interface RequiredSuite {
  readonly suite: string;
  readonly clusters: 'all' | number;
}

/** Suites that run in the clusters of a channel, because a channel behind it asks for their verdict. */
export function requiredSuites(policy: FleetPolicy, channel: string): readonly RequiredSuite[] {
  const wanted = new Map<string, 'all' | number>();
  for (const next of nextChannels(policy, channel)) {
    const gate = next.gates.conformance;
    if (gate === undefined) continue;
    for (const suite of gate.suites) wanted.set(suite, moreOf(wanted.get(suite), gate.clusters));
  }
  return [...wanted].map(([suite, clusters]) => ({ suite, clusters }));
}

function moreOf(a: 'all' | number | undefined, b: 'all' | number): 'all' | number {
  if (a === 'all' || b === 'all') return 'all';
  return Math.max(a ?? 0, b);
}
