export * from './boot.js';
export * from './logger.js';
export * from './metrics.js';
export * from './nest-logger.js';
export * from './notification-filters.js';
export * from './read-settings.js';
export { SETTINGS, type Settings } from './settings.schema.js';
export { settingsTable } from './settings-table.js';
