import type { Digest } from '#kernel';
import type { KubernetesObject } from './kubernetes-object.js';

/** Everything rendered from (revision, cluster record, locked inputs). Equal inputs give an equal digest. */
export interface DesiredState {
  readonly digest: Digest;
  readonly clusterId: string;
  readonly commit: string;
  readonly treeDigest: string;
  /** True while outputs of the cluster stack are placeholders: see `LockedInputs.clusterStackOutputs`. */
  readonly provisional: boolean;
  /** Minor or full version that the control plane should run, where the configuration says so, e.g. `1.36.0`. */
  readonly kubernetesVersion?: string;
  readonly etcdStack?: StackTemplate;
  /** Effective config items that say how etcd's members are reached and replaced: `ETCD_ITEMS`. Never a secret. */
  readonly etcdItems?: Readonly<Record<string, string>>;
  readonly clusterStack: StackTemplate;
  /** Extra stacks of `cf-manifests/`, by name. */
  readonly extraStacks: readonly StackTemplate[];
  readonly nodePools: readonly DesiredNodePool[];
  readonly components: readonly Component[];
  readonly deletions: { readonly preApply: readonly Deletion[]; readonly postApply: readonly Deletion[] };
  /** Files that user data downloads, to be stored before the stacks that name them. */
  readonly generatedFiles?: readonly GeneratedFile[];
  /** Things that do not stop the update, e.g. a PDB that can never allow an eviction. */
  readonly warnings: readonly ConfigProblem[];
}

/** A rendered `files.yaml`, stored under the hash of its content. May hold secrets: never logged, never stored in clear. */
export interface GeneratedFile {
  readonly bucket: string;
  readonly key: string;
  /** The rendered YAML: `files: [{path, data (base64), permissions, encrypted}]`. */
  readonly text: string;
  /** Output of the cluster stack that names the KMS key for entries with `encrypted: true`; absent for etcd's. */
  readonly keyOutput?: 'MasterFilesEncryptionKey' | 'WorkerFilesEncryptionKey';
  /** Path in the repository, for messages. */
  readonly file: string;
}

/** A CloudFormation stack as it should be. */
export interface StackTemplate {
  readonly name: string;
  /** Template body, YAML or JSON. */
  readonly body: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly tags: Readonly<Record<string, string>>;
  /** Path in the repository, for messages. */
  readonly file: string;
}

export interface DesiredNodePool {
  readonly name: string;
  readonly profile: string;
  readonly master: boolean;
  readonly minSize: number;
  readonly maxSize: number;
  readonly instanceTypes: readonly string[];
  readonly discountStrategy: string;
  readonly stack: StackTemplate;
  /** Rendered user data. May hold secrets: never logged, never stored in clear. */
  readonly userData: string;
  /** Effective config items of the pool (roll policy is read from them). */
  readonly configItems: Readonly<Record<string, string>>;
}

/** One directory below `manifests/`. */
export interface Component {
  readonly name: string;
  readonly digest: Digest;
  readonly objects: readonly SourcedObject[];
  readonly settings: ComponentSettings;
}

export interface ComponentSettings {
  readonly dependsOn: readonly string[];
  readonly wave: number;
  readonly timeoutMs: number;
  readonly health: 'wait' | 'ignore';
  readonly prune: boolean;
  /** `removed: true` is the tombstone that lets a whole component be pruned. */
  readonly removed: boolean;
  /** JSON pointers that drift detection and apply leave to others. */
  readonly ignore: readonly string[];
}

export interface SourcedObject {
  readonly object: KubernetesObject;
  readonly file: string;
  readonly line: number;
}

/** An entry of `deletions.yaml`; exactly one of name, selector and labels is set. */
export interface Deletion {
  readonly kind: string;
  readonly namespace?: string;
  readonly name?: string;
  readonly selector?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly hasOwner?: boolean;
  readonly gracePeriodSeconds?: number;
  readonly propagationPolicy?: 'Foreground' | 'Background' | 'Orphan';
}

/** A fault in what Git says. Lines and columns start at 1. */
export interface ConfigProblem {
  readonly severity: 'error' | 'warning';
  /** Kebab-case, e.g. `template-error`, `unknown-profile`, `duplicate-object`. */
  readonly code: string;
  readonly message: string;
  readonly file: string;
  readonly line?: number;
  readonly column?: number;
  readonly field?: string;
  readonly hint?: string;
}

/** Config items of a cluster about the members of its etcd (docs/operations.md). */
export const ETCD_ITEMS = [
  'etcd_endpoints',
  'etcd_peer_url',
  'etcd_server_name',
  'etcd_replacement',
  'etcd_replace',
  'etcd_unhealthy_after',
  'etcd_max_lag',
  'etcd_patience',
  'etcd_settle',
] as const;
