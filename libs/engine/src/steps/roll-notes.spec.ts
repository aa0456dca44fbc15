import { hours, minutes, seconds } from '#kernel';
import type { RollNote } from '#rolling';
import { describe, expect, it } from 'vitest';
import { notesToTell } from './roll-notes.js';

const note: RollNote = {
  pool: 'workers',
  instance: 'i-1',
  code: 'drain-blocked-pdb',
  severity: 'warning',
  message: 'apps/web is held by PDB apps/web.',
};

function toldOver(total: number, every: number, seen: (at: number) => boolean = () => true): number[] {
  const at: number[] = [];
  let memory = {};
  for (let now = 0; now <= total; now += every) {
    const { told, due } = notesToTell(memory, seen(now) ? [note] : [], 'u1', now);
    memory = JSON.parse(JSON.stringify(told)) as object;
    for (const _ of due) at.push(now);
  }
  return at;
}

describe('notes of a roll', () => {
  it('are told at once, at 15 minutes, 1 hour and 6 hours, and not between', () => {
    expect(toldOver(hours(24), seconds(15))).toEqual([0, minutes(15), hours(1), hours(6)]);
  });

  it('are told once when a look is missed, and again when they come back after long', () => {
    expect(toldOver(minutes(10), seconds(15), (at) => at % 60_000 === 0)).toEqual([0]);
    expect(toldOver(hours(3), minutes(1), (at) => at === 0 || at > hours(2)).slice(0, 2)).toEqual([
      0,
      hours(2) + minutes(1),
    ]);
  });

  it('leave out what is only information, and differ by update', () => {
    expect(notesToTell({}, [{ ...note, severity: 'info' }], 'u1', 0).due).toEqual([]);
    const first = notesToTell({}, [note], 'u1', 0);
    expect(notesToTell(first.told, [note], 'u2', 1).due).toHaveLength(1);
  });
});
