import { hours, minutes, seconds, toFailure, type Duration, type Instant } from '#kernel';
import type { BackupProvider, BackupRecord, BackupRequest, Cluster } from '#fleet';
import { backupSchedule } from '#upgrade';
import type { EngineSettings } from '../engine-ports.js';
import { LeaseKeeper } from '../pass/lease-keeper.js';
import { applyRetention } from './apply-retention.js';
import { backupPolicyOf, type BackupFrame, type BackupPorts } from './backup-ports.js';
import { discard, runStored } from './run-stored.js';
import { followVelero, startVelero, veleroLocation } from './run-velero.js';
import { verifyBackup } from './verify-backup.js';

interface BackupPassResult {
  readonly result: 'busy' | 'idle' | 'none' | 'invalid' | 'passed';
  readonly recheckIn?: Duration;
}

/** How many streams one worker has at once: each holds a few parts of 8 MiB. */
export class BackupSlots {
  private taken = 0;

  constructor(private readonly size = 2) {}

  take(): boolean {
    if (this.taken >= this.size) return false;
    this.taken += 1;
    return true;
  }

  give(): void {
    this.taken -= 1;
  }
}

const LOOK_AGAIN: Duration = hours(1);
const VELERO_POLL: Duration = seconds(10);
/** What retention may let go, and enough of it for all that it keeps of three providers. */
const HELD = ['good', 'partial', 'damaged', 'deleting'] as const;
const HISTORY = 5_000;
/** Enough to see the last usable backup of every provider, or that there were only failures for long. */
const RECENT = 100;

/**
 * One pass over the backups of one cluster: cleans up after a process that died, does what is asked for, what the
 * schedule has due, and what retention lets go. It has a lease of its own, so that updates of the cluster are not kept
 * waiting by a long stream.
 */
export async function reconcileBackups(
  ports: BackupPorts,
  settings: Pick<EngineSettings, 'leaseTtl'>,
  slots: BackupSlots,
  clusterId: string,
): Promise<BackupPassResult> {
  const { leases, clock } = ports;
  const lease = await LeaseKeeper.acquire(leases, clock, `backup/${clusterId}`, settings.leaseTtl);
  if (!lease) return { result: 'busy', recheckIn: seconds(5) };
  try {
    return await reconcileLeased(ports, slots, lease, clusterId);
  } finally {
    await lease.release().catch(() => undefined);
  }
}

async function reconcileLeased(
  ports: BackupPorts,
  slots: BackupSlots,
  lease: LeaseKeeper,
  clusterId: string,
): Promise<BackupPassResult> {
  const cluster = await ports.registry.getCluster(clusterId);
  if (!cluster || cluster.lifecycleStatus === 'decommissioned') return { result: 'idle' };
  const [account, reading, requests] = await Promise.all([
    ports.registry.getAccount(cluster.infrastructureAccount),
    backupPolicyOf(ports, cluster),
    ports.backups.openBackupRequests(clusterId),
  ]);
  if (!account) throw new Error(`account ${cluster.infrastructureAccount} vanished from the registry`);
  if (reading.kind !== 'policy') {
    const problem = reading.kind === 'invalid' ? reading.problems.join('; ') : undefined;
    await commit(ports, lease, cluster, {
      providers: [],
      ...(problem !== undefined && { problem }),
      nextDueAt: ports.clock.now() + LOOK_AGAIN,
      requests: requests.map(({ id }) => ({ id, result: problem ?? 'refused: no backup is configured' })),
    });
    return { result: reading.kind };
  }
  if (!slots.take()) return { result: 'busy', recheckIn: seconds(5) };
  try {
    const frame = { ports, lease, cluster, account, policy: reading.policy };
    return await lease.during(() => pass(frame, requests));
  } finally {
    slots.give();
  }
}

type Commit = Omit<Parameters<BackupPorts['backups']['commitBackups']>[1], 'clusterId'>;

const commit = async (ports: BackupPorts, lease: LeaseKeeper, { id }: Cluster, what: Commit): Promise<void> =>
  ports.backups.commitBackups(await lease.current(), { clusterId: id, ...what }, ports.clock.now());

async function pass(frame: BackupFrame, requests: readonly BackupRequest[]): Promise<BackupPassResult> {
  const { ports, lease, cluster, policy } = frame;
  const before = await ports.backups.backups(cluster.id, RECENT, { state: 'running' });
  await finishRunning(frame, before);
  const results = new Map<string, string>();
  for (const request of requests) results.set(request.id, await answer(frame, request));
  await runSchedule(frame);
  await applyRetention(frame, await ports.backups.backups(cluster.id, HISTORY, { state: HELD }));
  const after = await ports.backups.backups(cluster.id, RECENT);
  const nextDueAt = nextLook(frame, after);
  await commit(ports, lease, cluster, {
    providers: policy.providers,
    nextDueAt,
    requests: [...results].map(([id, result]) => ({ id, result })),
  });
  await wakeWaiting(frame, requests, before, after);
  const wait = nextDueAt - ports.clock.now();
  return { result: 'passed', ...(wait <= minutes(1) && { recheckIn: Math.max(0, wait) }) };
}

/** Records that an earlier pass left `running`: what lies in S3 is taken away, what Velero does is looked at. */
async function finishRunning(frame: BackupFrame, backups: readonly BackupRecord[]): Promise<void> {
  for (const backup of backups) {
    if (backup.provider === 'velero') await followVelero(frame, backup);
    else {
      const message = 'the worker ended while it was made; what it had written was taken away';
      await discard(frame, backup, { class: 'transient', code: 'backup-interrupted', message });
    }
  }
}

