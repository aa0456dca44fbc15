import type { BackupProvider, BackupRecord, ChannelRevision, RevisionPhase } from '#fleet';
import type { Duration, Instant } from '#kernel';
import type { RetentionTier } from './backup-policy.js';

export interface RetentionQuestion {
  /** Of one cluster, in any order. */
  readonly backups: readonly BackupRecord[];
  readonly tiers: readonly RetentionTier[];
  readonly now: Instant;
  /** Since when the cluster has been brought to revisions that are not soaked yet; undefined: what it runs is soaked. */
  readonly unsoakedSince?: Instant;
}

/**
 * The backups that nothing asks to keep any more. A usable backup is kept while it is
 * - the newest of its provider in a period of a tier that is not over (periods are counted from 1970 in UTC);
 * - one of the two newest of its provider: one may turn out to be damaged;
 * - taken since the cluster left the last soaked revision, or the last one before that: the way back.
 * A damaged one never counts; it goes when a newer usable one has taken its place.
 */
export function expiredBackups(question: RetentionQuestion): readonly BackupRecord[] {
  const stored = question.backups.filter(
    ({ state }) => state === 'good' || state === 'partial' || state === 'damaged',
  );
  const providers = new Set(stored.map(({ provider }) => provider));
  return [...providers].flatMap((provider) => expiredOf(provider, stored, question));
}

function expiredOf(
  provider: BackupProvider,
  stored: readonly BackupRecord[],
  { tiers, now, unsoakedSince }: RetentionQuestion,
): readonly BackupRecord[] {
  const own = stored.filter((backup) => backup.provider === provider).sort(newestFirst);
  const usable = own.filter(({ state }) => state !== 'damaged');
  const kept = new Set<string>(usable.slice(0, 2).map(({ id }) => id));
  for (const tier of tiers) for (const id of keptByTier(usable, tier, now)) kept.add(id);
  if (unsoakedSince !== undefined) {
    for (const { id, startedAt } of usable) {
      kept.add(id);
      if (startedAt <= unsoakedSince) break;
    }
  }
  return own.filter(({ id, state, startedAt }) => {
    if (state !== 'damaged') return !kept.has(id);
    return usable.some((other) => other.startedAt > startedAt);
  });
}

function keptByTier(
  usable: readonly BackupRecord[],
  { every, keep }: RetentionTier,
  now: Instant,
): readonly string[] {
  const newest = new Map<number, string>();
  for (const { id, startedAt } of usable) {
    const period = Math.floor(startedAt / every);
    if (now - startedAt <= keep && !newest.has(period)) newest.set(period, id);
  }
  return [...newest.values()];
}

const newestFirst = (a: BackupRecord, b: BackupRecord): number =>
  b.startedAt - a.startedAt || (a.id < b.id ? -1 : 1);

const SOAKED: ReadonlySet<RevisionPhase> = new Set<RevisionPhase>([
  'eligible',
  'awaiting-approval',
  'promoted',
]);

/**
 * Since when the channel's clusters run what is not soaked. A revision also counts as soaked `patience` (soak and rollback
 * window) after it converged: the last channel has nobody to promote to. Entries newest first.
 */
export function unsoakedSince(
  entries: readonly ChannelRevision[],
  now: Instant,
  patience: Duration,
): Instant | undefined {
  let since: Instant | undefined;
  for (const { admitted, phase, convergedAt, enteredAt } of entries) {
    if (!admitted) continue;
    if (SOAKED.has(phase) || (convergedAt !== undefined && convergedAt + patience < now)) return since;
    since = enteredAt;
  }
  return since;
}
