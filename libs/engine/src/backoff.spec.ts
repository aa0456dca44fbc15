import { describe, expect, it } from 'vitest';
import { hours, minutes, seconds, type Failure, type FailureClass } from '#kernel';
import { retryDelay, spreadInterval, spreadOf } from './backoff.js';

const failure = (kind: FailureClass, retryAfterMs?: number): Failure => ({
  class: kind,
  code: 'some-code',
  message: 'some message',
  ...(retryAfterMs !== undefined && { retryAfterMs }),
});

describe('retryDelay', () => {
  it.each<[FailureClass, number, number | undefined]>([
    ['transient', 1, seconds(5)],
    ['transient', 2, seconds(10)],
    ['transient', 5, seconds(60)],
    ['transient', 6, seconds(160)],
    ['transient', 50, minutes(60)],
    ['throttled', 1, seconds(5)],
    ['throttled', 50, seconds(60)],
    ['conflict', 1, seconds(1)],
    ['conflict', 5, seconds(1)],
    ['conflict', 6, seconds(32)],
    ['conflict', 50, seconds(60)],
    ['blocked', 1, seconds(60)],
    ['denied', 9, minutes(5)],
    ['invalid', 1, undefined],
    ['terminal', 1, undefined],
    ['bug', 1, undefined],
  ])('%s, %i in a row: %s ms', (kind, consecutive, expected) => {
    expect(retryDelay(failure(kind), consecutive, 0)).toBe(expected);
  });

  it('waits at least as long as the other side asked', () => {
    expect(retryDelay(failure('throttled', hours(1)), 1, 0)).toBe(hours(1));
    expect(retryDelay(failure('throttled', 10), 1, 0)).toBe(seconds(5));
  });

  it('spreads by at most a fifth', () => {
    expect(retryDelay(failure('transient'), 1, 0.5)).toBe(seconds(5.5));
    expect(retryDelay(failure('transient'), 1, 1)).toBe(seconds(6));
  });
});

describe('spread', () => {
  it('is stable, in [0, 1), and differs between clusters', () => {
    const values = Array.from({ length: 200 }, (_none, index) =>
      spreadOf(`aws:${index}:eu-central-1:kube-1`),
    );
    expect(values.every((value) => value >= 0 && value < 1)).toBe(true);
    expect(new Set(values).size).toBe(200);
    expect(spreadOf('a')).toBe(spreadOf('a'));
    expect(Math.max(...values) - Math.min(...values)).toBeGreaterThan(0.8);
  });

  it('moves an interval by at most a tenth to either side', () => {
    for (const key of ['a', 'b', 'c', 'kube-1', 'kube-2']) {
      const at = spreadInterval(1_000_000, minutes(10), key) - 1_000_000;
      expect(at).toBeGreaterThanOrEqual(minutes(9));
      expect(at).toBeLessThan(minutes(11));
    }
  });
});
