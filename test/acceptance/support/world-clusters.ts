import { digestOfValue, minutes, sha256Hex, type Instant } from '#kernel';
import type { Cluster, ClusterStatus } from '#fleet';
import type { ClusterRuntime } from '#ports';
import type { MemoryGit } from './memory-git.js';
import type { MemoryStores } from './memory-stores.js';

/** What every API server says that it is. */
export const VERSION = 'v1.31.4';

/** Clusters that take their time to become what their channel lets in, and fail where `cluster/poison.yaml` names them. */
export class WorldClusters {
  private readonly busyUntil = new Map<string, { readonly revisionId: string; readonly at: Instant }>();

  constructor(
    private readonly stores: MemoryStores,
    private readonly git: MemoryGit,
    private readonly now: () => Instant,
  ) {}

  /** When those that are under way arrive. */
  get arrivals(): readonly Instant[] {
    return [...this.busyUntil.values()].map(({ at }) => at);
  }

  move(cluster: Cluster): void {
    const runtime = this.stores.runtimeById.get(cluster.id) as ClusterRuntime;
    const wanted = runtime.admittedRevisionId;
    if (wanted === undefined || this.settledRevision(runtime) === wanted) return;
    const revision = this.stores.revisions.get(wanted);
    if (!revision) return;
    const busy = this.busyUntil.get(cluster.id);
    if (busy?.revisionId !== wanted) {
      if (runtime.status?.phase === 'failed' && busy === undefined && runtime.memory['failedAt'] === wanted)
        return;
      const same =
        (runtime.memory['settled'] as { treeDigest?: string } | undefined)?.treeDigest ===
        revision.treeDigest;
      const takes = same ? 0 : minutes(15 + (parseInt(sha256Hex(cluster.id + wanted).slice(0, 4), 16) % 25));
      this.busyUntil.set(cluster.id, { revisionId: wanted, at: this.now() + takes });
      if (!same) this.setStatus(runtime, { phase: 'updating', since: this.now() });
      if (!same) return;
    } else if (busy.at > this.now()) return;
    this.busyUntil.delete(cluster.id);
    this.arrive(cluster, runtime, wanted);
  }

  private arrive(cluster: Cluster, runtime: ClusterRuntime, wanted: string): void {
    const revision = this.stores.revisions.get(wanted);
    if (!revision) return;
    const poison = this.git.file(revision.commit, 'cluster/poison.yaml') ?? '';
    if (poison.split('\n').includes(cluster.alias)) {
      this.setStatus(
        { ...runtime, memory: { ...runtime.memory, failedAt: wanted } },
        { phase: 'failed', since: this.now() },
      );
      return;
    }
    const desiredDigest = digestOfValue([cluster.id, revision.treeDigest]);
    const settled = {
      revisionId: wanted,
      treeDigest: revision.treeDigest,
      recordDigest: 'r',
      desiredDigest,
      verifiedAt: this.now(),
    };
    const last = runtime.status?.currentVersion;
    const before = runtime.memory['settled'] as { readonly treeDigest?: string } | undefined;
    this.setStatus(
      { ...runtime, memory: { settled } },
      {
        phase: 'ready',
        // Another commit of what it runs already is no interruption.
        ...(before?.treeDigest !== revision.treeDigest && { since: this.now() }),
        currentVersion: revision.commit,
        desiredDigest,
        serverVersion: VERSION,
        ...(last !== undefined && { lastVersion: last }),
      },
    );
  }

  private settledRevision(runtime: ClusterRuntime): string | undefined {
    return (runtime.memory['settled'] as { revisionId?: string } | undefined)?.revisionId;
  }

  setStatus(runtime: ClusterRuntime, change: Partial<ClusterStatus>): void {
    const base: ClusterStatus = {
      clusterId: runtime.clusterId,
      phase: 'pending',
      message: '',
      problems: [],
      steps: [],
      nodes: [],
      since: this.now(),
      consecutiveFailures: 0,
      updatedAt: this.now(),
    };
    this.stores.runtimeById.set(runtime.clusterId, {
      ...runtime,
      status: { ...base, ...runtime.status, ...change },
    });
  }
}
