export { createGit, type ClosableGit, type GitOptions } from './git.adapter.js';
export type { GitCredentials } from './git-environment.js';
export { readDirectoryTree, readRevisionTree } from './local-tree.js';
export { DEFAULT_TREE_LIMITS, type TreeLimits } from './tree-rules.js';
