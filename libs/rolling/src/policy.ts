import type { Duration } from '#kernel';

/** How a pool is rolled (rolling.md, "Who, when, how many" and "Drain"). Made by `policyFor`. */
export interface RollPolicy {
  /** New nodes beyond the pool's size, or the measured optimum ⌈(b+e)/e⌉, at most max(3, 10 %). */
  readonly maxSurge: number | 'auto';
  /** Nodes that may be missing from the pool's size while it rolls. */
  readonly maxUnavailable: number;
  /** Nodes of one pool that are drained at the same time. Masters: of all master pools together, never more than 1. */
  readonly parallelDrains: number;
  /** Worker nodes of all pools together that are drained at the same time. */
  readonly clusterParallelDrains: number;
  /** `one-at-a-time` terminates first (no surge); `all-at-once` drains everything and needs a grant. */
  readonly strategy: 'surge' | 'one-at-a-time' | 'all-at-once';
  readonly allAtOnceGranted: boolean;

  /** How long a new node must be Ready without a break. */
  readonly minReady: Duration;
  readonly canarySoak: Duration;
  readonly launchTimeout: Duration;
  readonly registerTimeout: Duration;
  readonly initialiseTimeout: Duration;
  /** Taints (by key) that something else removes from a node when it is usable. */
  readonly startupTaints: readonly string[];
  /** Consecutive boots that may fail before the roll halts. */
  readonly failedBootBudget: number;

  /** Labels that database operators and the like watch: set while a node is being drained. */
  readonly drainLabels: Readonly<Record<string, string>>;
  readonly deregistrationDelayCap: Duration;
  /** A node is drained when two reads at least this far apart found nothing to drain. */
  readonly drainedReadGap: Duration;
  /** Blocked this long, people are told (shorter blocks are the normal life of a PDB). */
  readonly tellBlockedAfter: Duration;
  /** Blocked this long, a node gives way to others that can be worked on. */
  readonly parkAfter: Duration;
  /** Blocked this long (the clock survives restarts), `onBlockedDeadline` happens. */
  readonly blockedDeadline: Duration;
  readonly onBlockedDeadline: 'quarantine' | 'ladder' | 'fail';
  readonly ladder: LadderPolicy;
  /** Annotations and running Jobs can hold a drain this long. */
  readonly drainMaxHold: Duration;
  /** A pod may take its own grace period and this long to go before people are told. */
  readonly terminatingSlack: Duration;
  /** An admission webhook that denies is taken for a responder at work this long, then for a block. */
  readonly responderWindow: Duration;
  readonly podsWithoutController: 'fail' | 'wait' | 'delete';
  /** Kubelet silent this long: the node is unreachable. */
  readonly unreachableAfter: Duration;
  /** Then its pods get this long before the instance is terminated with them. */
  readonly unreachableWait: Duration;

  /** When to look again while nothing is known to be due earlier. Watches wake the engine before that. */
  readonly pollInterval: Duration;
  /** The same for what is about to change and only AWS can tell: nothing watches it. */
  readonly settleInterval: Duration;
  /** When to look again after something was written. */
  readonly lookAfterAction: Duration;
  /** On hold this long, waiting nodes lose our marks. */
  readonly frozenGrace: Duration;

  /** Assumed until the pool has measured its own: boot until Initialised, and drain plus terminate. */
  readonly expectedBoot: Duration;
  readonly expectedDrain: Duration;
  /** Labels of Fairway's own pods: the node that runs them is replaced last. */
  readonly fairwayLabels: Readonly<Record<string, string>>;
}

/** When one pod may be deleted past its PDB (rolling.md, "Ladder"): all of it must hold. */
export interface LadderPolicy {
  /** The node has been draining this long. */
  readonly gracePeriod: Duration;
  /** Since the last pod that was forced on the node. */
  readonly forceInterval: Duration;
  /** Age of the pod. */
  readonly minPodLifetime: Duration;
  /** Age of every other Ready pod of its PDB. */
  readonly minHealthySiblingLifetime: Duration;
  /** Age of every other pod of its PDB that is not Ready. */
  readonly minUnhealthySiblingLifetime: Duration;
  /** Its owner is told this long before. */
  readonly warning: Duration;
}
