import type { Taint } from '#fleet';

export const START = Date.parse('2026-01-01T00:00:00Z');

/** Sizes and times (milliseconds) of one virtual group. */
interface GroupSpec {
  readonly name: string;
  readonly pool: string;
  readonly master?: boolean;
  readonly size: number;
  readonly maxSize?: number;
  readonly zones?: readonly string[];
  readonly targetGroups?: readonly string[];
  readonly instanceTypes?: readonly string[];
}

export interface WorkloadSpec {
  readonly name: string;
  readonly kind?: 'ReplicaSet' | 'StatefulSet' | 'Job';
  readonly replicas: number;
  /** `maxUnavailable` of its PDB; no PDB where undefined. */
  readonly maxUnavailable?: number;
  readonly graceMs?: number;
  readonly startMs?: number;
  readonly volumes?: boolean;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly priority?: number;
}

export interface WorldSpec {
  readonly seed?: number;
  readonly groups: readonly GroupSpec[];
  readonly workloads?: readonly WorkloadSpec[];
  /** Launch to Ready; the n-th launch of the world gets its own. */
  readonly bootMs?: number | ((launch: number) => number);
  readonly terminateMs?: number;
  readonly deregistrationMs?: number;
  readonly detachMs?: number;
  /** The story takes pods away by itself, past their PDBs. */
  readonly losesPods?: boolean;
  /** A Node outlives its machine by this. */
  readonly lingerMs?: number;
  readonly badImage?: boolean;
  /** While true, pods of nodes that boot say ErrImagePull. */
  readonly pullsFail?: () => boolean;
  /** Of several emptiest zones AWS takes any; otherwise the first by name. */
  readonly anyZone?: boolean;
  /** What is launched in this zone by name never gets into its group. */
  readonly neverAttaches?: string;
  /** AWS has no instances for groups of this zone alone, from the start of the story for so long. */
  readonly noCapacity?: { readonly zone: string; readonly forMs: number; readonly type?: string };
}

export interface SimInstance {
  readonly id: string;
  readonly group: string;
  readonly zone: string;
  readonly version: string;
  readonly launchedAt: number;
  readonly original: boolean;
  lifecycle: 'Pending' | 'InService' | 'Terminating';
  stopped?: boolean;
  protected: boolean;
  targets: Record<string, string>;
  node?: SimNode;
}

export interface SimNode {
  readonly name: string;
  readonly uid: string;
  readonly createdAt: number;
  ready: boolean;
  readySince: number;
  /** Its kubelet does not answer. */
  silent: boolean;
  unschedulable: boolean;
  labels: Record<string, string>;
  annotations: Record<string, string>;
  taints: Taint[];
}

export interface SimPod {
  readonly workload: string;
  readonly uid: string;
  readonly name: string;
  readonly createdAt: number;
  readonly daemon: boolean;
  /** Whether it stands for a pod that somebody moved, or one that was lost; the first ones stand for none. */
  readonly born: 'first' | 'moved' | 'lost';
  node?: string;
  ready: boolean;
  deletedAt?: number;
}

export interface SimGroup extends GroupSpec {
  min: number;
  max: number;
  desired: number;
  version: string;
  suspended: string[];
  tags: Record<string, string>;
  instances: SimInstance[];
}
