import type { ConfigTree } from '#fleet';
import { digestOfValue } from '#kernel';

/**
 * Identity of everything in a commit that a cluster's desired state can come from: the `cluster/` tree and the cluster's
 * own file. Equal for two commits, the second changes nothing for the cluster.
 */
export const contentDigest = (treeDigest: string, ownFile: string | undefined): string =>
  digestOfValue([treeDigest, ownFile ?? null]);

/** The same, of a tree that was read. Source of the path: design, config.md, "Layout". */
export const contentOf = (tree: ConfigTree, alias: string): string =>
  contentDigest(tree.treeDigest, tree.files.get(`clusters/${alias}.yaml`));
