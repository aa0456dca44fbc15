import type { Taint } from '#fleet';

/** Structurally the ports' NodePatch: only named keys are touched, null removes. */
export interface NodeMarks {
  readonly unschedulable?: boolean;
  readonly labels?: Readonly<Record<string, string | null>>;
  readonly annotations?: Readonly<Record<string, string | null>>;
  readonly addTaints?: readonly Taint[];
  readonly removeTaints?: readonly Pick<Taint, 'key' | 'effect'>[];
}

interface NodeAction {
  readonly node: string;
  /** Guards against another node of the same name. */
  readonly uid: string;
  readonly instance: string;
  readonly patch: NodeMarks;
}

interface ActionBase {
  readonly pool: string;
  /** Target of the intent (its verb is `kind`). Equal actions have equal keys. */
  readonly key: string;
  /** For logs and the timeline: why now. */
  readonly reason: string;
}

/**
 * Writes to the outside. The actions of one decision do not depend on one another: they may run in any order or at
 * the same time, any of them may fail, and doing one twice is harmless. Whatever comes next is decided from a new
 * observation.
 */
export type RollAction = ActionBase &
  (
    | {
        readonly kind: 'suspend-az-rebalance';
        readonly group: string;
        /** Set on the group, so that the suspension can be undone without our memory. Tag first, then suspend. */
        readonly tags: Readonly<Record<string, string>>;
      }
    | {
        /** Resume first, then remove the tags. */
        readonly kind: 'resume-az-rebalance';
        readonly group: string;
        readonly untag: readonly string[];
      }
    | {
        readonly kind: 'raise-max-size';
        readonly group: string;
        readonly from: number;
        readonly to: number;
      }
    | { readonly kind: 'restore-bounds'; readonly group: string; readonly maxSize: number }
    | {
        /** Only if the desired capacity is `from`; `capacity-moved` means: observe again. */
        readonly kind: 'set-desired-capacity';
        readonly group: string;
        readonly from: number;
        readonly to: number;
      }
    | {
        /** One machine of the group's template in one zone, outside the group until it is attached; once per token. */
        readonly kind: 'launch-in-zone';
        readonly group: string;
        readonly zone: string;
        readonly token: string;
        /** Of the several types of the group; otherwise its template names one. */
        readonly instanceType?: string;
        /** Other types of the group were not asked for in this zone since it last rested. */
        readonly more?: boolean;
      }
    /** Raises the desired capacity by one. Refused while the machine does not run; success when it is attached already. */
    | { readonly kind: 'attach-instance'; readonly group: string; readonly instance: string }
    | {
        readonly kind: 'protect-from-scale-in';
        readonly group: string;
        readonly instances: readonly string[];
        readonly protect: boolean;
      }
    | ({ readonly kind: 'mark-queued' } & NodeAction)
    | ({ readonly kind: 'cordon' } & NodeAction)
    | ({ readonly kind: 'exclude-from-load-balancers' } & NodeAction)
    /** Its machine is off for sure: Kubernetes lets go of its pods and volumes. */
    | ({ readonly kind: 'mark-out-of-service' } & NodeAction)
    /** Exact inverse of our marks; what others changed since is left alone. */
    | ({ readonly kind: 'restore-node' } & NodeAction)
    | { readonly kind: 'deregister-target'; readonly targetGroupArn: string; readonly instance: string }
    /** Inverse of `deregister-target` for a node that is given back. */
    | { readonly kind: 'register-target'; readonly targetGroupArn: string; readonly instance: string }
    | {
        readonly kind: 'evict';
        readonly namespace: string;
        readonly name: string;
        readonly uid: string;
        readonly node: string;
        readonly instance: string;
        /** `namespace/name` of the one PDB that covers the pod. */
        readonly pdb?: string;
      }
    | {
        /** The ladder's last rung: past a PDB, with the pod's own grace period. Needs the grant that the policy gives. */
        readonly kind: 'delete-pod';
        readonly namespace: string;
        readonly name: string;
        readonly uid: string;
        readonly node: string;
        readonly instance: string;
        /** Why it may be done, with the times that were reached; recorded with the intent. */
        readonly grant: string;
      }
    | {
        readonly kind: 'terminate';
        readonly group: string;
        readonly instance: string;
        readonly nodeUid?: string;
        readonly decrementDesired: boolean;
        /** Why it was not drained, where it was not; recorded with the intent. */
        readonly exemption?: string;
      }
    /** Nothing outside: instance and Node are gone, the replacement is complete. For the timeline. */
    | { readonly kind: 'forget'; readonly instance: string }
  );

export type LaunchAction = Extract<RollAction, { kind: 'launch-in-zone' }>;

export type LaunchReply =
  | { readonly kind: 'launched'; readonly instance: string }
  /** No instances, addresses or quota in that zone now. */
  | { readonly kind: 'refused'; readonly message: string };

export type EvictAction = Extract<RollAction, { kind: 'evict' }>;

/** Structurally the ports' EvictionAnswer. */
export type EvictionReply =
  | { readonly kind: 'accepted' }
  | { readonly kind: 'gone' }
  | { readonly kind: 'blocked-by-pdb'; readonly message: string; readonly retryAfterMs?: number }
  | { readonly kind: 'throttled'; readonly retryAfterMs: number }
  | { readonly kind: 'several-pdbs'; readonly message: string }
  | { readonly kind: 'namespace-terminating'; readonly message: string }
  | { readonly kind: 'forbidden-with-pdb'; readonly message: string }
  | { readonly kind: 'webhook-denied'; readonly message: string }
  | { readonly kind: 'transient'; readonly message: string };
