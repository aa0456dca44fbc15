import type { Duration } from '#kernel';
import type { GitCredentials } from './git-environment.js';
import type { TreeLimits } from './tree-rules.js';

export interface GitOptions {
  /** Directory of the bare mirrors; made if missing. May be lost at any time: it is filled again. */
  readonly mirrorsDir: string;
  /** Longest time that one Git process may take. */
  readonly fetchTimeout?: Duration;
  readonly limits?: Partial<TreeLimits>;
  /** Bytes of file contents kept in memory over all repositories. */
  readonly cacheBytes?: number;
  /** Accept `file://` repositories: for laptops and tests. */
  readonly allowFileUrls?: boolean;
  /** Asked before every talk with a remote, so that rotated secrets are picked up. */
  credentialsFor?(url: string): Promise<GitCredentials | undefined> | GitCredentials | undefined;
}
