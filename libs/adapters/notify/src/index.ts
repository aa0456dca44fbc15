export { createNotifier, type NotifierOptions } from './notifier.adapter.js';
export type { CommitStatusRoute, NotifyRoute, SlackBotRoute } from './notify-route.js';
export { createHealthProber, type HealthProberOptions } from './health-prober.adapter.js';
