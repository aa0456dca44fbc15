import type { Clock } from '#kernel';
import type { Cluster } from '#fleet';
import type { BackupStorePort, ChannelStorePort, RegistryPort } from '#ports';
import type { Metrics } from '#platform';

interface FleetStores {
  readonly registry: RegistryPort;
  readonly channels: ChannelStorePort;
  readonly backups: Pick<BackupStorePort, 'backupStandings'>;
}

/** Fills the gauges of the fleet when they are asked for: a scrape costs a few queries, no scrape costs nothing. */
export function observeFleet(metrics: Metrics, stores: FleetStores, clock: Clock): void {
  metrics.onScrape(async () => {
    const clusters = await stores.registry.listClusters({});
    const statuses = await stores.registry.statuses(clusters.map(({ id }) => id));
    metrics.clusters.reset();
    for (const { id, channel } of clusters) {
      metrics.clusters.inc({ channel, phase: statuses.get(id)?.phase ?? 'pending' });
    }
    for (const { url, lastSuccessAt } of await stores.channels.repositories()) {
      if (lastSuccessAt !== undefined) metrics.gitFreshness.set({ repository: url }, lastSuccessAt / 1000);
    }
    await observeBackups(metrics, stores, clusters, clock);
  });
}

async function observeBackups(
  metrics: Metrics,
  { backups }: FleetStores,
  clusters: readonly Cluster[],
  clock: Clock,
): Promise<void> {
  const living = clusters.filter(({ lifecycleStatus }) => lifecycleStatus === 'ready');
  const standings = await backups.backupStandings(living.map(({ id }) => id));
  const oldest = new Map<string, number>();
  metrics.backupAge.reset();
  metrics.backupMissing.reset();
  for (const { id, channel } of living) {
    const standing = standings.get(id);
    for (const provider of standing?.providers ?? []) {
      const newest = standing?.evidence.find((backup) => backup.provider === provider);
      metrics.backupMissing.inc({ channel, provider }, newest ? 0 : 1);
      if (!newest) continue;
      const key = `${channel} ${provider}`;
      const age = Math.max(oldest.get(key) ?? 0, clock.now() - newest.startedAt);
      oldest.set(key, age);
      metrics.backupAge.set({ channel, provider }, age / 1000);
    }
  }
}
