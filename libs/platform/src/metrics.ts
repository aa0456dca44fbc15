import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

/** Metrics of one process, in base units and without unbounded labels. */
export interface Metrics {
  readonly registry: Registry;
  readonly passes: Counter<'kind' | 'result'>;
  readonly passSeconds: Histogram<'kind'>;
  readonly deliveries: Counter<'route' | 'result'>;
  readonly clusters: Gauge<'channel' | 'phase'>;
  readonly gitFreshness: Gauge<'repository'>;
  /** Runs before every scrape; what it throws leaves the gauges as they were. */
  onScrape(refresh: () => Promise<void>): void;
}

export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  let refresh: () => Promise<void> = async () => undefined;
  return {
    onScrape: (wish) => {
      refresh = wish;
    },
    registry,
    passes: new Counter({
      name: 'fairway_passes_total',
      help: 'Reconcile passes by kind (cluster, channel, repository) and result',
      labelNames: ['kind', 'result'],
      registers,
    }),
    passSeconds: new Histogram({
      name: 'fairway_pass_duration_seconds',
      help: 'Duration of reconcile passes',
      labelNames: ['kind'],
      buckets: [0.005, 0.02, 0.1, 0.5, 1, 2, 5, 15, 60],
      registers,
    }),
    deliveries: new Counter({
      name: 'fairway_notification_deliveries_total',
      help: 'Notification deliveries by route and result',
      labelNames: ['route', 'result'],
      registers,
    }),
    clusters: new Gauge({
      name: 'fairway_clusters',
      help: 'Clusters by channel and phase',
      labelNames: ['channel', 'phase'],
      registers,
      collect: () => refresh().catch(() => undefined),
    }),
    gitFreshness: new Gauge({
      name: 'fairway_git_last_success_timestamp_seconds',
      help: 'Unix time of the last successful fetch of a repository',
      labelNames: ['repository'],
      registers,
    }),
  };
}
