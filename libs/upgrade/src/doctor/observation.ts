import type { Duration, Instant } from '#kernel';
import type { NodeGroupView, NodeView, PdbView, RemovedApiUse } from '#fleet';
import type { LeaseView, Versioned } from '../types.js';

/**
 * What one look gave. `unknown`: it could not be read, and nothing may be said to be well. `none`: this cluster has no
 * such thing, or it is not ours to look at.
 */
export type Reading<T> =
  | { readonly state: 'read'; readonly value: T }
  | { readonly state: 'unknown'; readonly why: string }
  | { readonly state: 'none'; readonly why: string };

export const read = <T>(value: T): Reading<T> => ({ state: 'read', value });
export const unknown = (why: string): Reading<never> => ({ state: 'unknown', why });
export const none = (why: string): Reading<never> => ({ state: 'none', why });

/** Everything that `examine` judges, read once. */
export interface DoctorObservation {
  readonly now: Instant;
  /** What the cluster's clock says, where it is ahead of ours: times of its objects are held against that. */
  readonly clusterNow?: Instant;
  /** Pools of the record that hold the control plane; empty where somebody else runs it. */
  readonly masterPools: readonly string[];
  readonly api: Reading<{ readonly url: string; readonly ready: boolean }>;
  /** Of the API server that answered, e.g. `v1.36.0`. */
  readonly serverVersion: Reading<string>;
  /** kube-apiserver, kube-controller-manager and kube-scheduler by their pods in kube-system. */
  readonly components: Reading<readonly ComponentView[]>;
  /** kube-proxy by its pods. */
  readonly proxies: Reading<readonly Versioned[]>;
  readonly nodes: Reading<readonly NodeView[]>;
  readonly groups: Reading<readonly NodeGroupView[]>;
  readonly leases: Reading<readonly LeaseView[]>;
  readonly etcd: Reading<EtcdView>;
  readonly removedApis: Reading<readonly RemovedApiUse[]>;
  /** Version that the APIs in use are held against. */
  readonly target?: string;
  readonly certificates: Reading<readonly CertificateView[]>;
  readonly backups: Reading<readonly BackupView[]>;
  readonly pdbs: Reading<readonly PdbView[]>;
  readonly workloads: Reading<readonly WorkloadView[]>;
  readonly webhooks: Reading<readonly WebhookView[]>;
  readonly aggregatedApis: Reading<readonly AggregatedApiView[]>;
  readonly terminating: Reading<readonly TerminatingNamespace[]>;
}

export interface ComponentView extends Versioned {
  readonly component: 'kube-apiserver' | 'kube-controller-manager' | 'kube-scheduler';
  readonly nodeName?: string;
  readonly ready: boolean;
}

export interface EtcdView {
  readonly members: readonly EtcdMemberView[];
  readonly alarms: readonly { readonly member: string; readonly kind: string }[];
}

export interface EtcdMemberView {
  readonly name: string;
  readonly learner: boolean;
  readonly healthy: boolean;
  /** Why it is not healthy. */
  readonly reason?: string;
  readonly zone?: string;
  readonly version?: string;
  readonly dbSizeBytes?: number;
  readonly quotaBytes?: number;
  readonly walFsyncP99?: Duration;
}

export interface CertificateView {
  /** `API server`, `client certificate of Fairway`, `CA of webhook x` … */
  readonly name: string;
  readonly notAfter: Instant;
}

export interface BackupView {
  /** `etcd`, `velero`, `resources` */
  readonly provider: string;
  readonly lastAt?: Instant;
  /** Older than this is stale. */
  readonly maxAge: Duration;
  readonly lastDrillAt?: Instant;
  /** Absent: no drill is asked for. */
  readonly drillEvery?: Duration;
}

export interface WorkloadView {
  /** `Deployment default/web` */
  readonly name: string;
  readonly replicas: number;
  /** A new pod is started before the old one goes, when its template changes. */
  readonly surges: boolean;
}

export interface WebhookView {
  /** `ValidatingWebhookConfiguration hooks: a.example.org` */
  readonly name: string;
  /** `failurePolicy: Fail` */
  readonly closed: boolean;
  /** `default/hooks`; absent where it is called by URL. */
  readonly service?: string;
  /** Ready endpoints of the service. */
  readonly endpoints?: number;
}

export interface AggregatedApiView {
  /** `v1beta1.metrics.k8s.io` */
  readonly name: string;
  readonly available: boolean;
  readonly message: string;
}

export interface TerminatingNamespace {
  readonly name: string;
  readonly since: Instant;
  /** What still holds it, as its conditions say. */
  readonly because: string;
}
