import type { Duration } from '#kernel';
import type { Cluster } from '#fleet';
import type { DoorbellPort, KubernetesAccess, LogPort, RegistryPort, WatchedKind } from '#ports';
import { RingBudget } from './ring-budget.js';

const KINDS: readonly WatchedKind[] = ['nodes', 'pods', 'poddisruptionbudgets', 'jobs'];

/** Between two rings for one cluster: a drain changes many pods at once, one pass looks at them all. */
const QUIET_MS = 150;

interface Watched {
  readonly controller: AbortController;
  readonly budget: RingBudget;
}

/**
 * Watches the clusters that are moving and rings when something in them changes, so that a pass follows a transition at
 * once instead of at the next poll. Only a hint: losing a watch loses latency.
 */
export class WatchKeeper {
  private readonly watched = new Map<string, Watched>();

  constructor(
    private readonly registry: RegistryPort,
    private readonly kubernetes: KubernetesAccess,
    private readonly doorbell: DoorbellPort,
    private readonly log: LogPort,
    private readonly pollInterval: Duration,
  ) {}

  /** `moved`: the pass before found or did something new. */
  async follow(clusterId: string, moved: boolean): Promise<void> {
    const known = this.watched.get(clusterId);
    if (moved) known?.budget.restore();
    if (known) return;
    const watched = { controller: new AbortController(), budget: new RingBudget(this.pollInterval) };
    this.watched.set(clusterId, watched);
    const cluster = await this.registry.getCluster(clusterId);
    if (!cluster || watched.controller.signal.aborted) return this.forget(clusterId);
    await this.start(cluster, watched);
  }

  forget(clusterId: string): void {
    this.watched.get(clusterId)?.controller.abort();
    this.watched.delete(clusterId);
  }

  close(): void {
    for (const { controller } of this.watched.values()) controller.abort();
    this.watched.clear();
  }

  private async start(cluster: Cluster, { controller, budget }: Watched): Promise<void> {
    try {
      const port = await this.kubernetes.connect(cluster);
      let quiet: NodeJS.Timeout | undefined;
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
