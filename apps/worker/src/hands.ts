import { createAwsAccess, createEksTokens, type AwsAccessOptions } from '#adapters/aws';
import { createEtcdAccess, createRestoreDrill } from '#adapters/etcd';
import { createGit, type ClosableGit } from '#adapters/git';
import { createKubernetesAccess, type EksTokenSource } from '#adapters/kubernetes';
import { createHealthProber, createNotifier } from '#adapters/notify';
import { createQueue, type DoorbellQueue } from '#adapters/queue';
import type { FieldLog, Settings } from '#platform';
import type {
  AwsAccess,
  EtcdAccess,
  HealthProbePort,
  KubernetesAccess,
  NotificationThreads,
  NotifierPort,
  RestoreDrillPort,
} from '#ports';
import { notifyRoutes } from './notify-routes.js';

/** The adapters that touch the outside, the database aside. */
export interface Hands {
  readonly queue: DoorbellQueue;
  readonly git: ClosableGit;
  readonly aws: AwsAccess;
  readonly kubernetes: KubernetesAccess;
  readonly etcd: EtcdAccess;
  readonly drill: RestoreDrillPort;
  readonly notifier: NotifierPort;
  readonly probes: HealthProbePort;
  /** The queue is closed by its user, before everything that its handlers use. */
  close(): Promise<void>;
}

export function createHands(settings: Settings, log: FieldLog, threads: NotificationThreads): Hands {
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
    eksTokens: eksTokensFor(settings),
  });
  const etcd = createEtcdAccess({ credentialsDirectory: settings.FAIRWAY_CLUSTER_CREDENTIALS_DIR });
  const drill = createRestoreDrill(
    settings.FAIRWAY_SCRATCH_DIR === undefined ? {} : { directory: settings.FAIRWAY_SCRATCH_DIR },
  );
  const aws = createAwsAccess(awsOptions(settings, log));
  const git = createGit(gitOptions(settings));
  const notifier = createNotifier(notifyRoutes(settings), {
    threads,
    allowPrivate: settings.FAIRWAY_NOTIFY_ALLOW_PRIVATE,
  });
  const probes = createHealthProber({
    prometheusUrl: settings.FAIRWAY_PROMETHEUS_URL,
    allowPrivate: settings.FAIRWAY_HEALTH_ALLOW_PRIVATE,
  });
  const close = async (): Promise<void> => {
    await git.close();
    kubernetes.close();
    etcd.close();
    aws.close();
  };
  return { queue, git, aws, kubernetes, etcd, drill, notifier, probes, close };
}

function awsOptions(settings: Settings, log: FieldLog): AwsAccessOptions {
  const bucket = settings.FAIRWAY_AWS_TEMPLATE_BUCKET;
  return {
    roleName: settings.FAIRWAY_AWS_ROLE_NAME,
    changeSets: settings.FAIRWAY_AWS_CHANGE_SETS,
    ...(bucket !== undefined && { templateBucket: () => bucket }),
    onUnsupported: (action, reason) =>
      log.warn('the AWS endpoint lacks an action; going on without it', { action, reason }),
  };
}

function gitOptions(settings: Settings): Parameters<typeof createGit>[0] {
  const [username = '', password = ''] = (settings.FAIRWAY_GIT_CREDENTIALS ?? '').split(/:(.*)/s);
  const base = { mirrorsDir: settings.FAIRWAY_GIT_DIR };
  return username === ''
    ? base
    : { ...base, credentialsFor: () => ({ kind: 'basic', username, password }) as const };
}

/** A cluster's id begins with its account and region: `aws:123456789012:eu-central-1:kube-1`. */
function eksTokensFor(settings: Settings): EksTokenSource {
  const mint = createEksTokens({ roleName: settings.FAIRWAY_AWS_ROLE_NAME });
  return ({ id }, name) => {
    const [provider, number, region = ''] = id.split(':');
    return mint({ account: `${provider}:${number}`, region, name });
  };
}
