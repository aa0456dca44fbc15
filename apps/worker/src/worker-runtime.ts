import { randomIds, systemClock } from '#kernel';
import { createClusterReconciler, createRenderService, type EnginePorts, type EngineSettings } from '#engine';
import { createPostgresStores } from '#adapters/postgres';
import { createMetrics, notificationFilters, type FieldLog, type Metrics, type Settings } from '#platform';
import { observeFleet } from './fleet-metrics.js';
import { createHands } from './hands.js';
import { OutboxPump } from './outbox-pump.js';
import { PassRunner } from './pass-runner.js';
import { WatchKeeper } from './watch-keeper.js';

export const WORKER = Symbol('WORKER');

/** Everything that one worker process holds. */
export interface WorkerRuntime {
  readonly ports: EnginePorts;
  readonly settings: EngineSettings;
  readonly passes: PassRunner;
  readonly outbox: OutboxPump;
  readonly metrics: Metrics;
  readonly closing: boolean;
  /** Rejects while the database does not answer. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

/** Connects the engine to the real outside. Migrates the database first; several workers may start at once. */
export async function createWorkerRuntime(settings: Settings, log: FieldLog): Promise<WorkerRuntime> {
  const clock = systemClock;
  const stores = await createPostgresStores({
    poolOptions: { url: settings.FAIRWAY_DATABASE_URL, size: settings.FAIRWAY_DATABASE_POOL },
    clock,
    notificationRoutes: notificationFilters(settings),
  });
  await stores.migrate();
  await stores.channels.syncChannels(channelsOf(settings));
  const hands = createHands(settings, log, stores.threads);
  const { git, aws, kubernetes, queue } = hands;
  const ports: EnginePorts = { ...stores, doorbell: queue, git, aws, kubernetes, clock, ids: randomIds, log };
  const engine = engineSettings(settings);
  const metrics = createMetrics();
  observeFleet(metrics, stores);
  const watches = new WatchKeeper(stores.registry, kubernetes, queue, log);
  const rendering = createRenderService(ports, {
    duplicateKeys: settings.FAIRWAY_YAML_DUPLICATE_KEYS,
    timeLimit: settings.FAIRWAY_RENDER_TIME_LIMIT,
  });
  const clusters = createClusterReconciler(ports, engine, rendering);
  const passes = new PassRunner(ports, engine, clusters, watches, metrics);
  const outbox = new OutboxPump(stores.outbox, hands.notifier, clock, metrics, log);
  const runtime = { ports, settings: engine, passes, outbox, metrics, closing: false };
  queue.work(passes.run);
  await queue.ring(`repository/${settings.FAIRWAY_REPOSITORY}`).catch(() => undefined);
  return Object.assign(runtime, {
    ping: stores.ping,
    // Workers before the database: a pass under way must be able to commit.
    close: async () => {
      runtime.closing = true;
      watches.close();
      await queue.close();
      await outbox.close();
      await hands.close();
      await stores.close();
    },
  });
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
