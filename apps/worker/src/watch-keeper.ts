import type { Cluster } from '#fleet';
import type { DoorbellPort, KubernetesAccess, LogPort, RegistryPort, WatchedKind } from '#ports';

const KINDS: readonly WatchedKind[] = ['nodes', 'pods', 'poddisruptionbudgets', 'jobs'];

/** Between two rings for one cluster: a drain changes many pods at once, one pass looks at them all. */
const QUIET_MS = 150;

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
      const ring = (): void => {
        quiet ??= setTimeout(() => {
          quiet = undefined;
          if (!controller.signal.aborted) this.doorbell.ring(`cluster/${cluster.id}`).catch(() => undefined);
        }, QUIET_MS);
      };
      port.watch(KINDS, ring, controller.signal);
    } catch (error) {
      this.watched.delete(cluster.id);
      this.log.debug('cluster cannot be watched', { clusterId: cluster.id, reason: String(error) });
    }
  }
}
