import type { Settings } from '#platform';
import type { NotifyRoute } from '#adapters/notify';

/** Receivers by the settings. Slack hears what people must know; the generic webhook hears everything. */
export function notifyRoutes(settings: Settings): readonly NotifyRoute[] {
  const routes: NotifyRoute[] = [];
  if (settings.FAIRWAY_SLACK_WEBHOOK_URL !== undefined) {
    routes.push({ name: 'slack', kind: 'slack-webhook', url: settings.FAIRWAY_SLACK_WEBHOOK_URL });
  }
  if (settings.FAIRWAY_WEBHOOK_URL !== undefined) {
    const secrets = (settings.FAIRWAY_WEBHOOK_SECRET ?? '').split(',').filter((secret) => secret !== '');
    routes.push({ name: 'webhook', kind: 'standard-webhook', url: settings.FAIRWAY_WEBHOOK_URL, secrets });
  }
  return routes;
}
