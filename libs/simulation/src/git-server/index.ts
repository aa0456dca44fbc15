export * from './git-server.js';
export type { GitFault, GitRequestRecord } from './git-request.js';
