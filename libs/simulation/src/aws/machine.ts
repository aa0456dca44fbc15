import type { Duration, Instant } from '#kernel';

/** What the Kubernetes side needs to know of an EC2 instance. A snapshot: tags may change later. */
export interface Machine {
  readonly instanceId: string;
  readonly account: string;
  readonly region: string;
  readonly zone: string;
  readonly instanceType: string;
  readonly imageId: string;
  readonly kubernetesVersion?: string;
  /** False for a machine that starts but never becomes a node. */
  readonly joins: boolean;
  /** `ip-10-0-1-23.eu-central-1.compute.internal` */
  readonly privateDnsName: string;
  readonly privateIp: string;
  readonly tags: Readonly<Record<string, string>>;
  /** Decoded. */
  readonly userData: string;
  readonly spot: boolean;
  readonly autoScalingGroup?: string;
  readonly launchedAt: Instant;
}

export interface MachineListener {
  /** Its own start is over; where `joins`, the kubelet registers now. */
  booted(machine: Machine): void;
  /** The operating system shuts down; `notice` until it is gone. Not called where the machine just dies. */
  terminating(machine: Machine, info: { readonly notice: Duration }): void;
  terminated(machine: Machine): void;
  /** Stopped, not gone: the kubelet is silent, the instance is still there. */
  stopped?(machine: Machine): void;
}

/** Does something answer on this port of this machine? The truth behind target health. */
export type IsServing = (instanceId: string, port: number) => boolean;
