import { done, failed, formatDuration, minutes, waiting, type Outcome } from '#kernel';
import type { BackupProvider, BackupRecord } from '#fleet';
import { failuresInARow, isUsable, judgeFreshness, retryDelay, type BackupPolicy } from '#upgrade';
import type { BasePass } from '../pass/pass.js';
import { tell } from '../pass/pass.js';
import { backupPolicyOf } from './backup-ports.js';
import { neededTime } from './needed-time.js';

/** What the gate of an update was opened for, and when. */
const PASSED = 'backup/passed';

interface Passed {
  readonly updateId: string;
  readonly deeds: readonly string[];
  readonly at: number;
}

/**
 * The backup gate of an update: open while every configured provider has fresh evidence, and for the rest of the update
 * once its first write has followed. Where evidence is missing or old, a backup is asked for and waited for; the work is
 * done by the cluster's backup pass, so nothing here streams.
 */
export async function requireBackup(pass: BasePass, deeds: readonly string[]): Promise<Outcome> {
  const reading = await backupPolicyOf(pass.ports, pass.cluster);
  if (reading.kind === 'none') return done(`skipped: ${reading.reason}`);
  if (deeds.length === 0) return done('nothing is planned that needs a backup');
  if (reading.kind === 'invalid') {
    return failed({
      class: 'invalid',
      code: 'backup-policy-invalid',
      message: `the backup configuration cannot be followed: ${reading.problems.join('; ')}`,
      hint: 'Mend the config items backup_* and etcd_*; nothing irreversible is done before.',
    });
  }
  if (await hasBegun(pass, deeds)) return done('the update began with a fresh backup');
  const { policy } = reading;
  const { ports, cluster } = pass;
  const {
    evidence = [],
    failures = [],
    drilledAt,
  } = (await ports.backups.backupStandings([cluster.id])).get(cluster.id) ?? {};
  const now = ports.clock.now();
  const verdict = judgeFreshness({
    // The policy of this very pass counts, not what the last backup pass read.
    standing: {
      clusterId: cluster.id,
      providers: policy.providers,
      evidence,
      failures,
      ...(drilledAt !== undefined && { drilledAt }),
    },
    now,
    maxAge: policy.maxAge,
    keptFor: await neededTime(ports, cluster, policy),
    ...(policy.drillMaxAge !== undefined && { drillMaxAge: policy.drillMaxAge }),
  });
  if (verdict.open) {
    rememberOpen(pass, deeds, now);
    return done(`${verdict.reasons.join('; ')} (${deeds.join(', ')})`);
  }
  return renew(pass, policy, verdict.renew, verdict.reasons, deeds);
}

/** Several steps of one update may ask, each for its own deeds. */
function rememberOpen(pass: BasePass, deeds: readonly string[], at: number): void {
  const before = pass.memory.get(PASSED) as Passed | undefined;
  const earlier = before?.updateId === pass.update.id ? before.deeds : [];
  const passed: Passed = { updateId: pass.update.id, deeds: [...new Set([...earlier, ...deeds])], at };
  pass.memory.set(PASSED, passed);
}

/** True once something was written since the gate was open, for deeds that were among those it was opened for. */
async function hasBegun(pass: BasePass, deeds: readonly string[]): Promise<boolean> {
  const passed = pass.memory.get(PASSED) as Passed | undefined;
  if (passed?.updateId !== pass.update.id || !deeds.every((deed) => passed.deeds.includes(deed)))
    return false;
  const intents = await pass.ports.updates.listIntents(pass.update.id);
  return intents.some(({ recordedAt }) => recordedAt >= passed.at);
}

