import { randomIds, systemClock } from '#kernel';
import { createClusterReconciler, createRenderService, type EnginePorts, type EngineSettings } from '#engine';
import { createAwsAccess } from '#adapters/aws';
import { createGit } from '#adapters/git';
import { createKubernetesAccess } from '#adapters/kubernetes';
import { createNotifier } from '#adapters/notify';
import { createPostgresStores } from '#adapters/postgres';
import { createQueue } from '#adapters/queue';
import { createMetrics, notificationFilters, type FieldLog, type Metrics, type Settings } from '#platform';
import { notifyRoutes } from './notify-routes.js';
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
  const queue = createQueue(
    settings.FAIRWAY_REDIS_URL === undefined
      ? { kind: 'postgres', databaseUrl: settings.FAIRWAY_DATABASE_URL }
      : { kind: 'redis', redisUrl: settings.FAIRWAY_REDIS_URL },
    {
      concurrency: settings.FAIRWAY_CONCURRENCY,
      onTrouble: ({ code, message }) =>
        log.warn('queue is in trouble; the sweep finds what is due', { code, reason: message }),
    },
  );
  const kubernetes = createKubernetesAccess({
    credentialsDirectory: settings.FAIRWAY_CLUSTER_CREDENTIALS_DIR,
  });
  const bucket = settings.FAIRWAY_AWS_TEMPLATE_BUCKET;
  const aws = createAwsAccess({
    roleName: settings.FAIRWAY_AWS_ROLE_NAME,
    ...(bucket !== undefined && { templateBucket: () => bucket }),
  });
  const git = createGit(gitOptions(settings));
  const ports: EnginePorts = { ...stores, doorbell: queue, git, aws, kubernetes, clock, ids: randomIds, log };
  const engine = engineSettings(settings);
  const metrics = createMetrics();
  const watches = new WatchKeeper(stores.registry, kubernetes, queue, log);
  const clusters = createClusterReconciler(ports, engine, createRenderService(ports));
  const passes = new PassRunner(ports, engine, clusters, watches, metrics);
  const notifier = createNotifier(notifyRoutes(settings), {
    allowPrivate: settings.FAIRWAY_NOTIFY_ALLOW_PRIVATE,
  });
  const outbox = new OutboxPump(stores.outbox, notifier, clock, metrics, log);
  queue.work(passes.run);
  await queue.ring(`repository/${settings.FAIRWAY_REPOSITORY}`).catch(() => undefined);
  let closing = false;
  return {
    ports,
    settings: engine,
    passes,
    outbox,
    metrics,
    get closing() {
      return closing;
    },
    // Workers before the database: a pass under way must be able to commit.
    close: async () => {
      closing = true;
      watches.close();
      await queue.close();
      await outbox.close();
      await git.close();
      kubernetes.close();
      aws.close();
      await stores.close();
    },
  };
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

function gitOptions(settings: Settings): Parameters<typeof createGit>[0] {
  const [username = '', password = ''] = (settings.FAIRWAY_GIT_CREDENTIALS ?? '').split(/:(.*)/s);
  const base = { mirrorsDir: settings.FAIRWAY_GIT_DIR };
  return username === ''
    ? base
    : { ...base, credentialsFor: () => ({ kind: 'basic', username, password }) as const };
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
