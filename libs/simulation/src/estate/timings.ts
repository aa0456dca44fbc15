import { milliseconds, seconds, type Duration } from '#kernel';

/** Reaction times of a cluster's control plane. Defaults are those of a healthy real one. */
export interface ClusterTimings {
  /** Change of a pod until the budget's status follows. */
  readonly budgetLag: Duration;
  readonly schedulerLatency: Duration;
  /** Silence of a kubelet until its node counts as unreachable. */
  readonly nodeGrace: Duration;
  /** Node object gone until its pods are. */
  readonly orphanQuarantine: Duration;
  readonly leaderRenewal: Duration;
}

export const defaultClusterTimings: ClusterTimings = {
  budgetLag: milliseconds(300),
  schedulerLatency: milliseconds(100),
  nodeGrace: seconds(40),
  orphanQuarantine: seconds(40),
  leaderRenewal: seconds(5),
};
