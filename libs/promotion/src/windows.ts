import { DateTime, IANAZone } from 'luxon';
import type { Instant } from '#kernel';
import type { Freeze, TimeWindow } from './policy.js';

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;
const MINUTES_PER_DAY = 1440;
/** Long enough to meet every weekly window at least once, also across a change of the clock. */
const HORIZON_DAYS = 9;
/** Freezes in a row that are looked through before giving up on a next opening. */
const MAX_FREEZES = 100;

/** A stretch of time, end not included. */
export interface Interval {
  readonly from: Instant;
  readonly to: Instant;
}

export interface Opening {
  readonly open: boolean;
  /** Why it is closed, for people. */
  readonly reason?: string;
  /** Where closed: when it opens. Undefined if never within what is known. */
  readonly nextOpen?: Instant;
}

/**
 * Whether something may start now. A freeze beats every window; no windows at all means always open. The wall clock of
 * the window's zone decides: an hour that the clock repeats is open twice, one that it skips is not there.
 */
export function openingAt(
  windows: readonly TimeWindow[] | undefined,
  freezes: readonly Freeze[] | undefined,
  now: Instant,
): Opening {
  const freeze = freezeAt(freezes, now);
  if (freeze === undefined && isInWindow(windows, now)) return { open: true };
  const reason =
    freeze === undefined
      ? `outside of the windows ${(windows ?? []).map(describeWindow).join('; ')}`
      : `frozen until ${freeze.freeze.to}: ${freeze.freeze.reason}`;
  const next = nextOpening(windows, freezes, now);
  return { open: false, reason, ...(next !== undefined && { nextOpen: next }) };
}

function nextOpening(
  windows: readonly TimeWindow[] | undefined,
  freezes: readonly Freeze[] | undefined,
  now: Instant,
): Instant | undefined {
  let at = now;
  for (let tries = 0; tries < MAX_FREEZES; tries += 1) {
    const opened = windowOpeningFrom(windows, at);
    if (opened === undefined) return undefined;
    const freeze = freezeAt(freezes, opened);
    if (freeze === undefined) return opened;
    at = freeze.interval.to;
  }
  return undefined;
}

/** First instant at or after `at` that some window covers. */
function windowOpeningFrom(windows: readonly TimeWindow[] | undefined, at: Instant): Instant | undefined {
  if (windows === undefined || windows.length === 0) return at;
  let best: Instant | undefined;
  for (const window of windows) {
    for (const interval of windowIntervals(window, at, at + HORIZON_DAYS * DAY_MS)) {
      const opened = Math.max(interval.from, at);
      if (interval.to > at && (best === undefined || opened < best)) best = opened;
    }
  }
  return best;
}

const isInWindow = (windows: readonly TimeWindow[] | undefined, now: Instant): boolean =>
  windows === undefined ||
  windows.length === 0 ||
  windows.some((window) => {
    const local = now + IANAZone.create(window.tz).offset(now) * MINUTE_MS;
    return localIntervals(window, local, local + 1).some(({ from, to }) => from <= local && local < to);
  });

/** Intervals of real time in which the wall clock of the zone is inside the window, within [from, to). */
export function windowIntervals(window: TimeWindow, from: Instant, to: Instant): readonly Interval[] {
  const intervals: Interval[] = [];
  for (const part of constantOffsetParts(IANAZone.create(window.tz), from, to)) {
    const shift = part.offsetMinutes * MINUTE_MS;
    for (const local of localIntervals(window, part.from + shift, part.to + shift)) {
      const start = Math.max(local.from - shift, part.from);
      const end = Math.min(local.to - shift, part.to);
      if (start < end) intervals.push({ from: start, to: end });
    }
  }
  return intervals;
}

/** Intervals on a clock that runs through without changes, touching [from, to). */
function localIntervals(window: TimeWindow, from: number, to: number): readonly Interval[] {
  const intervals: Interval[] = [];
  const length =
    window.end > window.start ? window.end - window.start : window.end + MINUTES_PER_DAY - window.start;
  for (let day = Math.floor(from / DAY_MS) - 1; day * DAY_MS < to; day += 1) {
    if (!window.days.includes(weekdayOf(day))) continue;
    const start = day * DAY_MS + window.start * MINUTE_MS;
    intervals.push({ from: start, to: start + length * MINUTE_MS });
  }
  return intervals;
}

/** 1 = Monday. Day 0 of the epoch was a Thursday. */
const weekdayOf = (epochDay: number): number => ((((epochDay + 3) % 7) + 7) % 7) + 1;

interface OffsetPart extends Interval {
  readonly offsetMinutes: number;
}

/** Cuts [from, to) where the zone changes its offset. Zones change at most once a day and on whole minutes. */
function constantOffsetParts(zone: IANAZone, from: Instant, to: Instant): readonly OffsetPart[] {
  const parts: OffsetPart[] = [];
  let start = from;
  let offset = zone.offset(from);
  for (let at = from; at < to; at += DAY_MS) {
    const until = Math.min(at + DAY_MS, to);
    const next = zone.offset(until);
    if (next === offset) continue;
    const change = changeBetween(zone, at, until, offset);
    parts.push({ from: start, to: change, offsetMinutes: offset });
    start = change;
    offset = next;
  }
  parts.push({ from: start, to, offsetMinutes: offset });
  return parts.filter((part) => part.from < part.to);
}

function changeBetween(zone: IANAZone, from: Instant, to: Instant, offsetBefore: number): Instant {
  let low = from;
  let high = to;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (zone.offset(middle) === offsetBefore) low = middle;
    else high = middle;
  }
  return high;
}

/** When a freeze holds. Undefined where a date does not exist or the order is wrong. */
export function freezeInterval(freeze: Freeze): Interval | undefined {
  const from = DateTime.fromISO(freeze.from, { zone: freeze.tz });
  const until = DateTime.fromISO(freeze.to, { zone: freeze.tz });
  if (!from.isValid || !until.isValid) return undefined;
  const to = freeze.to.includes('T') ? until : until.plus({ days: 1 }).startOf('day');
  return from.toMillis() < to.toMillis() ? { from: from.toMillis(), to: to.toMillis() } : undefined;
}

function freezeAt(
  freezes: readonly Freeze[] | undefined,
  now: Instant,
): { readonly freeze: Freeze; readonly interval: Interval } | undefined {
  for (const freeze of freezes ?? []) {
    const interval = freezeInterval(freeze);
    if (interval !== undefined && interval.from <= now && now < interval.to) return { freeze, interval };
  }
  return undefined;
}

const DAY_NAMES = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'] as const;
const clock = (minute: number): string =>
  `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`;

export const describeWindow = (window: TimeWindow): string =>
  `${window.days.map((day) => DAY_NAMES[day - 1]).join(',')} ${clock(window.start)}-${clock(window.end)} ${window.tz}`;