async function renew(
  pass: BasePass,
  policy: BackupPolicy,
  stale: readonly BackupProvider[],
  reasons: readonly string[],
  deeds: readonly string[],
): Promise<Outcome> {
  const { ports, cluster, update, settings } = pass;
  const open = await ports.backups.openBackupRequests(cluster.id);
  const recent = await ports.backups.backups(cluster.id, 50);
  const what = `a fresh backup before ${deeds.join(', ')}`;
  if (open.some(({ updateId }) => updateId === update.id)) return await ringAndWait(pass, what);
  const moving = recent.find(({ state, provider }) => state === 'running' && stale.includes(provider));
  if (moving) return waiting(`${what}: ${moving.provider}: ${moving.message}`, settings.pollInterval);
  const wait = retryIn(stale, recent, ports.clock.now());
  if (wait > 0) return blockedBy(reasons, recent, stale, wait);
  const unproven = stale.length === 0 ? unprovenFor(update.id, recent) : [];
  const again = (unproven[0]?.finishedAt ?? 0) + retryDelay(unproven.length) - ports.clock.now();
  if (unproven[0] && again > 0) return unprovenBy(reasons, unproven[0], again);
  await ports.backups.requestBackup({
    id: ports.ids.next(),
    clusterId: cluster.id,
    // Only the restore drill is missing: a new snapshot of etcd comes with one.
    providers: stale.length > 0 ? stale : policy.providers.filter((provider) => provider === 'etcd'),
    kind: 'create',
    trigger: update.kind === 'decommission' ? 'decommission' : 'update',
    updateId: update.id,
    actor: 'fairway',
    reason: `${deeds.join(', ')}: ${reasons.join('; ')}`,
    requestedAt: ports.clock.now(),
  });
  tell(pass, { type: 'backup.requested', message: `${what}: ${reasons.join('; ')}`, data: { deeds } });
  return ringAndWait(pass, what);
}

async function ringAndWait({ ports, cluster, settings }: BasePass, what: string): Promise<Outcome> {
  await ports.doorbell.ring(`backup/${cluster.id}`).catch(() => undefined);
  return waiting(what, settings.pollInterval);
}

/** Time until the next try after failures; 0: now. */
function retryIn(stale: readonly BackupProvider[], recent: readonly BackupRecord[], now: number): number {
  const waits = stale.map((provider) => {
    const own = recent.filter((backup) => backup.provider === provider);
    const last = own[0];
    const failures = failuresInARow(own);
    if (!last || failures === 0 || isUsable(last)) return 0;
    return (last.finishedAt ?? last.startedAt) + retryDelay(failures) - now;
  });
  return Math.max(0, ...waits);
}

/** Snapshots that this update asked for to have them restored, and which could not be; newest first. */
function unprovenFor(updateId: string, recent: readonly BackupRecord[]): readonly BackupRecord[] {
  const snapshots = recent.filter(({ provider, state }) => provider === 'etcd' && state === 'good');
  const end = snapshots.findIndex((backup) => backup.updateId !== updateId || backup.drill !== undefined);
  return end < 0 ? snapshots : snapshots.slice(0, end);
}

const unprovenBy = (reasons: readonly string[], { message }: BackupRecord, wait: number): Outcome => ({
  kind: 'blocked',
  by: `the backup gate: ${reasons.join('; ')}`,
  unblock: `Mend what is in the way of the restore drill (the last snapshot: ${message}). The next try is in ${formatDuration(wait)}.`,
  recheckIn: Math.min(wait, minutes(1)),
});

function blockedBy(
  reasons: readonly string[],
  recent: readonly BackupRecord[],
  stale: readonly BackupProvider[],
  wait: number,
): Outcome {
  const partial = recent.find(
    ({ state, provider, exception }) => state === 'partial' && !exception && stale.includes(provider),
  );
  const cure = partial
    ? `Mend what Velero left out, or approve the exception: fairway backup approve ${partial.id} --reason …`
    : 'Mend what the backup failed for (fairway backup list).';
  return {
    kind: 'blocked',
    by: `the backup gate: ${reasons.join('; ')}`,
    unblock: `${cure} The next try is in ${formatDuration(wait)}.`,
    recheckIn: Math.min(wait, minutes(1)),
  };
}
