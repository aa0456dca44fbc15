export { ensureBootstrapToken, newToken } from './auth/tokens.js';
export * from './start-api.js';
