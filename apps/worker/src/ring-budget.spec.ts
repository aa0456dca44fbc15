import { expect, it } from 'vitest';
import { minutes, seconds } from '#kernel';
import { RingBudget } from './ring-budget.js';

/** Rings that sound within the time when the cluster changes every 200 ms. */
function rings(within: number, each: (budget: RingBudget, ring: number) => void = () => undefined): number {
  const budget = new RingBudget(seconds(5));
  let [count, freeAt] = [0, 0];
  for (let now = 0; now < within; now += 200) {
    if (now < freeAt) continue;
    freeAt = now + budget.take(now);
    if (freeAt < within) each(budget, (count += 1));
  }
  return count;
}

it('a cluster that never rests is looked at a dozen times at once, then as often as a poll would', () => {
  expect(rings(seconds(3))).toBe(12);
  expect(rings(minutes(10))).toBeLessThanOrEqual(12 + 120 + 1);
  expect(rings(minutes(10))).toBeGreaterThan(110);
});

it('a look that came to something costs nothing', () => {
  expect(rings(minutes(1), (budget) => budget.restore())).toBe(300);
  // One in ten comes to something: the nine others are within what may come at once.
  expect(rings(minutes(1), (budget, ring) => ring % 10 === 0 && budget.restore())).toBe(300);
});

it('a clock that is set back takes nothing away', () => {
  const budget = new RingBudget(seconds(5));
  budget.take(3_600_000);
  expect(budget.take(0)).toBe(0);
});
