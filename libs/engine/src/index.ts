export * from './backoff.js';
export * from './channels/reconcile-channel.js';
export * from './channels/reconcile-repository.js';
export { PolicyReader } from './channels/policy-reader.js';
export { viewChannel, type ChannelView } from './channels/channel-view.js';
export { gatesFor } from './channels/arrival.js';
export * from './engine-ports.js';
export {
  createClusterReconciler,
  type ClusterReconciler,
  type ReconcileResult,
} from './reconcile-cluster.js';
export { createRenderService } from './render/render-service.js';
export { DECOMMISSION_CONFIRMATION_ITEM } from './steps/decommission.step.js';
