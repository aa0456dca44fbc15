export { classify } from './classify.js';
export { classifyEviction } from './eviction.js';
export { DEFAULT_LIMITS, type TransportLimits } from './api-transport.js';
export {
  directoryCredentials,
  type ClusterCredential,
  type ConnectCluster,
  type EksTokenSource,
  type TokenSource,
} from './credentials.js';
export {
  createKubernetesAccess,
  DEFAULT_CREDENTIALS_DIRECTORY,
  type KubernetesAccessOptions,
} from './kubernetes-access.js';
export type { WatchTrouble } from './watch-hub.js';
export type { RequestContext } from './request-context.js';
