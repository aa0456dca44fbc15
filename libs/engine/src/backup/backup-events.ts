import type { BackupRecord, FleetEvent, Severity } from '#fleet';
import type { BackupFrame } from './backup-ports.js';

/** What happened to a backup, for people. A provider's trouble is told once, and again when it is over. */
export function backupEvent(
  { cluster, ports }: Pick<BackupFrame, 'cluster' | 'ports'>,
  type: 'backup.completed' | 'backup.failed' | 'backup.damaged' | 'backup.resolved' | 'backup.deleted',
  backup: BackupRecord,
  message: string,
): FleetEvent {
  const dedupeKey = `backup|${backup.provider}`;
  return {
    type,
    at: ports.clock.now(),
    severity: SEVERITY[type],
    subject: `cluster/${cluster.id}`,
    channel: cluster.channel,
    clusterId: cluster.id,
    message: `${backup.provider} backup of ${cluster.alias}: ${message}`,
    data: { backup: backup.id, provider: backup.provider, location: backup.location, state: backup.state },
    ...(DEDUPED.has(type) && { dedupeKey }),
  };
}

const SEVERITY = {
  'backup.completed': 'info',
  'backup.failed': 'warning',
  'backup.damaged': 'critical',
  'backup.resolved': 'info',
  'backup.deleted': 'info',
} as const satisfies Readonly<Record<string, Severity>>;

const DEDUPED = new Set(['backup.failed', 'backup.resolved']);
