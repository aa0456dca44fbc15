import type { Clock, Ids } from '#kernel';
import { randomIds, systemClock } from '#kernel';
import type {
  AuditPort,
  BackupStorePort,
  ChannelStorePort,
  ConfigStorePort,
  DeliveryLogPort,
  DoorbellPort,
  InspectionStorePort,
  LeasePort,
  LogPort,
  OutboxPort,
  PromotionStorePort,
  RegistryPort,
  TokenStorePort,
  UpdateStorePort,
} from '#ports';
import { createPostgresStores } from '#adapters/postgres';
import { createQueue } from '#adapters/queue';
import { createMetrics, notificationFilters, type FieldLog, type Metrics, type Settings } from '#platform';

export const API = Symbol('API');

/** Everything that the HTTP role holds. It rings and reads; it never touches Git remotes, AWS or clusters. */
export interface ApiRuntime {
  readonly registry: RegistryPort;
  readonly updates: UpdateStorePort;
  readonly channels: ChannelStorePort;
  readonly decisions: PromotionStorePort;
  readonly configs: ConfigStorePort;
  readonly backups: BackupStorePort;
  readonly inspections: InspectionStorePort;
  readonly deliveries: DeliveryLogPort;
  readonly outbox: OutboxPort;
  readonly tokens: TokenStorePort;
  readonly audit: AuditPort;
  readonly leases: LeasePort;
  readonly doorbell: DoorbellPort;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: LogPort;
  readonly metrics: Metrics;
  readonly settings: Settings;
  /** Rejects while the database does not answer. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

export async function createApiRuntime(settings: Settings, log: FieldLog): Promise<ApiRuntime> {
  const stores = await createPostgresStores({
    poolOptions: { url: settings.FAIRWAY_DATABASE_URL, size: settings.FAIRWAY_DATABASE_POOL },
    clock: systemClock,
    notificationRoutes: notificationFilters(settings),
  });
  await stores.migrate().catch(async (thrown: unknown) => {
    await stores.close();
    throw thrown;
  });
  const queue = createQueue(
    settings.FAIRWAY_REDIS_URL === undefined
      ? { kind: 'postgres', databaseUrl: settings.FAIRWAY_DATABASE_URL }
      : { kind: 'redis', redisUrl: settings.FAIRWAY_REDIS_URL },
    { concurrency: 1 },
  );
  return {
    ...stores,
    doorbell: queue,
    clock: systemClock,
    ids: randomIds,
    log,
    metrics: createMetrics(),
    settings,
    close: async () => {
      await queue.close();
      await stores.close();
    },
  };
}
