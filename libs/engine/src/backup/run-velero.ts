import { FailureError, toFailure, type Failure, type Instant } from '#kernel';
import type { BackupRecord, KubernetesObject, ObjectRef } from '#fleet';
import { judgeVelero, veleroTtl, type VeleroVerdict } from '#upgrade';
import { backupEvent } from './backup-events.js';
import type { BackupFrame } from './backup-ports.js';
import { neededTime } from './needed-time.js';

const API = 'velero.io/v1';

export const veleroLocation = (namespace: string, id: string): string => `velero:${namespace}/fairway-${id}`;

function refOf({ location }: BackupRecord): ObjectRef {
  const [, namespace = '', name = ''] = /^velero:([^/]+)\/(.+)$/.exec(location) ?? [];
  return { apiVersion: API, kind: 'Backup', namespace, name };
}

/** Asks Velero for a backup. Its name is the record's, so that a process that dies after asking finds it again. */
export async function startVelero(frame: BackupFrame, intended: BackupRecord): Promise<BackupRecord> {
  const { ports, lease } = frame;
  await ports.backups.recordBackup(await lease.current(), intended);
  return followVelero(frame, intended);
}

/** Looks at a backup that Velero makes; creates the object where the process died before it did. */
export async function followVelero(frame: BackupFrame, backup: BackupRecord): Promise<BackupRecord> {
  const { ports, cluster, policy } = frame;
  try {
    const kubernetes = await ports.kubernetes.connect(cluster);
    const needed = await neededTime(ports, cluster, policy);
    const ref = refOf(backup);
    let object = await kubernetes.get(ref);
    if (!object) {
      const wish = veleroTtl(policy.velero.ttl, needed);
      if ('problem' in wish)
        return await lose(frame, backup, { class: 'invalid', code: 'velero-ttl', message: wish.problem });
      await frame.lease.current();
      object = await kubernetes.create(wanted(frame, backup, ref, wish.ttl));
    }
    const storage = await kubernetes.get(storageOf(policy));
    const now = ports.clock.now();
    const verdict = judgeVelero({ ...factsOf(object, storage), ...timesOf(frame, backup, now, needed) });
    return await settle(frame, backup, verdict, expiryOf(object));
  } catch (thrown) {
    const failure = toFailure(thrown);
    const away =
      failure.class === 'transient' || failure.class === 'throttled' || failure.class === 'conflict';
    const late = ports.clock.now() - backup.startedAt > policy.velero.timeLimit;
    if (failure.code === 'lease-lost') throw thrown;
    if (away && !late) return { ...backup, message: failure.message };
    return lose(frame, backup, failure);
  }
}

const storageOf = ({ velero }: BackupFrame['policy']): ObjectRef => ({
  apiVersion: API,
  kind: 'BackupStorageLocation',
  namespace: velero.namespace,
  name: velero.location,
});

/** Why a backup that was good is none any more; undefined: Velero still has it. Rejects where its storage does not answer. */
export async function veleroFault(frame: BackupFrame, backup: BackupRecord): Promise<string | undefined> {
  const { ports, cluster, policy } = frame;
  const kubernetes = await ports.kubernetes.connect(cluster);
  const object = await kubernetes.get(refOf(backup));
  if (!object) return `${backup.location} is not there any more: Velero or somebody deleted it`;
  const facts = factsOf(object, await kubernetes.get(storageOf(policy)));
  if (facts.locationPhase !== 'Available') {
    const message = `storage location ${policy.velero.location} is ${facts.locationPhase ?? 'missing'}`;
    throw new FailureError({ class: 'transient', code: 'velero-storage', message });
  }
  const verdict = judgeVelero({ ...facts, ...timesOf(frame, backup, ports.clock.now(), 0) });
  return verdict.kind === 'good' ? undefined : verdict.message;
}

const timesOf = (
  { policy }: BackupFrame,
  { startedAt }: BackupRecord,
  now: Instant,
  needed: number,
): { startedAt: Instant; now: Instant; timeLimit: number; neededUntil: Instant; location: string } => ({
  startedAt,
  now,
  timeLimit: policy.velero.timeLimit,
  neededUntil: now + needed,
  location: policy.velero.location,
});

