import { z } from 'zod';
import { parseDuration } from '#kernel';

/** Milliseconds of a text such as `90s`, or an issue that says how to write one. */
function toDuration(text: string, context: z.RefinementCtx): number {
  const parsed = parseDuration(text);
  if (parsed !== undefined) return parsed;
  context.addIssue({ code: 'custom', message: `"${text}" is no duration; write for example 90s, 5m or 2h` });
  return z.NEVER;
}

const duration = (fallback: string) => z.string().default(fallback).transform(toDuration);

const optionalDuration = z
  .string()
  .optional()
  .transform((text, context) => (text === undefined ? undefined : toDuration(text, context)));

const flag = z
  .enum(['true', 'false'])
  .default('false')
  .transform((text) => text === 'true');

const count = (fallback: number) => z.coerce.number().int().positive().default(fallback);

/** `dev,alpha` or `dev=main,alpha`: channels in the order of promotion, each with its branch where that is named differently. */
const channels = z
  .string()
  .default('dev,alpha,beta,stable')
  .transform((text, context) => {
    const list = text.split(',').map((entry) => {
      const [name = '', branch] = entry.trim().split('=');
      return { name, branch: branch ?? name };
    });
    const bad = list.find(
      ({ name, branch }) => !/^[a-z][a-z0-9-]*$/.test(name) || !/^[\w./-]+$/.test(branch),
    );
    if (bad || new Set(list.map(({ name }) => name)).size !== list.length) {
      context.addIssue({
        code: 'custom',
        message: 'write channel names, comma-separated and distinct, e.g. dev,alpha=main',
      });
      return z.NEVER;
    }
    return list;
  });

/** `C0123` for every release channel, or `stable=C0123,*=C0456`. */
const slackChannels = z
  .string()
  .optional()
  .transform((text, context): Readonly<Record<string, string>> => {
    const parts = (text ?? '').split(',').flatMap((part) => (part.trim() === '' ? [] : [part.trim()]));
    const pairs = parts.map((part): [string, string] => {
      const [left = '', right] = part.split('=');
      return right === undefined ? ['*', left] : [left, right];
    });
    if (pairs.every(([name, id]) => /^(?:\*|[a-z][a-z0-9-]*)$/.test(name) && /^[CGD][A-Z0-9]{2,}$/.test(id)))
      return Object.fromEntries(pairs);
    context.addIssue({
      code: 'custom',
      message: 'write ids of Slack channels, e.g. C0123 or stable=C0123,*=C0456',
    });
    return z.NEVER;
  });

/**
 * The whole configuration, by environment variable. Every variable may be given as `<NAME>_FILE` with a path instead, so
 * that secrets need not be in the environment. The descriptions are the documentation (docs/configuration.md).
 */
