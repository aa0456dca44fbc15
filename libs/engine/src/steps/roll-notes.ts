import type { Duration, Instant } from '#kernel';
import { hours, minutes } from '#kernel';
import type { StepKind } from '#fleet';
import type { RollNote } from '#rolling';
import type { Pass } from '../pass/pass.js';
import { tell } from '../pass/pass.js';

/** What stays is told when it appears, and again when it is this old. */
const REPEATS: readonly Duration[] = [minutes(15), hours(1), hours(6)];
/** What has not been seen for this long begins anew; a note may be absent from a single look. */
const FORGET_AFTER = hours(1);

interface Told {
  readonly since: Instant;
  readonly seen: Instant;
  /** How often it was told. */
  readonly times: number;
}

type ToldNotes = Readonly<Record<string, Told>>;

/** Events for notes that are new or due to be repeated. What was told is kept in the pass's memory, per step. */
export function tellNotes(pass: Pass, step: StepKind, notes: readonly RollNote[]): void {
  const key = `roll/told/${step}`;
  const now = pass.ports.clock.now();
  const { told, due } = notesToTell((pass.memory.get(key) ?? {}) as ToldNotes, notes, pass.update.id, now);
  for (const { note, times, name } of due) {
    tell(pass, {
      type: `roll.${note.code}`,
      severity: note.severity,
      message: note.unblock === undefined ? note.message : `${note.message} ${note.unblock}`,
      data: { note, times },
      dedupeKey: `${name}|${times}`,
    });
  }
  pass.memory.set(key, told);
}

/** Pure: which notes are told now, and what is remembered of them. */
export function notesToTell(
  before: ToldNotes,
  notes: readonly RollNote[],
  updateId: string,
  now: Instant,
): {
  readonly told: ToldNotes;
  readonly due: readonly { readonly note: RollNote; readonly times: number; readonly name: string }[];
} {
  const kept = Object.entries(before).filter(([, { seen }]) => now - seen < FORGET_AFTER);
  const told: Record<string, Told> = Object.fromEntries(kept);
  const due: { note: RollNote; times: number; name: string }[] = [];
  for (const note of notes.filter(({ severity }) => severity !== 'info')) {
    const name = nameOf(note, updateId);
    const known = told[name];
    const since = known?.since ?? Math.min(note.since ?? now, now);
    const reached = 1 + REPEATS.filter((after) => now - since >= after).length;
    // One that is old when it is first told is told once, not once per repeat that it missed.
    if (reached > (known?.times ?? 0)) due.push({ note, times: reached, name });
    told[name] = { since, seen: now, times: Math.max(reached, known?.times ?? 0) };
  }
  return { told, due };
}

const nameOf = (note: RollNote, updateId: string): string =>
  [
    'roll',
    updateId,
    note.code,
    note.pool,
    note.instance ?? '',
    note.subject ?? '',
    note.blockedBy?.pdb ?? '',
  ].join('|');
