import type { ChannelStorePort, RegistryPort } from '#ports';
import type { Metrics } from '#platform';

/** Fills the gauges of the fleet when they are asked for: a scrape costs three queries, no scrape costs nothing. */
export function observeFleet(
  metrics: Metrics,
  stores: { readonly registry: RegistryPort; readonly channels: ChannelStorePort },
): void {
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
  });
}
