import type { Duration } from '#kernel';
import type { NodeGroupView, NodeView, PdbView, PodView } from '#fleet';
import type { RollMemory } from './memory.js';
import type { RollPolicy } from './policy.js';

/** Everything that `decide` looks at, read once by the engine before the decision. */
export interface RollScope {
  readonly clusterId: string;
  readonly updateId: string;
  readonly commit: string;
  /** Masters and workers may come together: workers wait until no master is outdated. */
  readonly groups: readonly PoolScope[];
  /** Pods of the whole cluster: replicas on other nodes and DaemonSets of other pools count too. */
  readonly pods: readonly PodView[];
  readonly pdbs: readonly PdbView[];
  /** Nodes of the whole cluster, where pods may find a home. Undefined: those of the groups. */
  readonly nodes?: readonly NodeView[];
  /** Zones of volumes by `namespace/claim`, none for a volume that can be used everywhere. Undefined: nobody looked. */
  readonly volumeZones?: Readonly<Record<string, readonly string[]>>;
  /** Volumes that are attached to a node (`VolumeAttachment`), or being detached. Undefined: nobody looked. */
  readonly attachments?: readonly { readonly node: string }[];
  readonly memory: RollMemory;
  /** Pools on hold: no new node is started, the node in flight finishes. */
  readonly frozen: readonly string[];
  /** Which nodes may be started. `dead`: the roll's turn has not come; what is under way goes on, and what serves nobody goes. */
  readonly starts?: 'any' | 'dead';
  /** Boots that may begin now for the sake of registries, accounts and regions that many clusters share. Undefined: any. */
  readonly bootThrottle?: { readonly free: number; readonly reason: string };
  /** Between two masters the gate must be open (`controlPlaneGate` of #upgrade). Undefined: nothing to ask. */
  readonly controlPlaneGate?: {
    readonly open: boolean;
    readonly reasons: readonly string[];
    /** Instance ids of outdated masters in the order in which they should go: `orderMasters` of #upgrade. */
    readonly order?: readonly string[];
  };
}

/** One node pool: what was asked for, and what AWS and Kubernetes say. */
export interface PoolScope {
  readonly pool: string;
  readonly master: boolean;
  /** Sizes of the desired record (not of the ASG, which a roll may have widened). */
  readonly minSize: number;
  readonly maxSize: number;
  readonly group: NodeGroupView;
  /** Nodes of this pool, matched to instances by `instanceId`. */
  readonly nodes: readonly NodeView[];
  /** Launch template that every instance should have come from; the version is concrete, never `$Latest`. */
  readonly targetVersion: { readonly name: string; readonly version: string };
  /** Instance types that the pool may run. Empty or undefined: any. */
  readonly instanceTypes?: readonly string[];
  /** Undefined where the pool may mix markets. */
  readonly market?: 'on-demand' | 'spot';
  /** Kubelet version of the new nodes, where it is known: `v1.36.0`, or a prefix such as `1.36`. */
  readonly kubeletVersion?: string;
  /** The longest delay of the pool's target groups. */
  readonly deregistrationDelay: Duration;
  /** The pool's own policy; the scope's policy where undefined. */
  readonly policy?: RollPolicy;
}
