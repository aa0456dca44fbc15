import type { Instant } from '#kernel';
import type { Cluster, KubernetesObject, NodeView, ObjectRef, PdbView, PodView, Taint } from '#fleet';

/** Answers of the Eviction API (`policy/v1`), classified as rolling.md's table says. */
export type EvictionAnswer =
  | { readonly kind: 'accepted' }
  | { readonly kind: 'gone' }
  | { readonly kind: 'blocked-by-pdb'; readonly message: string; readonly retryAfterMs?: number }
  | { readonly kind: 'throttled'; readonly retryAfterMs: number }
  | { readonly kind: 'several-pdbs'; readonly message: string }
  | { readonly kind: 'namespace-terminating'; readonly message: string }
  | { readonly kind: 'forbidden-with-pdb'; readonly message: string }
  | { readonly kind: 'webhook-denied'; readonly message: string }
  | { readonly kind: 'transient'; readonly message: string };

/** Change of a node's marks. Only named keys are touched; null removes. Guarded by the node's UID. */
export interface NodePatch {
  readonly unschedulable?: boolean;
  readonly labels?: Readonly<Record<string, string | null>>;
  readonly annotations?: Readonly<Record<string, string | null>>;
  readonly addTaints?: readonly Taint[];
  /** Removed by key and effect. */
  readonly removeTaints?: readonly Pick<Taint, 'key' | 'effect'>[];
}

export interface ApplyOptions {
  readonly dryRun: boolean;
  /** Take fields over from other managers. */
  readonly force: boolean;
  readonly fieldManager: string;
}

export interface ListOptions {
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  /** Keep `metadata.managedFields`, which are left out otherwise: they are often half of the bytes. */
  readonly managedFields?: boolean;
}

export interface DeleteOptions {
  readonly uid?: string;
  readonly gracePeriodSeconds?: number;
  readonly propagationPolicy?: 'Foreground' | 'Background' | 'Orphan';
}

/** One sample of Prometheus' text format. */
export interface MetricSample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** `server` what the API server shows · `client` what we show · `authority` what we trust */
export interface ConnectionCertificate {
  readonly role: 'server' | 'client' | 'authority';
  readonly subject: string;
  readonly notAfter: Instant;
}

export type WatchedKind = 'nodes' | 'pods' | 'jobs' | 'poddisruptionbudgets';

/** A kind that can be listed, at the version that the server prefers. */
export interface ListableKind {
  readonly apiVersion: string;
  readonly kind: string;
  /** Plural, as in paths. */
  readonly resource: string;
}

/**
 * One cluster's Kubernetes API. TLS is verified with the cluster's CA. Rejects with classified `FailureError`s:
 * `api-unreachable` (transient), `api-denied` (denied), `field-conflict` (conflict), `object-invalid` (invalid) …
 */
export interface KubernetesPort {
  /** `v1.36.0` */
  serverVersion(): Promise<string>;
  /** True when `/readyz` answers ok. Never rejects for an API that is away: that is false. */
  ready(): Promise<boolean>;
  /** Samples with these names from the `/metrics` of the API server that answers. */
  metrics(names: readonly string[]): Promise<readonly MetricSample[]>;
  /** Certificates of the connection; none over plain HTTP. */
  certificates(): Promise<readonly ConnectionCertificate[]>;

  listNodes(): Promise<readonly NodeView[]>;
  listPods(options?: ListOptions): Promise<readonly PodView[]>;
  listPdbs(): Promise<readonly PdbView[]>;
  patchNode(node: { readonly name: string; readonly uid: string }, patch: NodePatch): Promise<void>;
  /** With UID precondition, so that a pod recreated under the same name is safe. */
  evict(pod: {
    readonly namespace: string;
    readonly name: string;
    readonly uid: string;
  }): Promise<EvictionAnswer>;

  get(ref: ObjectRef): Promise<KubernetesObject | undefined>;
  list(
    kind: { readonly apiVersion: string; readonly kind: string },
    options?: ListOptions,
  ): Promise<readonly KubernetesObject[]>;
  /** By discovery, groups that are skipped aside. A group that does not answer is an error. */
  listableKinds(skipGroup: (group: string) => boolean): Promise<readonly ListableKind[]>;
  /** All objects of a kind as the server has them, page by page, so that only one page is in memory. */
  listPages(kind: ListableKind): AsyncIterable<readonly KubernetesObject[]>;
  /** Server-side apply. Returns the object as the server would hold it, or holds it. */
  apply(object: KubernetesObject, options: ApplyOptions): Promise<KubernetesObject>;
  /**
   * Makes the fields that other managers wrote by updates (`kubectl apply` of old) ours as if we had applied them, so that
   * the next apply removes those that it does not name. False when none of them owns anything.
   */
  adoptFields(
    ref: ObjectRef,
    options: { readonly from: readonly string[]; readonly fieldManager: string },
  ): Promise<boolean>;
  /** `already-exists` (conflict) when it is there. */
  create(object: KubernetesObject): Promise<KubernetesObject>;
  /** False when it was not there. */
  delete(ref: ObjectRef, options: DeleteOptions): Promise<boolean>;
  /** At most `limitBytes` of a container's log, from its start or from `tailLines` before its end; undefined while there is none. */
  podLog(pod: {
    readonly namespace: string;
    readonly name: string;
    readonly container: string;
    readonly limitBytes: number;
    readonly tailLines?: number;
  }): Promise<string | undefined>;

  /**
   * Calls `changed` whenever something of these kinds changes, until the signal aborts. Resumes and relists by itself
   * (410 included); `changed` is a hint to look, not a delta.
   */
  watch(kinds: readonly WatchedKind[], changed: (kind: WatchedKind) => void, signal: AbortSignal): void;
}

export interface KubernetesAccess {
  /** Clients are cached per cluster and shared by passes (keep-alive, discovery). */
  connect(cluster: Pick<Cluster, 'id' | 'apiServerUrl' | 'configItems'>): Promise<KubernetesPort>;
}
