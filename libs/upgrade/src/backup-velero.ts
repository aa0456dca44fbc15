import { formatDuration, type Duration, type Instant } from '#kernel';

/** `status` of velero.io/v1 Backup and BackupStorageLocation, as far as a verdict needs it. Absent fields are common. */
export interface VeleroQuestion {
  readonly phase?: string;
  readonly startedAt: Instant;
  readonly now: Instant;
  readonly timeLimit: Duration;
  readonly itemsBackedUp?: number;
  readonly totalItems?: number;
  readonly errors?: number;
  readonly validationErrors: readonly string[];
  readonly failureReason?: string;
  readonly expiresAt?: Instant;
  /** The backup must outlive this: soak and rollback window from now. */
  readonly neededUntil: Instant;
  /** `Available`, `Unavailable`; undefined where there is no such location. */
  readonly locationPhase?: string;
  readonly location: string;
}

export type VeleroVerdict =
  | { readonly kind: 'pending'; readonly message: string }
  | { readonly kind: 'good'; readonly items: number; readonly message: string }
  /** Counts only with an approved exception. */
  | { readonly kind: 'partial'; readonly items: number; readonly message: string }
  | { readonly kind: 'bad'; readonly code: string; readonly message: string };

/** Phases in which Velero still works. Source: velero.io/docs/main/api-types/backup. */
const MOVING = new Set([
  'New',
  'Queued',
  'ReadyToStart',
  'InProgress',
  'WaitingForPluginOperations',
  'WaitingForPluginOperationsPartiallyFailed',
  'Finalizing',
  'FinalizingPartiallyFailed',
]);

/** What a Velero backup is worth. Only `good` opens a gate by itself. */
export function judgeVelero(question: VeleroQuestion): VeleroVerdict {
  const { phase = 'New' } = question;
  if (MOVING.has(phase)) return moving(question, phase);
  switch (phase) {
    case 'Completed':
      return completed(question);
    case 'PartiallyFailed':
      return partlyFailed(question);
    case 'FailedValidation':
      return bad('velero-validation', `Velero refused the backup: ${sentences(question.validationErrors)}`);
    case 'Failed':
      return bad('velero-failed', `the backup failed: ${question.failureReason ?? 'Velero gives no reason'}`);
    case 'Deleting':
      return bad('velero-deleted', 'the backup is being deleted');
    default:
      return bad('velero-phase', `Velero says the phase ${phase}, which is not known here`);
  }
}

function moving(question: VeleroQuestion, phase: string): VeleroVerdict {
  const { now, startedAt, timeLimit, location, locationPhase } = question;
  const since = now - startedAt;
  if (locationPhase !== 'Available') {
    const state = locationPhase ?? 'missing';
    const message = `storage location ${location} is ${state}`;
    // Velero looks at locations once a minute; one that stays away will not come back because we wait.
    return since > Math.min(timeLimit, LOCATION_PATIENCE)
      ? bad('velero-storage', message)
      : { kind: 'pending', message };
  }
  if (since > timeLimit)
    return bad(
      'velero-stuck',
      `the backup is ${phase} for ${formatDuration(since)}, at most ${formatDuration(timeLimit)} is given`,
    );
  const { itemsBackedUp, totalItems } = question;
  const progress = totalItems === undefined ? '' : ` (${itemsBackedUp ?? 0} of ${totalItems} items)`;
  return { kind: 'pending', message: `Velero: ${phase}${progress}` };
}

const LOCATION_PATIENCE: Duration = 5 * 60_000;

function completed(question: VeleroQuestion): VeleroVerdict {
  const items = question.itemsBackedUp ?? 0;
  if (items === 0) return bad('velero-empty', 'the backup is Completed and holds no items');
  const short = tooShort(question);
  if (short) return short;
  if ((question.errors ?? 0) > 0)
    return { kind: 'partial', items, message: `Completed with ${question.errors} errors, ${items} items` };
  return { kind: 'good', items, message: `${items} items` };
}

function partlyFailed(question: VeleroQuestion): VeleroVerdict {
  const items = question.itemsBackedUp ?? 0;
  if (items === 0) return bad('velero-empty', 'the backup is PartiallyFailed and holds no items');
  const short = tooShort(question);
  if (short) return short;
  const left = question.totalItems === undefined ? '' : ` of ${question.totalItems}`;
  const message = `PartiallyFailed with ${question.errors ?? 'some'} errors, ${items}${left} items; counts only with an approved exception`;
  return { kind: 'partial', items, message };
}

function tooShort({ expiresAt, neededUntil, now }: VeleroQuestion): VeleroVerdict | undefined {
  if (expiresAt === undefined || expiresAt >= neededUntil) return undefined;
  return bad(
    'velero-ttl',
    `the backup is kept for ${formatDuration(expiresAt - now)}, soak and rollback window need ${formatDuration(neededUntil - now)}`,
  );
}

const bad = (code: string, message: string): VeleroVerdict => ({ kind: 'bad', code, message });

const sentences = (list: readonly string[]): string =>
  list.length === 0 ? 'no reason given' : list.slice(0, 5).join('; ');

const MINIMUM_TTL: Duration = 30 * 24 * 3_600_000;
/** Between our asking and Velero's counting. */
const TTL_SLACK: Duration = 3_600_000;

/** The TTL to ask for, or why the configured one will not do. `needed`: soak plus rollback window. */
export function veleroTtl(
  configured: Duration | undefined,
  needed: Duration,
): { readonly ttl: Duration } | { readonly problem: string } {
  if (configured === undefined) return { ttl: Math.max(MINIMUM_TTL, needed + TTL_SLACK) };
  if (configured > needed) return { ttl: configured };
  return {
    problem: `backup_velero_ttl is ${formatDuration(configured)}, it must be longer than soak and rollback window (${formatDuration(needed)})`,
  };
}
