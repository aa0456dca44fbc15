import { toFailure } from '#kernel';
import type { BackupRecord } from '#fleet';
import { expiredBackups } from '#upgrade';
import { backupEvent } from './backup-events.js';
import type { BackupFrame } from './backup-ports.js';
import { neededTime, unsoakedOf } from './needed-time.js';
import { isStored, placeOf } from './read-back.js';

/** Per pass: a fleet that shortens its retention must not keep a worker for minutes. */
const AT_ONCE = 50;

/** Deletes what nothing asks to keep of those that are not gone yet; what Velero's TTL deleted is only noted. */
export async function applyRetention(frame: BackupFrame, backups: readonly BackupRecord[]): Promise<void> {
  const { ports, lease, cluster, account, policy } = frame;
  const now = ports.clock.now();
  const gone = backups.filter(
    ({ state, expiresAt }) => state !== 'deleting' && expiresAt !== undefined && expiresAt <= now,
  );
  for (const backup of gone) await expire(frame, backup, 'its TTL is over');
  const needed = await neededTime(ports, cluster, policy);
  const unsoaked = await unsoakedOf(ports, cluster, needed, now);
  const expired = expiredBackups({
    backups: backups.filter((backup) => isStored(backup)),
    tiers: policy.retention,
    now,
    ...(unsoaked !== undefined && { unsoakedSince: unsoaked }),
  });
  // Those that an earlier pass could not finish come first.
  const leaving = [...backups.filter(({ state }) => state === 'deleting'), ...expired.slice(0, AT_ONCE)];
  if (leaving.length === 0) return;
  const aws = await ports.aws.connect(account.externalId, cluster.region);
  for (const backup of leaving) {
    const { bucket, key } = placeOf(backup.location);
    // No evidence before it is gone: a process that dies in between must not leave a record that promises it.
    const doomed: BackupRecord = { ...backup, state: 'deleting' };
    await ports.backups.saveBackup(await lease.current(), doomed, []);
    try {
      await aws.deleteObject(bucket, key);
    } catch (thrown) {
      const failure = toFailure(thrown);
      if (failure.code === 'lease-lost') throw thrown;
      ports.log.warn('an expired backup could not be deleted yet', {
        clusterId: cluster.id,
        backup: backup.id,
        code: failure.code,
        reason: failure.message,
      });
      return;
    }
    await expire(frame, backup, 'its retention is over');
  }
}

async function expire(frame: BackupFrame, backup: BackupRecord, why: string): Promise<void> {
  const expired: BackupRecord = {
    ...backup,
    state: 'expired',
    message: `${backup.message}; deleted: ${why}`,
  };
  await frame.ports.backups.saveBackup(await frame.lease.current(), expired, [
    backupEvent(frame, 'backup.deleted', expired, why),
  ]);
}
