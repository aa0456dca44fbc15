import { toIso, type Instant } from '#kernel';
import type { BackupRecord } from '#fleet';

const iso = (at: Instant | undefined): string | undefined => (at === undefined ? undefined : toIso(at));

export const encodeBackup = (backup: BackupRecord) => ({
  id: backup.id,
  provider: backup.provider,
  state: backup.state,
  trigger: backup.trigger,
  actor: backup.actor,
  update_id: backup.updateId,
  commit: backup.commit,
  started_at: toIso(backup.startedAt),
  finished_at: iso(backup.finishedAt),
  expires_at: iso(backup.expiresAt),
  location: backup.location,
  size_bytes: backup.sizeBytes,
  sha256: backup.sha256,
  revision: backup.revision,
  items: backup.items,
  members: backup.members,
  message: backup.message,
  verified_at: iso(backup.verifiedAt),
  drill: backup.drill && { ...backup.drill, at: toIso(backup.drill.at) },
  exception: backup.exception && { ...backup.exception, at: toIso(backup.exception.at) },
});
