export { judgeFreshness, type FreshnessVerdict } from './backup-freshness.js';
export { irreversibleDeeds } from './backup-need.js';
export { readBackupPolicy, type BackupPolicy, type PolicyReading } from './backup-policy.js';
export { restorePlan, type RestorePlan } from './backup-restore-plan.js';
export { expiredBackups, unsoakedSince } from './backup-retention.js';
export { backupSchedule, failuresInARow, isUsable, retryDelay } from './backup-schedule.js';
export { judgeVelero, veleroTtl, type VeleroVerdict } from './backup-velero.js';
export { controlPlaneGate } from './control-plane-gate.js';
export { examine } from './doctor/examine.js';
export {
  none,
  read,
  unknown,
  type AggregatedApiView,
  type BackupView,
  type CertificateView,
  type ComponentView,
  type DoctorObservation,
  type EtcdMemberView,
  type EtcdView,
  type Reading,
  type TerminatingNamespace,
  type WebhookView,
  type WorkloadView,
} from './doctor/observation.js';
export { gateReasons as etcdGateReasons, judgeReplacement } from './etcd-gate.js';
export { planEtcd } from './etcd-plan.js';
export { projectionInWords, projectQuorum, quorumOf } from './etcd-quorum.js';
export {
  EMPTY_ETCD_MEMORY,
  memberWord,
  type EtcdAction,
  type EtcdGroup,
  type EtcdMachine,
  type EtcdMemory,
  type EtcdPolicy,
  type EtcdScope,
  type EtcdScopeMember,
  type EtcdWay,
} from './etcd-scope.js';
export { masterOutage, OUTAGE_GRANT_ITEM, type MasterOutage } from './master-outage.js';
export { orderMasters } from './masters.js';
export { checkSkew } from './skew.js';
export type * from './types.js';
export { upgradePath } from './upgrade-path.js';
export { planUpgrade, upgradeTarget, type UpgradeWish } from './upgrade-plan.js';
export { compareVersions, kubeletTolerance, minorOf, parseVersion } from './version.js';
