import { formatDuration, toIso } from '#kernel';
import type { Finding } from '#fleet';
import { finding } from './catalogue.js';
import { judge, plural, verdict, type Verdict } from './check.js';
import type { BackupView, DoctorObservation } from './observation.js';

/** The newest good backup of each provider, and the last time that one was restored. */
export function backupsCheck({ backups, now }: DoctorObservation): Verdict {
  return judge(backups, (providers) => {
    if (providers.length === 0) {
      const message = 'no backup is configured';
      const remedy = 'Set the config items of a backup: see docs/operations.md, "Backups".';
      return verdict('', [finding('backup-missing', { subject: 'backups', message, remedy })]);
    }
    const ages = providers.map(({ provider, lastAt }) =>
      lastAt === undefined ? provider : `${provider} ${formatDuration(now - lastAt)} ago`,
    );
    return verdict(
      `${plural(providers.length, 'provider')}: ${ages.join(', ')}`,
      providers.flatMap((backup) => [...freshness(backup, now), ...drill(backup, now)]),
    );
  });
}

function freshness({ provider, lastAt, maxAge }: BackupView, now: number): readonly Finding[] {
  const subject = `backup ${provider}`;
  const remedy = 'Take one now (fairway backup create) and look at why the schedule did not.';
  if (lastAt === undefined) {
    const message = `there is no good ${provider} backup`;
    return [finding('backup-missing', { subject, message, remedy })];
  }
  if (now - lastAt <= maxAge) return [];
  const message = `the last good ${provider} backup is ${formatDuration(now - lastAt)} old (${toIso(lastAt)}), at most ${formatDuration(maxAge)} are allowed`;
  return [finding('backup-stale', { subject, message, remedy, since: lastAt + maxAge })];
}

function drill({ provider, drillEvery, lastDrillAt }: BackupView, now: number): readonly Finding[] {
  if (drillEvery === undefined || (lastDrillAt !== undefined && now - lastDrillAt <= drillEvery)) return [];
  const last = lastDrillAt === undefined ? 'never' : `${formatDuration(now - lastDrillAt)} ago`;
  return [
    finding('drill-stale', {
      subject: `restore drill ${provider}`,
      message: `a ${provider} backup was restored ${last}; every ${formatDuration(drillEvery)} is asked for`,
      remedy: 'Run a restore drill, and look at why the schedule did not.',
    }),
  ];
}
