import type { Settings } from './settings.schema.js';

/** Structurally the store's filter of one route. */
export interface NotificationFilter {
  readonly route: string;
  readonly types?: readonly string[];
  /** People read it: what is too much at once goes as one message. */
  readonly digest?: boolean;
}

/** What people must know; `*` matches any rest. */
const TOLD_TO_SLACK = [
  'revision.*',
  'promotion.*',
  'channel.*',
  'problem.*',
  'conformance.*',
  'roll.*',
  'decommission.*',
  'glass.*',
  'approval.*',
  'rollback.*',
  'wave.*',
  'soak.*',
  'inputs.*',
  'override.*',
  'notification.*',
  'cluster.failed',
  'cluster.halted',
  'cluster.stalled',
  'cluster.blocked',
  'cluster.written-back',
];

/** What is about a commit. */
const TOLD_TO_COMMITS = [
  'revision.*',
  'wave.*',
  'conformance.*',
  'soak.*',
  'approval.*',
  'promotion.*',
  'glass.broken',
];

/** Which events become deliveries. The same in every role: the outbox row is written with the event. */
export function notificationFilters(settings: Settings): readonly NotificationFilter[] {
  return [
    ...(settings.FAIRWAY_SLACK_WEBHOOK_URL === undefined
      ? []
      : [{ route: 'slack', types: TOLD_TO_SLACK, digest: true }]),
    ...(settings.FAIRWAY_SLACK_BOT_TOKEN === undefined
      ? []
      : [{ route: 'slack-bot', types: TOLD_TO_SLACK, digest: true }]),
    ...(settings.FAIRWAY_WEBHOOK_URL === undefined ? [] : [{ route: 'webhook' }]),
    ...(settings.FAIRWAY_GITHUB_STATUS_TOKEN === undefined
      ? []
      : [{ route: 'github-status', types: TOLD_TO_COMMITS }]),
    ...(settings.FAIRWAY_GITLAB_STATUS_TOKEN === undefined
      ? []
      : [{ route: 'gitlab-status', types: TOLD_TO_COMMITS }]),
  ];
}
