export * from './backoff.js';
export * from './channels/reconcile-channel.js';
export * from './channels/reconcile-repository.js';
export {
  channelPolicyOf,
  PolicyReader,
  StoredPolicies,
  type PolicySource,
} from './channels/policy-reader.js';
export { viewChannel, type ChannelView } from './channels/channel-view.js';
export { gatesFor, nextGates, type GatePorts, type NextGate } from './channels/gates.js';
export { sweepConformance } from './channels/conformance-cleanup.js';
export * from './engine-ports.js';
export {
  createClusterReconciler,
  type ClusterReconciler,
  type ReconcileResult,
} from './reconcile-cluster.js';
export { createRenderService, type RenderServiceOptions } from './render/render-service.js';
export { DECOMMISSION_CONFIRMATION_ITEM } from './steps/decommission.step.js';
