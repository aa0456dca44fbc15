import { describe, expect, it, vi } from 'vitest';
import {
  lowerBound,
  optimum,
  rollInBatches,
  rollUneven,
  TRIED,
  unevenRoll,
  type UnevenRoll,
} from './test-world/uneven.js';

vi.setConfig({ testTimeout: 300_000 });

/** Drawn before any of them was looked at. */
const SEEDS = Array.from({ length: 300 }, (_, index) => 1_001 + index);
const mean = (values: readonly number[]): number => values.reduce((sum, one) => sum + one, 0) / values.length;
const line = (name: string, values: readonly number[]): string =>
  `${name}: ${values.length} rolls, mean ${mean(values).toFixed(3)}, worst ${Math.min(...values).toFixed(3)}`;

function etaOf(roll: UnevenRoll): number {
  const { end, world } = rollUneven(roll);
  expect(end.decision.state, `seed ${roll.seed}`).toBe('done');
  expect(world.launches, `seed ${roll.seed}`).toBe(roll.drains.length);
  expect(world.rebalanced, `seed ${roll.seed}`).toEqual([]);
  expect(end.moved, `seed ${roll.seed}`).toEqual([]);
  return optimum(roll) / end.elapsedMs;
}

describe('300 rolls of pools of 3 to 24 nodes with uneven drains', () => {
  it('use their time; batches of three with a barrier do not', async () => {
    const rolls = SEEDS.map(unevenRoll);
    const rolled = rolls.map((roll) => ({ roll, eta: etaOf(roll) }));
    const batched = rolls.map((roll) => {
      // The control is given the same places and slots as the batch needs: it still loses by its barrier.
      const three = { ...roll, surge: 3, parallel: 3 };
      return lowerBound(three) / rollInBatches(three);
    });
    const of = (kept: (roll: UnevenRoll) => boolean): readonly number[] =>
      rolled.filter(({ roll }) => kept(roll)).map(({ eta }) => eta);
    const all = of(() => true);
    const small = of(({ drains }) => drains.length <= TRIED);
    const figures = [
      line('Fairway', all),
      line(`of at most ${TRIED} nodes, against the best of all orders`, small),
      line(
        'of more, against the lower bound',
        of(({ drains }) => drains.length > TRIED),
      ),
      line('batches of three', batched),
    ].join('\n');
    await expect(figures).toMatchFileSnapshot('./test-world/uneven.golden.txt');
    for (const values of [all, small]) {
      expect(mean(values), figures).toBeGreaterThanOrEqual(0.95);
      expect(Math.min(...values), figures).toBeGreaterThanOrEqual(0.8);
    }
    expect(mean(batched), figures).toBeLessThan(0.85);
  });
});
