import fc from 'fast-check';
import { DateTime } from 'luxon';
import { describe, expect, it } from 'vitest';
import type { Freeze, TimeWindow } from './policy.js';
import { freezeInterval, openingAt } from './windows.js';

const at = (text: string, zone = 'Europe/Berlin'): number => DateTime.fromISO(text, { zone }).toMillis();
const MINUTE = 60_000;

/** The definition itself: look at the wall clock. */
function oracle(window: TimeWindow, now: number): boolean {
  const local = DateTime.fromMillis(now, { zone: window.tz });
  const minute = local.hour * 60 + local.minute;
  const today = window.days.includes(local.weekday);
  const yesterday = window.days.includes(local.weekday === 1 ? 7 : local.weekday - 1);
  if (window.end > window.start) return today && minute >= window.start && minute < window.end;
  return (today && minute >= window.start) || (yesterday && minute < window.end);
}

const window = fc
  .record({
    days: fc.uniqueArray(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 7 }),
    start: fc.integer({ min: 0, max: 95 }).map((n) => n * 15),
    end: fc.integer({ min: 0, max: 96 }).map((n) => n * 15),
    tz: fc.constantFrom(
      'Europe/Berlin',
      'America/New_York',
      'Australia/Lord_Howe',
      'UTC',
      'Asia/Kathmandu',
      'Pacific/Apia',
    ),
  })
  .filter((one) => one.start !== one.end && !(one.start === 0 && one.end === 0)) as fc.Arbitrary<TimeWindow>;

describe('windows', { timeout: 60_000 }, () => {
  it('agree with a brute-force oracle around both changes of the clock', () => {
    const around = fc.constantFrom(
      '2026-03-29T03:00',
      '2026-10-25T03:00',
      '2026-04-05T02:00',
      '2026-10-04T02:00',
      '2026-11-01T01:30',
      '2026-03-08T02:30',
    );
    fc.assert(
      fc.property(window, around, fc.integer({ min: -2 * 1440, max: 2 * 1440 }), (one, day, minutes) => {
        const now = at(day, 'UTC') + minutes * MINUTE;
        expect(openingAt([one], undefined, now).open).toBe(oracle(one, now));
      }),
      { numRuns: 2000 },
    );
  });

  it('say exactly when they open next', () => {
    fc.assert(
      fc.property(
        window,
        fc.constantFrom('2026-03-28T00:00', '2026-10-24T00:00', '2026-10-31T12:00'),
        fc.integer({ min: 0, max: 3 * 1440 }),
        (one, day, minutes) => {
          const now = at(day, 'UTC') + minutes * MINUTE;
          const opening = openingAt([one], undefined, now);
          if (opening.open) return;
          let expected = now;
          while (!oracle(one, expected)) expected += MINUTE;
          expect(opening.nextOpen).toBe(expected);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('leave out an hour that the clock skips and repeat one that it repeats', () => {
    const night: TimeWindow = { days: [7], start: 150, end: 165, tz: 'Europe/Berlin' };
    expect(openingAt([night], undefined, at('2026-03-29T00:00')).nextOpen).toBe(at('2026-04-05T02:30'));
    const first = Date.parse('2026-10-25T00:30:00Z');
    expect(openingAt([night], undefined, first).open).toBe(true);
    expect(openingAt([night], undefined, first + 20 * MINUTE)).toMatchObject({
      open: false,
      nextOpen: Date.parse('2026-10-25T01:30:00Z'),
    });
  });

  it('are beaten by a freeze, whose last day counts', () => {
    const freeze: Freeze = { from: '2026-12-20', to: '2027-01-04', tz: 'Europe/Berlin', reason: 'year end' };
    const monToThu: TimeWindow = { days: [1, 2, 3, 4], start: 480, end: 960, tz: 'Europe/Berlin' };
    expect(freezeInterval(freeze)?.to).toBe(at('2027-01-05T00:00'));
    const opening = openingAt([monToThu], [freeze], at('2026-12-22T10:00'));
    expect(opening).toEqual({
      open: false,
      reason: 'frozen until 2027-01-04: year end',
      nextOpen: at('2027-01-05T08:00'),
    });
    expect(openingAt(undefined, [freeze], at('2026-12-22T10:00')).nextOpen).toBe(at('2027-01-05T00:00'));
    expect(openingAt(undefined, undefined, 0)).toEqual({ open: true });
  });
});
