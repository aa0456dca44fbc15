import type { BackupProvider, BackupRecord } from '#fleet';
import { minutes, type Duration, type Instant } from '#kernel';
import type { BackupPolicy } from './backup-policy.js';

export interface ScheduleQuestion {
  readonly policy: Pick<BackupPolicy, 'providers' | 'interval'>;
  /** The newest attempts of the cluster, in any order. */
  readonly backups: readonly BackupRecord[];
  readonly now: Instant;
}

export interface Schedule {
  readonly due: readonly BackupProvider[];
  /** When the next provider falls due; undefined without a schedule. */
  readonly nextAt?: Instant;
}

const FIRST_RETRY: Duration = minutes(1);
const LAST_RETRY: Duration = minutes(30);

/**
 * Which providers are due by schedule. After a failure the next try comes after 1 min, then twice as long each time up to
 * 30 min, and never later than the schedule would have it.
 */
export function backupSchedule({ policy, backups, now }: ScheduleQuestion): Schedule {
  const { interval } = policy;
  if (interval === undefined) return { due: [] };
  const times = policy.providers.map((provider) => ({ provider, at: dueAt(provider, backups, interval) }));
  const due = times.filter(({ at }) => at !== undefined && at <= now).map(({ provider }) => provider);
  const later = times.flatMap(({ at }) => (at !== undefined && at > now ? [at] : []));
  return { due, ...(later.length > 0 && { nextAt: Math.min(...later) }) };
}

/** Undefined while one is under way. */
function dueAt(
  provider: BackupProvider,
  backups: readonly BackupRecord[],
  interval: Duration,
): Instant | undefined {
  const own = backups
    .filter((backup) => backup.provider === provider)
    .sort((a, b) => b.startedAt - a.startedAt);
  if (own.some(({ state }) => state === 'running')) return undefined;
  const good = own.find(isUsable);
  const scheduled = good ? good.startedAt + interval : 0;
  const failures = failuresInARow(own);
  const last = own[0];
  if (failures === 0 || last === undefined) return scheduled;
  return Math.max(scheduled, (last.finishedAt ?? last.startedAt) + retryDelay(failures));
}

export const isUsable = ({ state, exception }: BackupRecord): boolean =>
  state === 'good' || (state === 'partial' && exception !== undefined);

/** Attempts since the last usable one; `backups` newest first. What retention deleted was usable. */
export function failuresInARow(backups: readonly BackupRecord[]): number {
  const end = backups.findIndex(
    (backup) => isUsable(backup) || backup.state === 'expired' || backup.state === 'deleting',
  );
  return end < 0 ? backups.length : end;
}

export const retryDelay = (failures: number): Duration =>
  Math.min(LAST_RETRY, FIRST_RETRY * 2 ** Math.max(0, failures - 1));
