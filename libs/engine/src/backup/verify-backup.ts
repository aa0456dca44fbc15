import { toFailure, toIso } from '#kernel';
import type { BackupRecord } from '#fleet';
import type { RestoredEtcd } from '#ports';
import { backupEvent } from './backup-events.js';
import type { BackupFrame } from './backup-ports.js';
import { isStored, readBack, type Expectation } from './read-back.js';
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
  const { ports, lease, account, cluster } = frame;
  const obstacle = await obstacleOf(frame, backup, drill);
  if (obstacle !== undefined) return `not verified: ${obstacle}`;
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
    const damaged: BackupRecord = { ...backup, state: 'damaged', message };
    await ports.backups.saveBackup(await lease.current(), damaged, [
      backupEvent(frame, 'backup.damaged', damaged, message),
    ]);
    return `damaged: ${message}`;
  }
  const now = ports.clock.now();
  const proof = restored && { at: now, revision: restored.revision, keys: restored.keys };
  const verified: BackupRecord = { ...backup, verifiedAt: now, ...(proof && { drill: proof }) };
  await ports.backups.saveBackup(await lease.current(), verified, []);
  const what = restored ? `restored: revision ${restored.revision}, ${restored.keys} keys` : 'read back';
  return `intact (${what}, ${toIso(now)})`;
}

async function obstacleOf(
  { ports }: BackupFrame,
  backup: BackupRecord,
  drill: boolean,
): Promise<string | undefined> {
  if (backup.state !== 'good' && backup.state !== 'damaged') return `it is ${backup.state}`;
  if (!isStored(backup)) return 'Velero keeps it; velero backup describe tells more';
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
