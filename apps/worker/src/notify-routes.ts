import type { Settings } from '#platform';
import type { NotifyRoute } from '#adapters/notify';

/** Receivers by the settings. Slack hears what people must know; the generic webhook hears everything. */
export function notifyRoutes(settings: Settings): readonly NotifyRoute[] {
  const routes: NotifyRoute[] = [];
  if (settings.FAIRWAY_SLACK_WEBHOOK_URL !== undefined) {
    routes.push({ name: 'slack', kind: 'slack-webhook', url: settings.FAIRWAY_SLACK_WEBHOOK_URL });
  }
  if (settings.FAIRWAY_SLACK_BOT_TOKEN !== undefined) {
    routes.push({
      name: 'slack-bot',
      kind: 'slack-bot',
      url: settings.FAIRWAY_SLACK_API_URL,
      token: settings.FAIRWAY_SLACK_BOT_TOKEN,
      channels: settings.FAIRWAY_SLACK_CHANNEL,
    });
  }
  routes.push(...commitRoutes(settings));
  if (settings.FAIRWAY_WEBHOOK_URL !== undefined) {
    const secrets = (settings.FAIRWAY_WEBHOOK_SECRET ?? '').split(',').filter((secret) => secret !== '');
    routes.push({ name: 'webhook', kind: 'standard-webhook', url: settings.FAIRWAY_WEBHOOK_URL, secrets });
  }
  return routes;
}

function commitRoutes(settings: Settings): readonly NotifyRoute[] {
  const link = settings.FAIRWAY_WEB_URL === undefined ? {} : { targetUrl: settings.FAIRWAY_WEB_URL };
  const github = settings.FAIRWAY_GITHUB_STATUS_TOKEN;
  const gitlab = settings.FAIRWAY_GITLAB_STATUS_TOKEN;
  const routes: NotifyRoute[] = [];
  if (github !== undefined) {
    const repository = settings.FAIRWAY_GITHUB_REPOSITORY ?? '';
    const kind = 'github-status';
    routes.push({
      name: kind,
      kind,
      url: settings.FAIRWAY_GITHUB_API_URL,
      repository,
      token: github,
      ...link,
    });
  }
  if (gitlab !== undefined) {
    const repository = settings.FAIRWAY_GITLAB_PROJECT ?? '';
    const kind = 'gitlab-status';
    routes.push({
      name: kind,
      kind,
      url: settings.FAIRWAY_GITLAB_API_URL,
      repository,
      token: gitlab,
      ...link,
    });
  }
  return routes;
}