export const SETTINGS = {
  FAIRWAY_DATABASE_URL: z.string().describe('PostgreSQL, for example postgres://fairway@db/fairway (secret)'),
  FAIRWAY_DATABASE_POOL: count(10).describe('Connections per process'),
  FAIRWAY_START_PATIENCE: duration('2m').describe(
    'How long a starting role waits for a database that is away, before it ends',
  ),
  FAIRWAY_REDIS_URL: z
    .string()
    .optional()
    .describe('Redis for the queue; without it the queue lives in PostgreSQL'),
  FAIRWAY_READ_TIME_LIMIT: duration('15s').describe(
    'A read of the API that takes longer is answered with 503',
  ),
  FAIRWAY_HOST: z.string().default('127.0.0.1').describe('Address that the API listens on'),
  FAIRWAY_PORT: z.coerce
    .number()
    .int()
    .min(0)
    .max(65_535)
    .default(8080)
    .describe('Port of the API; 0 takes a free one'),
  FAIRWAY_WORKER_PORT: z.coerce
    .number()
    .int()
    .min(0)
    .max(65_535)
    .default(8081)
    .describe('Port of the worker for /healthz, /readyz and /metrics; 0 takes a free one'),
  FAIRWAY_REPOSITORY: z.string().describe('URL of the configuration repository'),
  FAIRWAY_CHANNELS: channels.describe('Release channels in the order of promotion, e.g. dev,alpha,beta=main'),
  FAIRWAY_GIT_DIR: z
    .string()
    .default('.fairway/git')
    .describe('Directory of the bare mirrors; a cache, may be lost'),
  FAIRWAY_GIT_CREDENTIALS: z
    .string()
    .optional()
    .describe(
      'user:password or token for the repository over HTTP (secret; use FAIRWAY_GIT_CREDENTIALS_FILE)',
    ),
  FAIRWAY_GIT_POLL_INTERVAL: duration('30s').describe('Between two fetches that no webhook asked for'),
  FAIRWAY_GIT_WEBHOOK_SECRET: z
    .string()
    .optional()
    .describe('HMAC-SHA-256 secret of /webhooks/git/generic (secret)'),
  FAIRWAY_YAML_DUPLICATE_KEYS: z
    .enum(['error', 'warning'])
    .optional()
    .describe(
      'A key that a YAML map has twice: an error, or a warning and the last one counts (as CLM read it); unset: a warning in config-defaults.yaml, an error elsewhere',
    ),
  FAIRWAY_RENDER_TIME_LIMIT: duration('1500ms').describe('CPU time that rendering one cluster may take'),
  FAIRWAY_RENDER_MEMORY: count(128).describe(
    'MiB that the render thread may take; a third of it keeps what was rendered, which a commit to many clusters reuses',
  ),
  FAIRWAY_CLUSTER_CREDENTIALS_DIR: z
    .string()
    .default('.fairway/clusters')
    .describe('One directory per cluster id (with _ for :) with token and ca.crt, or kubeconfig'),
  FAIRWAY_SCRATCH_DIR: z
    .string()
    .optional()
    .describe(
      'Where restore drills keep their scratch etcd: twice the size of the largest snapshot (default: the temporary directory)',
    ),
  FAIRWAY_AWS_ROLE_NAME: z
    .string()
    .optional()
    .describe('Role assumed in each account; without it the ambient credentials are used'),
  FAIRWAY_AWS_TEMPLATE_BUCKET: z
    .string()
    .optional()
    .describe('Bucket for CloudFormation templates over 51,200 bytes'),
  FAIRWAY_AWS_CHANGE_SETS: z
    .enum(['auto', 'always', 'never'])
    .default('auto')
    .describe(
      'Stacks by change set (always), by CreateStack and UpdateStack (never), or by change set on AWS only (auto)',
    ),
  FAIRWAY_CONCURRENCY: count(16).describe('Passes at once in one worker'),
  FAIRWAY_LEASE_TTL: duration('60s').describe('How long a dead worker keeps others from its cluster'),
  FAIRWAY_POLL_INTERVAL: duration('5s').describe('Between two looks at something that moves by itself'),
  FAIRWAY_RESYNC_INTERVAL: duration('30m').describe(
    'Between two verifications of a cluster that is at its state',
  ),
  FAIRWAY_DECOMMISSION_GRACE: duration('1h').describe(
    'Between the request to decommission and its first write',
  ),
  FAIRWAY_RETENTION_EVENTS: duration('90d').describe(
    'How long events are kept, and with them their deliveries; 0s keeps for ever',
  ),
  FAIRWAY_RETENTION_DELIVERIES: duration('30d').describe(
    'How long notifications that were delivered or given up are kept; 0s keeps for ever',
  ),
  FAIRWAY_RETENTION_UPDATES: duration('180d').describe(
    'How long finished updates (beyond the last 20 of a cluster), their intents, old input locks, settled requests and resolved problems are kept; 0s keeps for ever',
  ),
  FAIRWAY_ROLL_MIN_READY: optionalDuration.describe(
    'Overrides how long a new node must be Ready (policy: 30s)',
  ),
  FAIRWAY_ROLL_DRAINED_QUIET: optionalDuration.describe(
    'Overrides the gap between two reads that find a node drained (policy: 5s)',
  ),
  FAIRWAY_ROLL_DEREGISTRATION_CAP: optionalDuration.describe(
    'Overrides the longest wait for load balancers (policy: 300s)',
  ),
  FAIRWAY_ROLL_LOOK_AFTER_ACTION: optionalDuration.describe('Overrides how soon to look after a write'),
  FAIRWAY_GITHUB_WEBHOOK_SECRET: z
    .string()
    .optional()
    .describe('Secret of the GitHub webhook on /webhooks/git/github (secret)'),
  FAIRWAY_GITLAB_WEBHOOK_TOKEN: z
    .string()
    .optional()
    .describe('Secret token of the GitLab webhook on /webhooks/git/gitlab (secret)'),
  FAIRWAY_GITLAB_WEBHOOK_SIGNING_SECRET: z
    .string()
    .optional()
    .describe(
      'Signing secret whsec_… of the GitLab webhook (Standard Webhooks), instead of the token (secret)',
    ),
  FAIRWAY_BITBUCKET_WEBHOOK_SECRET: z
    .string()
    .optional()
    .describe('Secret of the Bitbucket webhook on /webhooks/git/bitbucket (secret)'),
  FAIRWAY_GITEA_WEBHOOK_SECRET: z
    .string()
    .optional()
    .describe('Secret of the Gitea or Forgejo webhook on /webhooks/git/gitea (secret)'),
  FAIRWAY_SLACK_WEBHOOK_URL: z.string().optional().describe('Slack incoming webhook (secret)'),
  FAIRWAY_SLACK_BOT_TOKEN: z
    .string()
    .optional()
    .describe(
      'Slack bot token xoxb-… with chat:write: one message per channel and revision, edited in place (secret)',
    ),
  FAIRWAY_SLACK_CHANNEL: slackChannels.describe(
    'Slack channel ids, e.g. C0123 for everything or stable=C0123,*=C0456 by release channel',
  ),
  FAIRWAY_SLACK_API_URL: z.string().default('https://slack.com/api').describe('Base of the Slack Web API'),
  FAIRWAY_GITHUB_STATUS_TOKEN: z
    .string()
    .optional()
    .describe('Token that may write commit statuses on GitHub (secret)'),
  FAIRWAY_GITHUB_REPOSITORY: z
    .string()
    .optional()
    .describe('owner/name of the repository for commit statuses'),
  FAIRWAY_GITHUB_API_URL: z
    .string()
    .default('https://api.github.com')
    .describe('Base of the GitHub REST API'),
  FAIRWAY_GITLAB_STATUS_TOKEN: z
    .string()
    .optional()
    .describe('Token that may write commit statuses on GitLab (secret)'),
  FAIRWAY_GITLAB_PROJECT: z.string().optional().describe('Path or id of the project for commit statuses'),
  FAIRWAY_GITLAB_API_URL: z
    .string()
    .default('https://gitlab.com/api/v4')
    .describe('Base of the GitLab REST API'),
  FAIRWAY_WEB_URL: z.string().optional().describe('Address of this Fairway for people: links lead there'),
  FAIRWAY_WEBHOOK_URL: z.string().optional().describe('Receiver of signed events (Standard Webhooks)'),
  FAIRWAY_WEBHOOK_SECRET: z
    .string()
    .optional()
    .describe('Its secret, whsec_… ; two, comma-separated, while rotating (secret)'),
  FAIRWAY_NOTIFY_ALLOW_PRIVATE: flag.describe(
    'Allow http and private addresses as receivers; for development',
  ),
  FAIRWAY_PROMETHEUS_URL: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe('Prometheus that answers the PromQL checks of health gates'),
  FAIRWAY_HEALTH_ALLOW_PRIVATE: flag.describe(
    'Let HTTP checks of health gates go to private addresses (the addresses come from the repository)',
  ),
  FAIRWAY_BOOTSTRAP_TOKEN: z
    .string()
    .optional()
    .describe(
      'Admin token that the API accepts from its first start (secret; use FAIRWAY_BOOTSTRAP_TOKEN_FILE)',
    ),
  FAIRWAY_LOG_LEVEL: z
    .enum(['debug', 'info', 'warn', 'error', 'silent'])
    .default('info')
    .describe('Least level that is logged'),
} as const;

export const settingsSchema = z.object(SETTINGS);
export type Settings = z.infer<typeof settingsSchema>;
