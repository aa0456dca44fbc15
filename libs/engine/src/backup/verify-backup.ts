import { toFailure, toIso } from '#kernel';
import type { BackupRecord } from '#fleet';
import type { RestoredEtcd } from '#ports';
import { backupEvent } from './backup-events.js';
import type { BackupFrame } from './backup-ports.js';
import { isStored, readBack, type Expectation } from './read-back.js';
import { veleroFault } from './run-velero.js';
import { snapshotBroken } from './snapshot-broken.js';

/**
 * Reads a stored backup to its end, and with `drill` restores it into a scratch etcd. One that is found damaged is no
 * evidence any more. Returns what was found, for whoever asked.
 */
export async function verifyBackup(
  frame: BackupFrame,
  backup: BackupRecord,
  drill: boolean,
): Promise<string> {
  const { ports, account, cluster } = frame;
  const obstacle = await obstacleOf(frame, backup, drill);
  if (obstacle !== undefined) return `not verified: ${obstacle}`;
  if (!isStored(backup)) return verifyVelero(frame, backup);
  const aws = await ports.aws.connect(account.externalId, cluster.region);
  let restored: RestoredEtcd | undefined;
  try {
    const restore = async (body: AsyncIterable<Uint8Array>): Promise<void> => {
      restored = await ports.drill?.restore(body);
    };
    await readBack(aws, expectationOf(frame, backup), drill ? restore : undefined);
    if (drill) sameAsRecorded(backup, restored);
  } catch (thrown) {
    const { class: kind, code, message } = toFailure(thrown);
    if (kind !== 'terminal' && code !== 'object-missing') throw thrown;
    return isDamaged(frame, backup, message);
  }
  const now = ports.clock.now();
  const proof = restored && { at: now, revision: restored.revision, keys: restored.keys };
  const what = restored ? `restored: revision ${restored.revision}, ${restored.keys} keys` : 'read back';
  await isIntact(frame, { ...backup, verifiedAt: now, ...(proof && { drill: proof }) }, what);
  return `intact (${what}, ${toIso(now)})`;
}

/** Velero's own bytes are not for us to read: that it still has the backup, complete and in a storage that answers, is. */
async function verifyVelero(frame: BackupFrame, backup: BackupRecord): Promise<string> {
  const fault = await veleroFault(frame, backup);
  if (fault !== undefined) return isDamaged(frame, backup, fault);
  const now = frame.ports.clock.now();
  await isIntact(frame, { ...backup, verifiedAt: now }, 'Velero has it');
  return `intact (Velero has it, Completed, ${toIso(now)})`;
}

async function isDamaged(frame: BackupFrame, backup: BackupRecord, message: string): Promise<string> {
  const damaged: BackupRecord = { ...backup, state: 'damaged', message };
  await frame.ports.backups.saveBackup(await frame.lease.current(), damaged, [
    backupEvent(frame, 'backup.damaged', damaged, message),
  ]);
  return `damaged: ${message}`;
}

/** One that was found damaged and is whole after all counts again: its bytes are those that were stored. */
async function isIntact(frame: BackupFrame, verified: BackupRecord, what: string): Promise<void> {
  const { ports, lease } = frame;
  const again = verified.state === 'damaged';
  const message = again ? `intact again (${what})` : verified.message;
  const intact: BackupRecord = { ...verified, state: 'good', message };
  const news = again ? [backupEvent(frame, 'backup.resolved', intact, `${intact.id} is ${message}`)] : [];
  await ports.backups.saveBackup(await lease.current(), intact, news);
}

async function obstacleOf(
  { ports }: BackupFrame,
  backup: BackupRecord,
  drill: boolean,
): Promise<string | undefined> {
  if (backup.state !== 'good' && backup.state !== 'damaged') return `it is ${backup.state}`;
  if (!drill) return undefined;
  if (backup.provider !== 'etcd') return 'only etcd snapshots can be restored into a scratch member';
  return ports.drill ? ports.drill.unavailable() : 'this worker cannot restore';
}

function expectationOf({ policy }: BackupFrame, backup: BackupRecord): Expectation {
  const { sizeBytes = 0, sha256 = '', items, provider, location } = backup;
  const open = provider === 'resources' && location.endsWith('.yaml.gz');
  const base = { provider, location, sizeBytes, sha256 };
  return open && items !== undefined && policy.resources.secrets === 'exclude'
    ? { ...base, documents: items }
    : base;
}

function sameAsRecorded(backup: BackupRecord, restored: RestoredEtcd | undefined): void {
  if (!restored) throw snapshotBroken('the restore drill gave no answer');
  // What the source said without a restore may be a little older than the snapshot.
  if (!backup.drill) return;
  const { revision, keys } = backup.drill;
  if (restored.revision === revision && restored.keys === keys) return;
  throw snapshotBroken(
    `it was restored with revision ${restored.revision} and ${restored.keys} keys, before with ${revision} and ${keys}`,
  );
}
