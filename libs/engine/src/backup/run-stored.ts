import { FailureError, formatDuration, toFailure, type Failure } from '#kernel';
import type { BackupDrill, BackupMember, BackupRecord } from '#fleet';
import type { AwsPort, EtcdPort, RestoredEtcd, StoredUpload } from '#ports';
import { backupEvent } from './backup-events.js';
import type { BackupFrame } from './backup-ports.js';
import { agrees, openEtcd, openSnapshot, type EtcdSource } from './etcd-source.js';
import { exportResources } from './export-resources.js';
import { placeOf, readBack, SnapshotCheck, type Expectation } from './read-back.js';
import { snapshotBroken } from './snapshot-broken.js';

/** What is known of a backup once it lies in S3 and was read back. */
type Facts = Pick<BackupRecord, 'items' | 'revision' | 'drill' | 'members' | 'message'>;

/**
 * Makes a backup that lies in S3. The record is there before the first write and becomes evidence after the stored bytes
 * were read back; a process that dies in between leaves a record that the next pass cleans up after.
 */
export async function runStored(frame: BackupFrame, intended: BackupRecord): Promise<BackupRecord> {
  const { ports, lease } = frame;
  await ports.backups.recordBackup(await lease.current(), intended);
  let made: Stored;
  try {
    const aws = await ports.aws.connect(frame.account.externalId, frame.cluster.region);
    made = await (intended.provider === 'etcd' ? storeEtcd : storeResources)(frame, aws, intended);
  } catch (thrown) {
    return discard(frame, intended, toFailure(thrown));
  }
  // From here on it is true. What this may reject with is no reason to take the object away: the record may be written.
  const now = ports.clock.now();
  const { sizeBytes, sha256 } = made.stored;
  const done = { state: 'good', sizeBytes, sha256, finishedAt: now, verifiedAt: now } as const;
  const good: BackupRecord = { ...intended, ...done, ...made.facts };
  await ports.backups.saveBackup(await lease.current(), good, [
    backupEvent(
      frame,
      'backup.completed',
      good,
      `${good.message}, in ${formatDuration(now - good.startedAt)}`,
    ),
    backupEvent(frame, 'backup.resolved', good, 'backups are good again'),
  ]);
  return good;
}

/**
 * Takes away what a failed or interrupted run may have left. Where that is not possible now the record stays `running`,
 * so that the next pass tries again.
 */
export async function discard(
  frame: BackupFrame,
  backup: BackupRecord,
  { code, message, class: kind }: Failure,
): Promise<BackupRecord> {
  const { ports, lease, account, cluster } = frame;
  if (kind === 'bug')
    ports.log.error('backup threw an unclassified error', { clusterId: cluster.id, reason: message });
  const token = await lease.current();
  let left = '';
  try {
    const aws = await ports.aws.connect(account.externalId, cluster.region);
    const { bucket, key } = placeOf(backup.location);
    await aws.abortUploads(bucket, key);
    await aws.deleteObject(bucket, key);
  } catch (thrown) {
    const failure = toFailure(thrown);
    ports.log.warn('what a failed backup left could not be removed yet', {
      clusterId: cluster.id,
      backup: backup.id,
      code: failure.code,
      reason: failure.message,
    });
    if (failure.class === 'transient' || failure.class === 'throttled') return { ...backup, message };
    left = `; what was written could not be taken away: ${failure.message}`;
  }
  const now = ports.clock.now();
  const lost: BackupRecord = { ...backup, state: 'failed', message: `${message}${left}`, finishedAt: now };
  await ports.backups.saveBackup(token, lost, [
    backupEvent(frame, 'backup.failed', lost, `${code}: ${lost.message}`),
  ]);
  return lost;
}

interface Stored {
  readonly stored: StoredUpload;
  readonly facts: Facts;
}

async function storeEtcd(frame: BackupFrame, aws: AwsPort, intended: BackupRecord): Promise<Stored> {
  const etcd = await openEtcd(frame);
  const source = await openSnapshot(etcd);
  const stored = await aws.upload(uploadOf(frame, intended, sealed(source.body)));
  const expected = { ...intended, ...stored };
  const members = await membersOf(etcd);
  const obstacle = await drillObstacle(frame);
  if (obstacle !== undefined) {
    await readBack(aws, expected);
    return { stored, facts: { ...(await undrilled(source, obstacle)), members } };
  }
  const restored = await tryRestore(frame, aws, expected);
  if (restored instanceof FailureError) {
    // The machine of the drill was in its way. A snapshot that is intact is worth more than none.
    await readBack(aws, expected);
    return { stored, facts: { ...(await undrilled(source, restored.failure.message)), members } };
  }
  await agrees(source, restored);
  return { stored, facts: { ...factsOf(restored, frame.ports.clock.now()), members } };
}

