import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

/** Metrics of one process, in base units and without unbounded labels. */
export interface Metrics {
  readonly registry: Registry;
  readonly passes: Counter<'kind' | 'result'>;
  readonly passSeconds: Histogram<'kind'>;
  readonly deliveries: Counter<'route' | 'result'>;
  readonly clusters: Gauge<'channel' | 'phase'>;
  readonly gitFreshness: Gauge<'repository'>;
  readonly backupAge: Gauge<'channel' | 'provider'>;
  readonly backupMissing: Gauge<'channel' | 'provider'>;
  /** Runs before every scrape; what it throws leaves the gauges as they were. */
  onScrape(refresh: () => Promise<void>): void;
}

export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  return { registry, ...workMetrics([registry]), ...fleetMetrics([registry]) };
}

const workMetrics = (registers: Registry[]) => ({
  passes: new Counter({
    name: 'fairway_passes_total',
    help: 'Reconcile passes by kind (cluster, channel, repository) and result',
    labelNames: ['kind', 'result'] as const,
    registers,
  }),
  passSeconds: new Histogram({
    name: 'fairway_pass_duration_seconds',
    help: 'Duration of reconcile passes',
    labelNames: ['kind'] as const,
    buckets: [0.005, 0.02, 0.1, 0.5, 1, 2, 5, 15, 60],
    registers,
  }),
  deliveries: new Counter({
    name: 'fairway_notification_deliveries_total',
    help: 'Notification deliveries by route and result',
    labelNames: ['route', 'result'] as const,
    registers,
  }),
});

type FleetMetrics = Pick<Metrics, 'clusters' | 'gitFreshness' | 'backupAge' | 'backupMissing' | 'onScrape'>;

function fleetMetrics(registers: Registry[]): FleetMetrics {
  let refresh: () => Promise<void> = async () => undefined;
  const clusters = new Gauge({
    name: 'fairway_clusters',
    help: 'Clusters by channel and phase',
    labelNames: ['channel', 'phase'] as const,
    registers,
    collect: () => refresh().catch(() => undefined),
  });
  const gitFreshness = new Gauge({
    name: 'fairway_git_last_success_timestamp_seconds',
    help: 'Unix time of the last successful fetch of a repository',
    labelNames: ['repository'] as const,
    registers,
  });
  const onScrape: Metrics['onScrape'] = (wish) => {
    refresh = wish;
  };
  return { clusters, gitFreshness, ...backupMetrics(registers), onScrape };
}

const backupMetrics = (registers: Registry[]): Pick<Metrics, 'backupAge' | 'backupMissing'> => ({
  backupAge: new Gauge({
    name: 'fairway_backup_age_seconds',
    help: 'Age of the newest usable backup, of the cluster of the channel where it is oldest',
    labelNames: ['channel', 'provider'] as const,
    registers,
  }),
  backupMissing: new Gauge({
    name: 'fairway_backup_missing_clusters',
    help: 'Clusters whose configuration asks for backups by the provider, and that have none that is usable',
    labelNames: ['channel', 'provider'] as const,
    registers,
  }),
});
