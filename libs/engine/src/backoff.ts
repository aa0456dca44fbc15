import type { Duration, Failure, Instant } from '#kernel';
import { assertNever, minutes, seconds } from '#kernel';

/**
 * When a cluster that failed is tried again, from the class of the failure and how often it failed in a row.
 * Undefined: never by itself (a new revision, a changed record or a person wakes it).
 */
export function retryDelay(failure: Failure, consecutive: number, spread: number): Duration | undefined {
  const backoff = (first: Duration, most: Duration): Duration =>
    Math.min(most, first * 2 ** Math.max(0, Math.min(consecutive - 1, 20))) * (1 + 0.2 * spread);
  switch (failure.class) {
    case 'transient':
      return backoff(seconds(5), consecutive > 5 ? minutes(60) : seconds(60));
    case 'throttled':
      return Math.max(failure.retryAfterMs ?? 0, backoff(seconds(5), seconds(60)));
    case 'conflict':
      return consecutive <= 5 ? seconds(1) : backoff(seconds(1), seconds(60));
    case 'blocked':
      return seconds(60);
    case 'denied':
      return minutes(5);
    case 'invalid':
    case 'terminal':
    case 'bug':
      return undefined;
    default:
      return assertNever(failure.class);
  }
}

/** A stable number in [0, 1) from a text: spreads many clusters over time without randomness. */
export function spreadOf(text: string): number {
  let hash = 2166136261;
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 16777619) >>> 0;
  }
  return hash / 2 ** 32;
}

/** `now + interval`, moved by up to 20 % by the spread. */
export const spreadInterval = (now: Instant, interval: Duration, key: string): Instant =>
  now + interval * (0.9 + 0.2 * spreadOf(key));
