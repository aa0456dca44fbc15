export { createGit, type ClosableGit } from './git.adapter.js';
export type { GitOptions } from './git-options.js';
export type { GitCredentials } from './git-environment.js';
export { readDirectoryTree, readRevisionTree } from './local-tree.js';
export { DEFAULT_TREE_LIMITS, type TreeLimits } from './tree-rules.js';
