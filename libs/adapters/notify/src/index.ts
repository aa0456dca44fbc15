export { createNotifier, type NotifierOptions } from './notifier.adapter.js';
export type { CommitStatusRoute, NotifyRoute, SlackBotRoute } from './notify-route.js';
export { retryDelay } from './retry-schedule.js';