/** Does what is asked for; returns how it ended. */
async function answer(frame: BackupFrame, request: BackupRequest): Promise<string> {
  try {
    if (request.kind === 'create') return await create(frame, request);
    const backup = await chosen(frame, request);
    return backup
      ? await verifyBackup(frame, backup, request.kind === 'drill')
      : 'refused: there is no such backup';
  } catch (thrown) {
    const failure = toFailure(thrown);
    if (failure.code === 'lease-lost') throw thrown;
    if (failure.class === 'bug') {
      frame.ports.log.error('backup request threw an unclassified error', {
        clusterId: frame.cluster.id,
        request: request.id,
        reason: failure.message,
      });
    }
    return `failed: ${failure.message}`;
  }
}

async function create(frame: BackupFrame, request: BackupRequest): Promise<string> {
  const asked = request.providers.length > 0 ? request.providers : frame.policy.providers;
  const unknown = asked.filter((provider) => !frame.policy.providers.includes(provider));
  if (unknown.length > 0) return `refused: ${unknown.join(', ')} is not configured (backup_providers)`;
  const made: string[] = [];
  for (const provider of asked) {
    const { id, state, message } = await run(frame, provider, request);
    made.push(`${provider} ${id} ${state === 'running' ? 'under way' : state}: ${message}`);
  }
  return made.join('; ');
}

async function chosen(
  { ports, cluster }: BackupFrame,
  { backupId, kind }: BackupRequest,
): Promise<BackupRecord | undefined> {
  if (backupId === undefined) {
    const newest = (provider?: BackupProvider): Promise<readonly BackupRecord[]> =>
      ports.backups.backups(cluster.id, 1, { state: 'good', ...(provider && { provider }) });
    return (await newest('etcd'))[0] ?? (kind === 'drill' ? undefined : (await newest())[0]);
  }
  const backup = await ports.backups.getBackup(backupId);
  return backup?.clusterId === cluster.id ? backup : undefined;
}

async function runSchedule(frame: BackupFrame): Promise<void> {
  const { ports, cluster, policy } = frame;
  // A cluster that is being created has nothing to lose yet.
  if (cluster.lifecycleStatus !== 'ready') return;
  const backups = await ports.backups.backups(cluster.id, RECENT);
  const { due } = backupSchedule({ policy, backups, now: ports.clock.now() });
  for (const provider of due) await run(frame, provider, { trigger: 'schedule', actor: 'fairway' });
}

/** One backup by one provider. Never rejects for what the outside does: that is a failed record. */
async function run(
  frame: BackupFrame,
  provider: BackupProvider,
  why: Pick<BackupRequest, 'trigger' | 'actor' | 'updateId'>,
): Promise<BackupRecord> {
  const { ports, cluster } = frame;
  const running = await ports.backups.backups(cluster.id, 1, { state: 'running', provider });
  if (running[0] && provider === 'velero') return running[0];
  const commitOfCluster = (await ports.updates.runtime(cluster.id))?.status?.currentVersion;
  const id = ports.ids.next();
  const startedAt = ports.clock.now();
  const intended: BackupRecord = {
    id,
    clusterId: cluster.id,
    provider,
    state: 'running',
    trigger: why.trigger,
    actor: why.actor,
    ...(why.updateId !== undefined && { updateId: why.updateId }),
    ...(commitOfCluster !== undefined && { commit: commitOfCluster }),
    startedAt,
    location: locationOf(frame, provider, id, startedAt),
    message: 'begun',
  };
  return provider === 'velero' ? startVelero(frame, intended) : runStored(frame, intended);
}

/** `s3://<bucket>/<account>/<cluster>/<provider>/<time>-<id>.<type>`: never the same twice. */
function locationOf(
  { policy, account, cluster }: BackupFrame,
  provider: BackupProvider,
  id: string,
  at: Instant,
): string {
  if (provider === 'velero') return veleroLocation(policy.velero.namespace, id);
  const time = new Date(at).toISOString().replace(/[-:]|\.\d+/g, '');
  const type =
    provider === 'etcd' ? 'db' : policy.resources.secrets === 'encrypt' ? 'yaml.gz.enc' : 'yaml.gz';
  return `s3://${policy.bucket}/${account.externalId}/${cluster.localId}/${provider}/${time}-${id}.${type}`;
}

function nextLook({ ports, policy, cluster }: BackupFrame, backups: readonly BackupRecord[]): Instant {
  const now = ports.clock.now();
  const moving = backups.some(({ state }) => state === 'running');
  const { due, nextAt } =
    cluster.lifecycleStatus === 'ready' ? backupSchedule({ policy, backups, now }) : { due: [] };
  const scheduled = due.length > 0 ? now + minutes(1) : (nextAt ?? now + LOOK_AGAIN);
  return Math.min(scheduled, moving ? now + VELERO_POLL : Infinity, now + LOOK_AGAIN);
}

/** An update that waits for one of these backups need not wait for its next look. */
async function wakeWaiting(
  { ports, cluster }: BackupFrame,
  requests: readonly BackupRequest[],
  before: readonly BackupRecord[],
  after: readonly BackupRecord[],
): Promise<void> {
  const ended = before.filter(({ id }) => after.find((backup) => backup.id === id)?.state !== 'running');
  const waiting = [...requests, ...ended].some(({ updateId }) => updateId !== undefined);
  if (!waiting) return;
  await ports.updates.markDue([cluster.id], ports.clock.now());
  await ports.doorbell.ring(`cluster/${cluster.id}`).catch(() => undefined);
}
