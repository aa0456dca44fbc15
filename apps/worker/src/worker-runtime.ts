import { randomIds, systemClock } from '#kernel';
import {
  createClusterReconciler,
  createRenderService,
  ThreadRenderer,
  type EnginePorts,
  type EngineSettings,
  type InspectionPorts,
} from '#engine';
import { createPostgresStores, type PostgresStores } from '#adapters/postgres';
import { createMetrics, notificationFilters, type FieldLog, type Metrics, type Settings } from '#platform';
import { observeFleet } from './fleet-metrics.js';
import { createHands, type Hands } from './hands.js';
import { Housekeeping, retentionPolicy } from './housekeeping.js';
import { OutboxPump } from './outbox-pump.js';
import { PassRunner } from './pass-runner.js';
import { WatchKeeper } from './watch-keeper.js';

export const WORKER = Symbol('WORKER');

/** Everything that one worker process holds. */
export interface WorkerRuntime {
  readonly ports: EnginePorts;
  readonly settings: EngineSettings;
  readonly passes: PassRunner;
  /** What looks at clusters use. */
  readonly inspections: InspectionPorts;
  readonly outbox: OutboxPump;
  readonly housekeeping: Housekeeping;
  readonly metrics: Metrics;
  readonly closing: boolean;
  /** Rejects while the database does not answer. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

/** Connects the engine to the real outside. Migrates the database first; several workers may start at once. */
export async function createWorkerRuntime(settings: Settings, log: FieldLog): Promise<WorkerRuntime> {
  const stores = await createPostgresStores({
    poolOptions: { url: settings.FAIRWAY_DATABASE_URL, size: settings.FAIRWAY_DATABASE_POOL },
    clock: systemClock,
    notificationRoutes: notificationFilters(settings),
  });
  await prepareDatabase(stores, settings);
  const hands = createHands(settings, log, stores.threads);
  const metrics = createMetrics();
  observeFleet(metrics, stores, systemClock);
  const engine = assembleEngine(stores, hands, settings, metrics, log);
  const outbox = createOutboxPump(stores, hands, settings, metrics, log);
  const housekeeping = new Housekeeping(stores.retention, retentionPolicy(settings), systemClock, log);
  const { ports, passes, inspections } = engine;
  const shown = { ports, passes, inspections, settings: engine.settings };
  const runtime = { ...shown, outbox, housekeeping, metrics, closing: false };
  hands.queue.work(passes.run);
  await hands.queue.ring(`repository/${settings.FAIRWAY_REPOSITORY}`).catch(() => undefined);
  return Object.assign(runtime, {
    ping: stores.ping,
    // Workers before the database: a pass under way must be able to commit.
    close: async () => {
      runtime.closing = true;
      engine.watches.close();
      await hands.queue.close();
      await outbox.close();
      await housekeeping.close();
      await engine.renderer.close();
      await hands.close();
      await stores.close();
    },
  });
}

function assembleEngine(
  stores: PostgresStores,
  hands: Hands,
  settings: Settings,
  metrics: Metrics,
  log: FieldLog,
) {
  const { git, aws, kubernetes, etcd, drill, probes, queue } = hands;
  const outside = { git, aws, kubernetes, etcd, drill, probes };
  const own = { doorbell: queue, clock: systemClock, ids: randomIds, log };
  const duplicateKeys = settings.FAIRWAY_YAML_DUPLICATE_KEYS;
  const renderer = new ThreadRenderer({ duplicateKeys, timeLimit: settings.FAIRWAY_RENDER_TIME_LIMIT });
  const ports: EnginePorts = { ...stores, ...outside, ...own, renderer };
  const engine = engineSettings(settings);
  const watches = new WatchKeeper(stores.registry, kubernetes, queue, log, engine.pollInterval);
  const rendering = createRenderService(ports, { duplicateKeys, renderer });
  const clusters = createClusterReconciler(ports, engine, rendering);
  const inspections: InspectionPorts = { ...ports, inspections: stores.inspections };
  const passes = new PassRunner(ports, engine, clusters, watches, metrics, inspections);
  return { ports, settings: engine, watches, renderer, inspections, passes };
}

function createOutboxPump(
  { outbox }: PostgresStores,
  { notifier }: Hands,
  settings: Settings,
  metrics: Metrics,
  log: FieldLog,
): OutboxPump {
  const routes = notificationFilters(settings);
  const digests = new Set(routes.flatMap(({ route, digest }) => (digest === true ? [route] : [])));
  return new OutboxPump({ outbox, notifier, clock: systemClock, metrics, log, digests });
}

async function prepareDatabase(stores: PostgresStores, settings: Settings): Promise<void> {
  try {
    await stores.migrate();
    await stores.channels.syncChannels(channelsOf(settings));
  } catch (thrown) {
    await stores.close();
    throw thrown;
  }
}

function channelsOf(settings: Settings) {
  return settings.FAIRWAY_CHANNELS.map(({ name, branch }, position, all) => {
    const from = all[position - 1]?.name;
    return {
      name,
      branch,
      repository: settings.FAIRWAY_REPOSITORY,
      position,
      ...(from !== undefined && { from }),
    };
  });
}

function engineSettings(settings: Settings): EngineSettings {
  return {
    leaseTtl: settings.FAIRWAY_LEASE_TTL,
    pollInterval: settings.FAIRWAY_POLL_INTERVAL,
    resyncInterval: settings.FAIRWAY_RESYNC_INTERVAL,
    gitPollInterval: settings.FAIRWAY_GIT_POLL_INTERVAL,
    decommissionGrace: settings.FAIRWAY_DECOMMISSION_GRACE,
    roll: {
      ...(settings.FAIRWAY_ROLL_MIN_READY !== undefined && { minReady: settings.FAIRWAY_ROLL_MIN_READY }),
      ...(settings.FAIRWAY_ROLL_DRAINED_QUIET !== undefined && {
        drainedQuiet: settings.FAIRWAY_ROLL_DRAINED_QUIET,
      }),
      ...(settings.FAIRWAY_ROLL_DEREGISTRATION_CAP !== undefined && {
        maxDeregistrationDelay: settings.FAIRWAY_ROLL_DEREGISTRATION_CAP,
      }),
      ...(settings.FAIRWAY_ROLL_LOOK_AFTER_ACTION !== undefined && {
        lookAfterAction: settings.FAIRWAY_ROLL_LOOK_AFTER_ACTION,
      }),
    },
  };
}
