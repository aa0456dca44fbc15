import type { Instant } from '#kernel';

export interface Version {
  readonly major: number;
  readonly minor: number;
  readonly patch: number;
  /** As written, e.g. `v1.36.0-eks-1`. */
  readonly text: string;
}

/** Something that runs and says which version it is. */
export interface Versioned {
  readonly name: string;
  readonly version: string;
}

export interface SkewQuestion {
  readonly apiServers: readonly string[];
  /** A master's kubelet talks to the API server beside it, not to the oldest one. */
  readonly kubelets: readonly (Versioned & { readonly master?: boolean })[];
  readonly proxies?: readonly Versioned[];
  /** controller-manager and scheduler, where known. */
  readonly controllers?: readonly Versioned[];
  /** kubectl and what else speaks to the API by hand. */
  readonly clients?: readonly Versioned[];
  /** Version that the control plane should have. */
  readonly target?: string;
  /** Version that new workers would have. */
  readonly workerTarget?: string;
}

export interface SkewViolation {
  readonly rule:
    | 'unreadable-version'
    | 'api-servers-apart'
    | 'control-plane-jump'
    | 'control-plane-downgrade'
    | 'kubelet-ahead'
    | 'kubelet-too-old'
    | 'proxy-ahead'
    | 'proxy-too-old'
    | 'controller-ahead'
    | 'controller-too-old'
    | 'client-apart'
    | 'workers-ahead'
    | 'workers-too-old'
    | 'other-major';
  readonly message: string;
  readonly remedy: string;
  /** `workers-ahead` ends by itself when the control plane is done: the roller waits, it does not fail. */
  readonly waits: boolean;
}

export type UpgradeStep = (
  | {
      readonly kind: 'control-plane';
      readonly from: string;
      readonly to: string;
      readonly pointOfNoReturn: boolean;
      /** Ends an update of the API servers that was left half-way. */
      readonly finishes?: true;
    }
  | { readonly kind: 'workers'; readonly from: readonly string[]; readonly to: string }
) & {
  /** Why the step is legal while it goes on and after it, rule by rule, with the versions. */
  readonly proof: readonly string[];
};

export interface UpgradePath {
  readonly steps: readonly UpgradeStep[];
  /** How often workers are replaced: one for each version that workers start with and each time they are rolled. */
  readonly workerRolls: number;
  /** Index of the first step that cannot be taken back, where there is one. */
  readonly pointOfNoReturn?: number;
  /** API servers of two minors run now: what the newer one wrote may be unreadable to the older one already. */
  readonly noReturnAlready?: true;
}

export interface MasterView {
  readonly instanceId: string;
  readonly nodeName?: string;
  readonly zone: string;
  readonly ready: boolean;
  readonly outdated: boolean;
  /** Holds the leases of controller-manager or scheduler. */
  readonly leader?: boolean;
  readonly version?: string;
}

export interface LeaseView {
  /** `kube-controller-manager`, `kube-scheduler` */
  readonly name: string;
  readonly holder?: string;
  readonly renewedAt?: Instant;
  /** Default 15. */
  readonly durationSeconds?: number;
}

export interface ControlPlaneQuestion {
  readonly now: Instant;
  readonly nodes: readonly {
    readonly name: string;
    readonly ready: boolean;
    /** Critical pods of kube-system on it that are not Ready, by name. */
    readonly unreadyPods?: readonly string[];
  }[];
  /** Targets of the API load balancer by instance id: `healthy`, `initial`, `draining` … */
  readonly targets: readonly { readonly instanceId: string; readonly state: string }[];
  readonly leases: readonly LeaseView[];
  /** Answer of `/readyz` per API server, or one entry for the load balancer. */
  readonly readyz: readonly { readonly name: string; readonly ok: boolean; readonly detail?: string }[];
  /** The etcd gate's reasons not to go on, where it was asked. */
  readonly etcd?: readonly string[];
  /** Masters that there should be. */
  readonly expected: number;
}

export interface GateVerdict {
  readonly open: boolean;
  readonly reasons: readonly string[];
}
