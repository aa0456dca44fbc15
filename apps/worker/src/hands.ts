import { createAwsAccess } from '#adapters/aws';
import { createGit, type ClosableGit } from '#adapters/git';
import { createKubernetesAccess } from '#adapters/kubernetes';
import { createNotifier } from '#adapters/notify';
import { createQueue, type DoorbellQueue } from '#adapters/queue';
import type { FieldLog, Settings } from '#platform';
import type { AwsAccess, KubernetesAccess, NotificationThreads, NotifierPort } from '#ports';
import { notifyRoutes } from './notify-routes.js';

/** The adapters that touch the outside, the database aside. */
export interface Hands {
  readonly queue: DoorbellQueue;
  readonly git: ClosableGit;
  readonly aws: AwsAccess;
  readonly kubernetes: KubernetesAccess;
  readonly notifier: NotifierPort;
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
  });
  const bucket = settings.FAIRWAY_AWS_TEMPLATE_BUCKET;
  const aws = createAwsAccess({
    roleName: settings.FAIRWAY_AWS_ROLE_NAME,
    ...(bucket !== undefined && { templateBucket: () => bucket }),
  });
  const git = createGit(gitOptions(settings));
  const notifier = createNotifier(notifyRoutes(settings), {
    threads,
    allowPrivate: settings.FAIRWAY_NOTIFY_ALLOW_PRIVATE,
  });
  const close = async (): Promise<void> => {
    await git.close();
    kubernetes.close();
    aws.close();
  };
  return { queue, git, aws, kubernetes, notifier, close };
}

function gitOptions(settings: Settings): Parameters<typeof createGit>[0] {
  const [username = '', password = ''] = (settings.FAIRWAY_GIT_CREDENTIALS ?? '').split(/:(.*)/s);
  const base = { mirrorsDir: settings.FAIRWAY_GIT_DIR };
  return username === ''
    ? base
    : { ...base, credentialsFor: () => ({ kind: 'basic', username, password }) as const };
}
