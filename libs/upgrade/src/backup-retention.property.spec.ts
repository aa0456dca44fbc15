import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BackupRecord, ChannelRevision } from '#fleet';
import { days, hours, minutes } from '#kernel';
import { expiredBackups, unsoakedSince } from './backup-retention.js';

const NOW = Date.UTC(2026, 10, 21, 12);
const TIERS = [
  { every: hours(1), keep: days(7) },
  { every: days(1), keep: days(90) },
];
const record = fc.record({
  age: fc.integer({ min: 0, max: days(120) }),
  state: fc.constantFrom('good', 'partial', 'damaged', 'failed', 'running', 'expired'),
  provider: fc.constantFrom('etcd', 'resources'),
});
const backups = fc
  .array(record, { maxLength: 60 })
  .map((list) =>
    list.map(
      (one, index) => ({ ...one, startedAt: NOW - one.age, id: `b${index}` }) as unknown as BackupRecord,
    ),
  );
const unsoaked = fc.option(fc.integer({ min: 0, max: days(100) }), { nil: undefined });

describe('retention', () => {
  const usable = (all: readonly BackupRecord[]) =>
    all.filter(({ state }) => state === 'good' || state === 'partial');

  it('keeps the newest of every period, the two newest, and the way back from what is not soaked', () => {
    fc.assert(
      fc.property(backups, unsoaked, (all, age) => {
        const since = age === undefined ? undefined : NOW - age;
        const gone = new Set(
          expiredBackups({
            backups: all,
            tiers: TIERS,
            now: NOW,
            ...(since !== undefined && { unsoakedSince: since }),
          }).map(({ id }) => id),
        );
        for (const provider of ['etcd', 'resources'] as const) {
          const own = usable(all)
            .filter((one) => one.provider === provider)
            .sort((a, b) => b.startedAt - a.startedAt || (a.id < b.id ? -1 : 1));
          const left = own.filter(({ id }) => !gone.has(id));
          expect(left.slice(0, 2)).toEqual(own.slice(0, 2));
          for (const one of own) {
            const age = NOW - one.startedAt;
            // Whatever was deleted has a newer one of the same day (or hour, within the week) that stays.
            if (!gone.has(one.id) || age > days(90)) continue;
            const period = age <= days(7) ? hours(1) : days(1);
            expect(
              left.some(
                (other) =>
                  Math.floor(other.startedAt / period) === Math.floor(one.startedAt / period) &&
                  other.startedAt >= one.startedAt,
              ),
            ).toBe(true);
          }
          if (since === undefined) continue;
          const wayBack = own.find(({ startedAt }) => startedAt <= since);
          if (wayBack) expect(gone.has(wayBack.id)).toBe(false);
          expect(own.filter(({ id, startedAt }) => startedAt > since && gone.has(id))).toEqual([]);
        }
        for (const { id, state } of all)
          if (!['good', 'partial', 'damaged'].includes(state)) expect(gone.has(id)).toBe(false);
      }),
      { numRuns: 300 },
    );
  });

  it('lets everything else go, so that a year of hourly backups is a few hundred', () => {
    const year = Array.from(
      { length: 24 * 365 },
      (_, hour) =>
        ({
          id: `h${hour}`,
          provider: 'etcd',
          state: 'good',
          startedAt: NOW - hours(hour),
        }) as unknown as BackupRecord,
    );
    const gone = expiredBackups({ backups: year, tiers: TIERS, now: NOW });
    expect(year.length - gone.length).toBeGreaterThanOrEqual(168 + 83);
    expect(year.length - gone.length).toBeLessThanOrEqual(169 + 91);
  });

  it('a damaged one goes when a newer usable one is there', () => {
    const one = (id: string, state: string, age: number) =>
      ({ id, provider: 'etcd', state, startedAt: NOW - age }) as unknown as BackupRecord;
    expect(expiredBackups({ backups: [one('x', 'damaged', 0)], tiers: TIERS, now: NOW })).toEqual([]);
    expect(
      expiredBackups({ backups: [one('x', 'damaged', 9), one('y', 'good', 1)], tiers: TIERS, now: NOW }).map(
        ({ id }) => id,
      ),
    ).toEqual(['x']);
  });

  const entry = (phase: string, ago: number, over: object = {}) =>
    ({
      channel: 'beta',
      revisionId: phase,
      phase,
      wave: 0,
      waves: 1,
      enteredAt: NOW - ago,
      admitted: true,
      reasons: [],
      ...over,
    }) as unknown as ChannelRevision;
  it.each([
    ['nothing is known', [], undefined],
    ['the newest is soaked', [entry('eligible', 10)], undefined],
    ['it soaks', [entry('soaking', 10), entry('promoted', 99)], NOW - 10],
    ['two in a row', [entry('deploying', 10), entry('superseded', 50), entry('promoted', 99)], NOW - 50],
    [
      'a held head changed nothing',
      [entry('held', 10, { admitted: false }), entry('promoted', 99)],
      undefined,
    ],
    [
      'the last channel: old enough',
      [entry('converged', days(20), { convergedAt: NOW - days(15) })],
      undefined,
    ],
    [
      'the last channel: young',
      [entry('converged', minutes(9), { convergedAt: NOW - minutes(5) })],
      NOW - minutes(9),
    ],
  ])('unsoaked since, when %s', (_name, entries, since) => {
    expect(unsoakedSince(entries, NOW, days(10))).toBe(since);
  });
});