function wanted(
  { policy, cluster }: BackupFrame,
  backup: BackupRecord,
  ref: ObjectRef,
  ttl: number,
): KubernetesObject {
  return {
    apiVersion: ref.apiVersion,
    kind: ref.kind,
    metadata: {
      name: ref.name,
      ...(ref.namespace !== undefined && { namespace: ref.namespace }),
      labels: { 'app.kubernetes.io/managed-by': 'fairway', 'fairway.dev/backup': backup.id },
      annotations: { 'fairway.dev/cluster': cluster.id },
    },
    spec: {
      storageLocation: policy.velero.location,
      includedNamespaces: policy.velero.namespaces,
      ttl: `${Math.ceil(ttl / 3_600_000)}h0m0s`,
    },
  };
}

async function settle(
  frame: BackupFrame,
  backup: BackupRecord,
  verdict: VeleroVerdict,
  expiresAt: Instant | undefined,
): Promise<BackupRecord> {
  const { ports, lease } = frame;
  if (verdict.kind === 'bad')
    return lose(frame, backup, { class: 'terminal', code: verdict.code, message: verdict.message });
  if (verdict.kind === 'pending') {
    const next = { ...backup, message: verdict.message };
    if (next.message !== backup.message) await ports.backups.saveBackup(await lease.current(), next, []);
    return next;
  }
  const now = ports.clock.now();
  const ended: BackupRecord = {
    ...backup,
    state: verdict.kind,
    items: verdict.items,
    message: verdict.message,
    finishedAt: now,
    ...(expiresAt !== undefined && { expiresAt }),
    ...(verdict.kind === 'good' && { verifiedAt: now }),
  };
  const events =
    verdict.kind === 'good'
      ? [
          backupEvent(frame, 'backup.completed', ended, ended.message),
          backupEvent(frame, 'backup.resolved', ended, 'backups are good again'),
        ]
      : [backupEvent(frame, 'backup.failed', ended, ended.message)];
  await ports.backups.saveBackup(await lease.current(), ended, events);
  return ended;
}

async function lose(frame: BackupFrame, backup: BackupRecord, failure: Failure): Promise<BackupRecord> {
  const { ports, lease } = frame;
  const lost: BackupRecord = {
    ...backup,
    state: 'failed',
    message: failure.message,
    finishedAt: ports.clock.now(),
  };
  await ports.backups.saveBackup(await lease.current(), lost, [
    backupEvent(frame, 'backup.failed', lost, `${failure.code}: ${failure.message}`),
  ]);
  return lost;
}

type Fields = Readonly<Record<string, unknown>>;

const fieldsOf = (value: unknown): Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {};

const text = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value : undefined;
const number = (value: unknown): number | undefined => (typeof value === 'number' ? value : undefined);

function expiryOf(object: KubernetesObject): Instant | undefined {
  const expiration = text(fieldsOf(object['status'])['expiration']);
  const parsed = expiration === undefined ? Number.NaN : Date.parse(expiration);
  return Number.isNaN(parsed) ? undefined : parsed;
}

/** What Velero wrote, by others' hands: nothing is taken for granted. */
function factsOf(object: KubernetesObject, storage: KubernetesObject | undefined) {
  const status = fieldsOf(object['status']);
  const progress = fieldsOf(status['progress']);
  const errors = status['validationErrors'];
  const optional = {
    phase: text(status['phase']),
    itemsBackedUp: number(progress['itemsBackedUp']),
    totalItems: number(progress['totalItems']),
    errors: number(status['errors']),
    failureReason: text(status['failureReason']),
    expiresAt: expiryOf(object),
    locationPhase: storage && (text(fieldsOf(storage['status'])['phase']) ?? 'Unknown'),
  };
  const known = Object.entries(optional).filter(([, value]) => value !== undefined);
  return {
    ...(Object.fromEntries(known) as { [K in keyof typeof optional]?: NonNullable<(typeof optional)[K]> }),
    validationErrors: Array.isArray(errors) ? errors.map(String) : [],
  };
}
