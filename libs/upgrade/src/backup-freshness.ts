import type { BackupProvider, BackupRecord, BackupStanding } from '#fleet';
import { formatDuration, type Duration, type Instant } from '#kernel';

export interface FreshnessQuestion {
  /** Undefined: no backup pass has seen the cluster yet. */
  readonly standing: BackupStanding | undefined;
  readonly now: Instant;
  /** A backup of exactly this age still counts. */
  readonly maxAge: Duration;
  /** A provider that deletes its backups by itself must keep them this long from now. */
  readonly keptFor?: Duration;
  /** A restore drill must not be older. */
  readonly drillMaxAge?: Duration;
}

export interface FreshnessVerdict {
  readonly open: boolean;
  /** False: the cluster's configuration asks for no backups, so there can be no evidence. */
  readonly configured: boolean;
  /** Every reason why it is shut, or one sentence of what holds it open. */
  readonly reasons: readonly string[];
  /** Providers whose evidence is missing or too old. */
  readonly renew: readonly BackupProvider[];
  /** What counts: the newest usable backup of each provider. */
  readonly evidence: readonly BackupRecord[];
  /** When an open gate shuts by itself. */
  readonly shutsAt?: Instant;
}

/** Whether a cluster has a fresh, verified backup of every provider that its configuration asks for. */
export function judgeFreshness(question: FreshnessQuestion): FreshnessVerdict {
  const { standing, now, maxAge } = question;
  if (!standing) return shut('no backup pass has looked at the cluster yet', true);
  if (standing.problem !== undefined)
    return shut(`the backup configuration cannot be followed: ${standing.problem}`, true);
  if (standing.providers.length === 0)
    return shut('no backup is configured (config item backup_providers)', false);
  const reasons: string[] = [];
  const renew: BackupProvider[] = [];
  const evidence: BackupRecord[] = [];
  for (const provider of standing.providers) {
    const backup = standing.evidence.find((candidate) => candidate.provider === provider);
    const problem = backup ? problemOf(backup, question) : missing(provider, standing);
    if (problem !== undefined) {
      reasons.push(problem);
      renew.push(provider);
    } else if (backup) evidence.push(backup);
  }
  const drill = drillProblem(question);
  if (drill !== undefined) reasons.push(drill);
  if (reasons.length > 0) return { open: false, configured: true, reasons, renew, evidence };
  const oldest = Math.min(...evidence.map(({ startedAt }) => startedAt));
  return {
    open: true,
    configured: true,
    reasons: [`the oldest of the newest backups is ${formatDuration(now - oldest)} old`],
    renew,
    evidence,
    shutsAt: oldest + maxAge,
  };
}

function problemOf(
  backup: BackupRecord,
  { now, maxAge, keptFor = 0 }: FreshnessQuestion,
): string | undefined {
  const { provider, startedAt, expiresAt } = backup;
  const age = now - startedAt;
  if (age > maxAge)
    return `${provider}: the newest backup is ${formatDuration(age)} old, at most ${formatDuration(maxAge)} is allowed`;
  if (expiresAt !== undefined && expiresAt < now + keptFor)
    return `${provider}: the newest backup is deleted in ${formatDuration(expiresAt - now)}, it must be kept ${formatDuration(keptFor)}`;
  return undefined;
}

function missing(provider: BackupProvider, { failures }: BackupStanding): string {
  const failure = failures.find((candidate) => candidate.provider === provider);
  return failure
    ? `${provider}: no backup is good; the last one: ${failure.message}`
    : `${provider}: there is no backup yet`;
}

function drillProblem({ standing, now, drillMaxAge }: FreshnessQuestion): string | undefined {
  if (drillMaxAge === undefined || !standing?.providers.includes('etcd')) return undefined;
  const { drilledAt } = standing;
  if (drilledAt === undefined) return 'etcd: no restore drill has been made yet';
  const age = now - drilledAt;
  return age <= drillMaxAge
    ? undefined
    : `etcd: the last restore drill is ${formatDuration(age)} old, at most ${formatDuration(drillMaxAge)} is allowed`;
}

const shut = (reason: string, configured: boolean): FreshnessVerdict => ({
  open: false,
  configured,
  reasons: [reason],
  renew: [],
  evidence: [],
});
