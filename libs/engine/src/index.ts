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
export { observeForDoctor, type DoctorSources } from './doctor/observe.js';
export { runInspection, type InspectionPorts } from './doctor/run-inspection.js';
export { backupPolicyOf } from './backup/backup-ports.js';
export { BackupSlots, reconcileBackups } from './backup/reconcile-backups.js';
export * from './engine-ports.js';
export {
  createClusterReconciler,
  type ClusterReconciler,
  type ReconcileResult,
} from './reconcile-cluster.js';
export { createRenderService, type RenderServiceOptions } from './render/render-service.js';
export { ThreadRenderer } from './render/thread-renderer.js';
export { DECOMMISSION_CONFIRMATION_ITEM } from './steps/decommission.step.js';
export { etcdStep } from './steps/etcd.step.js';
export { IntentLog } from './pass/intent-log.js';
export { LeaseKeeper } from './pass/lease-keeper.js';
export { PassMemory } from './pass/pass-memory.js';
export type { Pass, PassReport } from './pass/pass.js';
