export { createNotifier, type NotifierOptions } from './notifier.adapter.js';
export type { NotifyRoute } from './notify-route.js';
export { retryDelay } from './retry-schedule.js';
