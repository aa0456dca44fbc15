import { describe, expect, it, vi } from 'vitest';
import { lowerBound, rollInBatches, rollUneven, unevenRoll } from './test-world/uneven.js';

vi.setConfig({ testTimeout: 300_000 });

const SEEDS = 300;
const mean = (values: readonly number[]): number => values.reduce((sum, one) => sum + one, 0) / values.length;

describe('300 rolls of pools with uneven drains', () => {
  it('use their time; batches of three with a barrier do not', async () => {
    const rolled: number[] = [];
    const batched: number[] = [];
    for (let seed = 1; seed <= SEEDS; seed += 1) {
      const roll = unevenRoll(seed);
      const { end, world } = rollUneven(roll);
      expect(end.decision.state, `seed ${seed}`).toBe('done');
      expect(world.launches, `seed ${seed}`).toBe(roll.drains.length);
      expect(end.moved, `seed ${seed}`).toEqual([]);
      rolled.push(lowerBound(roll) / end.elapsedMs);
      // The control is given the same places and slots as the batch needs: it still loses by its barrier.
      const three = { ...roll, surge: 3, parallel: 3 };
      batched.push(lowerBound(three) / rollInBatches(three));
    }
    const line = (name: string, values: readonly number[]): string =>
      `${name}: mean ${mean(values).toFixed(3)}, worst ${Math.min(...values).toFixed(3)}`;
    const figures = [line('Fairway', rolled), line('batches of three', batched)].join('\n');
    await expect(figures).toMatchFileSnapshot('./test-world/uneven.golden.txt');
    expect(mean(rolled), figures).toBeGreaterThanOrEqual(0.95);
    expect(Math.min(...rolled), figures).toBeGreaterThanOrEqual(0.8);
    expect(mean(batched), figures).toBeLessThan(0.85);
  });
});
