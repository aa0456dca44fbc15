import { describe, expect, it, vi } from 'vitest';
import { drive } from './test-world/drive.js';
import { checkClean } from './test-world/invariants.js';
import { testPolicy } from './test-world/stories.js';
import type { WorldSpec } from './test-world/world-types.js';
import { RollWorld } from './test-world/world.js';

vi.setConfig({ testTimeout: 120_000 });

/** mulberry32 over a seed: the story is made before the world exists. */
function dice(seed: number): (most: number) => number {
  let state = seed;
  return (most) => {
    state = (Math.imul(state ^ (state >>> 15), state | 1) + 0x6d2b79f5) >>> 0;
    return state % most;
  };
}

function randomWorld(seed: number): { spec: WorldSpec; surge: number; drains: number } {
  const roll = dice(seed * 2_654_435_761);
  const workers = 2 + roll(5);
  const workloads = Array.from({ length: 1 + roll(4) }, (_, i) => {
    const replicas = 1 + roll(6);
    const covered = roll(3) > 0 && replicas > 1;
    return {
      name: `app${i}`,
      replicas,
      graceMs: 1_000 + roll(60) * 1_000,
      startMs: 1_000 + roll(40) * 1_000,
      volumes: roll(4) === 0,
      priority: roll(5) === 0 ? 2_000_000_000 : 0,
      ...(covered && { maxUnavailable: 1 + roll(2) }),
    };
  });
  const spec: WorldSpec = {
    seed,
    anyZone: true,
    groups: [
      { name: 'asg-a', pool: 'a', size: workers, maxSize: workers + roll(3) },
      { name: 'asg-b', pool: 'b', size: 1 + roll(3) },
      {
        name: 'asg-m',
        pool: 'm',
        master: true,
        size: 1 + 2 * roll(2),
        targetGroups: ['arn:aws:x:targetgroup/api/1'],
      },
    ],
    workloads,
    bootMs: (launch) => 20_000 + ((launch * 7_919 + seed) % 200) * 1_000,
    deregistrationMs: roll(60) * 1_000,
    terminateMs: 1_000 + roll(60) * 1_000,
  };
  return { spec, surge: 1 + roll(3), drains: 1 + roll(2) };
}

describe('random clusters', () => {
  it('are rolled without breaking an invariant, whatever the order of the actions and wherever a pass dies', () => {
    for (let seed = 1; seed <= 60; seed += 1) {
      const { spec, surge, drains } = randomWorld(seed);
      const world = new RollWorld(spec);
      const total = world.allInstances().length;
      const policy = testPolicy({
        maxSurge: surge,
        parallelDrains: drains,
        clusterParallelDrains: drains + 1,
      });
      const limits = { surge, parallelDrains: drains };
      const crash = { pass: seed * 3, after: seed % 4 };
      const end = drive(world, { policy, limits, shuffle: true, crash });
      expect(end.decision.state, `seed ${seed}: ${end.decision.message}`).toBe('done');
      expect(world.terminations, `seed ${seed}`).toHaveLength(total);
      expect(world.launches, `seed ${seed}`).toBe(total);
      expect(end.moved, `seed ${seed}`).toEqual([]);
      checkClean(world);
    }
  });
});
