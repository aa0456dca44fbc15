import type { Duration } from '#kernel';
import type { Cluster } from '#fleet';
import type { DoorbellPort, KubernetesAccess, LogPort, RegistryPort, WatchedKind } from '#ports';

const KINDS: readonly WatchedKind[] = ['nodes', 'pods', 'poddisruptionbudgets', 'jobs'];

/** Between two rings for one cluster: a drain changes many pods at once, one pass looks at them all. */
const QUIET_MS = 150;

/**
 * A transition is followed at once; a cluster that never rests is not looked at without end. So many rings may come at a
 * moment's notice, then one per poll interval: what a pass costs is then at most twice what polling costs.
 */
const BURST = 12;

class RingBudget {
  private spare = BURST;
  private countedAt = Date.now();

  constructor(private readonly perRingMs: number) {}

  /** Milliseconds until the next ring may sound; takes it. */
  take(now: number): number {
    this.spare = Math.min(BURST, this.spare + (now - this.countedAt) / Math.max(1, this.perRingMs));
    this.countedAt = now;
    this.spare -= 1;
    return this.spare >= 0 ? 0 : Math.ceil(-this.spare * this.perRingMs);
  }
}

/**
 * Watches the clusters that are moving and rings when something in them changes, so that a pass follows a transition at
 * once instead of at the next poll. Only a hint: losing a watch loses latency.
 */
export class WatchKeeper {
  private readonly watched = new Map<string, AbortController>();

  constructor(
    private readonly registry: RegistryPort,
    private readonly kubernetes: KubernetesAccess,
    private readonly doorbell: DoorbellPort,
    private readonly log: LogPort,
    private readonly pollInterval: Duration,
  ) {}

  async follow(clusterId: string): Promise<void> {
    if (this.watched.has(clusterId)) return;
    const controller = new AbortController();
    this.watched.set(clusterId, controller);
    const cluster = await this.registry.getCluster(clusterId);
    if (!cluster || controller.signal.aborted) return this.forget(clusterId);
    await this.start(cluster, controller);
  }

  forget(clusterId: string): void {
    this.watched.get(clusterId)?.abort();
    this.watched.delete(clusterId);
  }

  close(): void {
    for (const controller of this.watched.values()) controller.abort();
    this.watched.clear();
  }

  private async start(cluster: Cluster, controller: AbortController): Promise<void> {
    try {
      const port = await this.kubernetes.connect(cluster);
      let quiet: NodeJS.Timeout | undefined;
      const budget = new RingBudget(this.pollInterval);
      const ring = (): void => {
        if (quiet !== undefined) return;
        const wait = Math.max(QUIET_MS, budget.take(Date.now()));
        quiet = setTimeout(() => {
          quiet = undefined;
          if (!controller.signal.aborted) this.doorbell.ring(`cluster/${cluster.id}`).catch(() => undefined);
        }, wait);
      };
      port.watch(KINDS, ring, controller.signal);
    } catch (error) {
      this.watched.delete(cluster.id);
      this.log.debug('cluster cannot be watched', { clusterId: cluster.id, reason: String(error) });
    }
  }
}
