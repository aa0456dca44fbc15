import type { Digest } from '#kernel';

/**
 * The files of one commit that Fairway reads: `cluster/`, `clusters/` and `fairway.yaml`, with symbolic links inside
 * `cluster/` already resolved. Made by the Git adapter, or from a directory by the command line.
 */
export interface ConfigTree {
  readonly commit: string;
  /** Digest of the `cluster/` tree only: the identity that evidence is bound to. */
  readonly treeDigest: Digest;
  /** Path from the repository's root (`cluster/cluster.yaml`) to UTF-8 text. */
  readonly files: ReadonlyMap<string, string>;
}
