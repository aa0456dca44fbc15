import type { GitCredentials } from './git-environment.js';
import type { Mirror } from './mirror.js';

/** One repository: where its mirror is, and how to talk to its host. */
export interface Remote {
  readonly mirror: Mirror;
  /** Safe to show. */
  readonly name: string;
  readonly credentials: () => Promise<GitCredentials | undefined>;
  /** Of the last time that credentials were asked for. */
  secrets: readonly string[];
}
