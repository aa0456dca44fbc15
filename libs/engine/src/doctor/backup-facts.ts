import { hours } from '#kernel';
import type { BackupStanding } from '#fleet';
import { read, readBackupPolicy, unknown, type BackupView, type Reading } from '#upgrade';

type Items = Readonly<Record<string, string>>;

/** Without a schedule of its own a cluster is backed up when it is updated; people should still do so once a day. */
const WITHOUT_SCHEDULE = hours(25);

/** What the policy asks for, and the newest evidence that there is of it. */
export function backupFacts(
  items: Items | undefined,
  standing: BackupStanding | undefined,
): Reading<readonly BackupView[]> {
  if (!items) return unknown('the configuration of the cluster has not been rendered yet');
  const reading = readBackupPolicy(items);
  if (reading.kind === 'none') return read([]);
  if (reading.kind === 'invalid') return unknown(`the policy cannot be read: ${reading.problems.join('; ')}`);
  const { policy } = reading;
  // One that is under way, or failed once and is tried again, is no alarm yet.
  const maxAge = policy.interval === undefined ? WITHOUT_SCHEDULE : policy.interval * 2;
  return read(
    policy.providers.map((provider): BackupView => {
      const evidence = standing?.evidence.find((backup) => backup.provider === provider);
      const drills = provider === 'etcd' && policy.drillEvery !== undefined;
      const every = policy.drillMaxAge ?? Math.max(policy.drillEvery ?? 0, maxAge) * 2;
      return {
        provider,
        maxAge,
        ...(evidence && { lastAt: evidence.startedAt }),
        ...(drills && { drillEvery: every }),
        ...(drills && standing?.drilledAt !== undefined && { lastDrillAt: standing.drilledAt }),
      };
    }),
  );
}
