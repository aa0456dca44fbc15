import type { Cluster, InfrastructureAccount } from '#fleet';
import { readBackupPolicy, type BackupPolicy, type PolicyReading } from '#upgrade';
import type { EnginePorts } from '../engine-ports.js';
import type { LeaseKeeper } from '../pass/lease-keeper.js';

/** What backups use of the outside. */
export type BackupPorts = Pick<
  EnginePorts,
  | 'registry'
  | 'updates'
  | 'channels'
  | 'decisions'
  | 'configs'
  | 'backups'
  | 'leases'
  | 'doorbell'
  | 'aws'
  | 'kubernetes'
  | 'etcd'
  | 'drill'
  | 'clock'
  | 'ids'
  | 'log'
>;

/** Facts that every part of one backup pass shares. */
export interface BackupFrame {
  readonly ports: BackupPorts;
  readonly lease: LeaseKeeper;
  readonly cluster: Cluster;
  readonly account: InfrastructureAccount;
  readonly policy: BackupPolicy;
}

/**
 * The cluster's backup policy from its effective configuration, so that defaults in Git count for the whole fleet; before
 * the first render only the record speaks.
 */
export async function backupPolicyOf(
  ports: Pick<EnginePorts, 'configs'>,
  cluster: Pick<Cluster, 'id' | 'configItems'>,
): Promise<PolicyReading> {
  const effective = await ports.configs.effectiveConfig(cluster.id);
  const known = (effective?.items ?? []).filter(({ sensitive }) => !sensitive);
  const items = Object.fromEntries(known.map(({ key, value }) => [key, value]));
  return readBackupPolicy({ ...cluster.configItems, ...items });
}
