/** What AWS says of the machines of one node pool. Read by the engine, judged by the rolling brain. */
export interface NodeGroupView {
  /** Node pool, from the tag `kubernetes.io/node-pool` (or legacy `NodePool`). */
  readonly pool: string;
  readonly groupName: string;
  readonly minSize: number;
  readonly maxSize: number;
  readonly desiredCapacity: number;
  readonly zones: readonly string[];
  /** Where new instances get their addresses. */
  readonly subnetIds?: readonly string[];
  readonly suspendedProcesses: readonly string[];
  /**
   * Launch template name and concrete version that new instances get. `floating` is what the group says instead of a
   * number, where it does: then the next instance may be another one.
   */
  readonly launchTemplate?: {
    readonly name: string;
    readonly version: string;
    readonly floating?: '$Latest' | '$Default';
  };
  /** Instance types that the pool may launch (mixed instances policy or the template's own). */
  readonly instanceTypes: readonly string[];
  readonly targetGroupArns: readonly string[];
  readonly tags: Readonly<Record<string, string>>;
  readonly instances: readonly InstanceView[];
  /** Newest first; at most a handful, for diagnostics of launches that fail. */
  readonly recentFailures: readonly { readonly at: string; readonly message: string }[];
}

export interface InstanceView {
  readonly instanceId: string;
  readonly zone: string;
  readonly instanceType: string;
  readonly market: 'on-demand' | 'spot';
  readonly launchTemplate?: { readonly name: string; readonly version: string };
  /** ASG lifecycle state, e.g. `Pending`, `InService`, `Terminating:Wait`. */
  readonly lifecycleState: string;
  readonly healthStatus: 'Healthy' | 'Unhealthy';
  readonly protectedFromScaleIn: boolean;
  /** EC2 state, e.g. `running`, `shutting-down`, `terminated`. */
  readonly ec2State?: string;
  readonly privateDnsName?: string;
  readonly privateIp?: string;
  readonly launchedAt?: string;
  /** Health in each target group of the pool: `healthy`, `initial`, `draining`, `unhealthy`, `unused`. */
  readonly targetHealth: Readonly<Record<string, string>>;
}

/** What Kubernetes says of one node, reduced to what decisions need. */
export interface NodeView {
  readonly name: string;
  readonly uid: string;
  /** From `spec.providerID` = `aws:///<zone>/<instance id>`. */
  readonly instanceId?: string;
  readonly createdAt: string;
  readonly ready: boolean;
  /** ISO 8601 of the last change of the condition Ready. */
  readonly readySince?: string;
  readonly unschedulable: boolean;
  readonly kubeletVersion: string;
  readonly zone?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly taints: readonly Taint[];
  /** CPU in millicores, memory in bytes, pods as a count. */
  readonly allocatable: { readonly cpuMillis: number; readonly memoryBytes: number; readonly pods: number };
}

export interface Taint {
  readonly key: string;
  readonly value?: string;
  readonly effect: 'NoSchedule' | 'PreferNoSchedule' | 'NoExecute';
}

export interface PodView {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly nodeName?: string;
  readonly phase: string;
  readonly ready: boolean;
  /** Why its first container that waits does so, e.g. `ErrImagePull`. */
  readonly waitingReason?: string;
  readonly createdAt: string;
  readonly deletionTimestamp?: string;
  readonly terminationGracePeriodSeconds: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly owner?: { readonly kind: string; readonly name: string; readonly uid: string };
  /** Mirror pods are the API's shadow of static pods; they cannot be evicted. */
  readonly mirror: boolean;
  readonly priority: number;
  readonly tolerations: readonly unknown[];
  readonly nodeSelector: Readonly<Record<string, string>>;
  readonly requests: { readonly cpuMillis: number; readonly memoryBytes: number };
  readonly usesEmptyDir: boolean;
  readonly persistentVolumeClaims: readonly string[];
  /** `spec.affinity` and `spec.topologySpreadConstraints`, as they are. */
  readonly affinity?: unknown;
  readonly topologySpreadConstraints?: readonly unknown[];
}

export interface PdbView {
  readonly namespace: string;
  readonly name: string;
  /** `spec.selector`, as it is. */
  readonly selector: unknown;
  readonly generation: number;
  readonly observedGeneration: number;
  readonly expectedPods: number;
  readonly currentHealthy: number;
  readonly desiredHealthy: number;
  readonly disruptionsAllowed: number;
  readonly disruptedPods: number;
  readonly annotations: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
}
