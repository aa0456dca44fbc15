import type { Clock } from '#kernel';
import type {
  AuditPort,
  BackupStorePort,
  ChannelStorePort,
  ConfigStorePort,
  DeliveryLogPort,
  InspectionStorePort,
  LeasePort,
  NotificationThreads,
  OutboxPort,
  PromotionStorePort,
  RegistryPort,
  RetentionPort,
  TokenStorePort,
  UpdateStorePort,
} from '#ports';
import { Database, type PoolOptions } from './database.js';
import { EventListener } from './event-listener.js';
import { EventWriter, type RouteFilter } from './event-writer.js';
import { migrate } from './migrate.js';
import { AuditRepository, TokenRepository } from './repositories/access.repository.js';
import { BackupRepository } from './repositories/backup.repository.js';
import { createChannelStore } from './repositories/channel-store.repository.js';
import { createConfigStore } from './repositories/config-store.repository.js';
import { DecisionRepository } from './repositories/decision.repository.js';
import { DeliveryLogRepository } from './repositories/delivery-log.repository.js';
import { InspectionRepository } from './repositories/inspection.repository.js';
import { LeaseRepository } from './repositories/lease.repository.js';
import { OutboxRepository } from './repositories/outbox.repository.js';
import { ProblemRepository } from './repositories/problem.repository.js';
import { createRegistry } from './repositories/registry.repository.js';
import { RetentionRepository } from './repositories/retention.repository.js';
import { createUpdateStore } from './repositories/update-store.repository.js';

export interface PostgresStoresOptions {
  /** Shorthand for `poolOptions: { url }`. */
  readonly url?: string;
  readonly poolOptions?: PoolOptions;
  readonly clock: Clock;
  /** Receivers of notifications; deliveries are made for the events that match. */
  readonly notificationRoutes: readonly RouteFilter[];
}

export interface PostgresStores {
  readonly registry: RegistryPort;
  readonly updates: UpdateStorePort;
  readonly channels: ChannelStorePort;
  readonly decisions: PromotionStorePort;
  readonly configs: ConfigStorePort;
  readonly backups: BackupStorePort;
  readonly inspections: InspectionStorePort;
  readonly leases: LeasePort;
  readonly outbox: OutboxPort;
  readonly deliveries: DeliveryLogPort;
  readonly threads: NotificationThreads;
  readonly tokens: TokenStorePort;
  readonly audit: AuditPort;
  readonly problems: ProblemRepository;
  readonly retention: RetentionPort;
  /** Runs pending migrations; safe for several replicas at once. Returns the names of the files that were run. */
  migrate(): Promise<readonly string[]>;
  /** Rejects with a classified failure while the database does not answer. */
  ping(): Promise<void>;
  /** Ends all connections. */
  close(): Promise<void>;
}

/**
 * Every store on one pool. Connects with the first use: a database that is away makes calls fail as `transient`, and
 * they succeed again when it is back.
 */
export async function createPostgresStores(options: PostgresStoresOptions): Promise<PostgresStores> {
  const pool = options.poolOptions ?? (options.url === undefined ? undefined : { url: options.url });
  if (pool === undefined) throw new Error('createPostgresStores needs url or poolOptions');
  const { clock } = options;
  const database = new Database(pool);
  const listener = new EventListener(pool);
  const events = new EventWriter(options.notificationRoutes);
  const deliveries = new DeliveryLogRepository(database, events);
  return {
    registry: createRegistry(database, events, clock),
    updates: createUpdateStore(database, events),
    channels: createChannelStore(database, events, clock),
    decisions: new DecisionRepository(database, events, clock),
    configs: createConfigStore(database, events),
    backups: new BackupRepository(database, events),
    inspections: new InspectionRepository(database),
    leases: new LeaseRepository(database),
    outbox: new OutboxRepository(database, listener, events),
    deliveries,
    threads: deliveries,
    tokens: new TokenRepository(database),
    audit: new AuditRepository(database),
    problems: new ProblemRepository(database),
    retention: new RetentionRepository(database, clock),
    migrate: () => migrate(database),
    ping: async () => {
      await database.rows('SELECT 1');
    },
    close: async () => {
      await listener.close();
      await database.close();
    },
  };
}
