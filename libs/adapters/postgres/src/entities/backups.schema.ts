import type { Instant } from '#kernel';
import type { BackupProvider, BackupRecord } from '#fleet';
import type { SettledBackupRequest } from '#ports';
import { big, instant, json, key, optional, prose, table, word } from './columns.js';

export interface BackupScheduleRow {
  readonly clusterId: string;
  readonly providers: readonly BackupProvider[];
  readonly problem?: string;
  readonly nextDueAt: Instant;
}

export const BackupEntity = table<BackupRecord>('backups', {
  id: key(),
  clusterId: word(),
  provider: word(),
  state: word(),
  trigger: word(),
  actor: word(),
  updateId: optional(word()),
  commit: optional(word()),
  startedAt: instant(),
  finishedAt: optional(instant()),
  expiresAt: optional(instant()),
  location: word(),
  sizeBytes: optional(big()),
  sha256: optional(word()),
  revision: optional(word()),
  members: optional(json()),
  items: optional(big()),
  message: prose(),
  verifiedAt: optional(instant()),
  drill: optional(json()),
  exception: optional(json()),
});

export const BackupRequestEntity = table<SettledBackupRequest>('backup_requests', {
  id: key(),
  clusterId: word(),
  kind: word(),
  providers: json(),
  backupId: optional(word()),
  updateId: optional(word()),
  trigger: word(),
  actor: word(),
  reason: prose(),
  requestedAt: instant(),
  settledAt: optional(instant()),
  result: optional(prose()),
});

export const BackupScheduleEntity = table<BackupScheduleRow>('backup_schedules', {
  clusterId: key(),
  providers: json(),
  problem: optional(prose()),
  nextDueAt: instant(),
});
