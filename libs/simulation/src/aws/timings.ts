import { hours, minutes, seconds, type Duration } from '#kernel';

/** How long things take in the simulated cloud, as an operator of the real one would expect. */
export interface AwsTimings {
  /** Launch request until EC2 says `running` and the group says `InService`. */
  readonly instanceRunning: Duration;
  /** Launch until the machine's own start is over and the kubelet may register. ± 15 %. */
  readonly boot: Duration;
  /** `shutting-down` until `terminated`. */
  readonly termination: Duration;
  /** How long a terminated instance stays visible. */
  readonly terminatedVisible: Duration;
  /** A change of an Auto Scaling group until it acts. */
  readonly groupReaction: Duration;
  /** An instance breaks until its group calls it Unhealthy. */
  readonly groupHealthCheck: Duration;
  /** Pause after a launch that failed for want of capacity. */
  readonly capacityRetry: Duration;
  /** Time that idle connections take to drain; the deregistration delay of the target group caps it. */
  readonly connectionDraining: Duration;
  readonly targetHealthInterval: Duration;
  readonly loadBalancerProvisioning: Duration;
  readonly changeSet: Duration;
  /** Start and end of a stack operation, each. */
  readonly stackOverhead: Duration;
  /** Each resource of a stack operation; independent resources run side by side. ± 25 %. */
  readonly stackResource: Duration;
  /** Poll of a resource that has to stabilise, and how long CloudFormation is patient with it. */
  readonly stackPoll: Duration;
  readonly stackPatience: Duration;
}

export const defaultTimings: AwsTimings = {
  instanceRunning: seconds(8),
  boot: seconds(90),
  termination: seconds(30),
  terminatedVisible: hours(1),
  groupReaction: seconds(3),
  groupHealthCheck: seconds(30),
  capacityRetry: seconds(60),
  connectionDraining: seconds(20),
  targetHealthInterval: seconds(10),
  loadBalancerProvisioning: seconds(40),
  changeSet: seconds(4),
  stackOverhead: seconds(4),
  stackResource: seconds(8),
  stackPoll: seconds(5),
  stackPatience: minutes(15),
};