/** Rejects with what speaks against the snapshot; resolves to the failure of a drill that says nothing about it. */
async function tryRestore(
  { ports }: BackupFrame,
  aws: AwsPort,
  expected: Expectation,
): Promise<RestoredEtcd | FailureError> {
  let restored: RestoredEtcd | undefined;
  try {
    await readBack(aws, expected, async (body) => {
      restored = await ports.drill?.restore(body);
    });
  } catch (thrown) {
    if (thrown instanceof FailureError && thrown.failure.code === 'drill-failed') return thrown;
    throw thrown;
  }
  if (!restored) throw snapshotBroken('the restore drill gave no answer');
  return restored;
}

async function membersOf(etcd: EtcdPort): Promise<readonly BackupMember[]> {
  const { members } = await etcd.members();
  return members.map(({ name, peerUrls }) => ({ name, peerUrl: peerUrls[0] ?? '' }));
}

function factsOf({ revision, keys }: RestoredEtcd, at: number): Facts & { readonly drill: BackupDrill } {
  return {
    revision,
    items: keys,
    drill: { at, revision, keys },
    message: `revision ${revision}, ${keys} keys, restored and compared`,
  };
}

/** Why no restore drill is made with this backup; undefined: it is made. */
async function drillObstacle({ ports, policy, cluster }: BackupFrame): Promise<string | undefined> {
  const { drillEvery } = policy;
  if (!ports.drill) return 'this worker cannot restore';
  if (drillEvery === undefined) return 'restore drills are off';
  const last = (await ports.backups.backupStandings([cluster.id])).get(cluster.id)?.drilledAt;
  if (drillEvery > 0 && last !== undefined && ports.clock.now() - last < drillEvery)
    return `the last restore drill is less than ${formatDuration(drillEvery)} old`;
  return ports.drill.unavailable();
}

/** Without a restore the source's word is all there is; it is exact where etcd stood still meanwhile. */
async function undrilled({ etcd, endpoint, before }: EtcdSource, obstacle: string): Promise<Facts> {
  const after = await etcd.countKeys({ endpoint });
  const still = before.revision === after.revision;
  const revision = still ? before.revision : `${before.revision} or later`;
  return {
    revision: before.revision,
    items: before.keys,
    message: `revision ${revision}, ${before.keys} keys as etcd said; not restored: ${obstacle}`,
  };
}

async function storeResources(frame: BackupFrame, aws: AwsPort, intended: BackupRecord): Promise<Stored> {
  const kubernetes = await frame.ports.kubernetes.connect(frame.cluster);
  const { body, count } = await exportResources(kubernetes, aws, frame.policy);
  const stored = await aws.upload(uploadOf(frame, intended, body));
  const open = frame.policy.resources.secrets === 'exclude';
  await readBack(aws, { ...intended, ...stored, ...(open && { documents: count.objects }) });
  return { stored, facts: { items: count.objects, message: `${count.objects} objects` } };
}

function uploadOf(
  { lease, policy, cluster }: BackupFrame,
  { id, location, provider, startedAt }: BackupRecord,
  body: AsyncIterable<Uint8Array>,
): Parameters<AwsPort['upload']>[0] {
  return {
    ...placeOf(location),
    body,
    metadata: { backup: id, cluster: cluster.id, provider, taken: new Date(startedAt).toISOString() },
    ...(policy.kmsKey !== undefined && { kmsKey: policy.kmsKey }),
    // A worker that was asleep must not go on writing when another one has taken over.
    beforeWrite: async () => void (await lease.current()),
  };
}

/** Ends with an error, before the upload is completed, unless the bytes are a whole snapshot. */
async function* sealed(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const check = new SnapshotCheck();
  for await (const chunk of body) {
    check.update(chunk);
    yield chunk;
  }
  if (!check.finish().sealed) throw snapshotBroken('the SHA-256 at its end is missing or wrong');
}
