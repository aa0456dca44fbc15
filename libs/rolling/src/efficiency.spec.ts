import { describe, expect, it, vi } from 'vitest';
import { rollDuration } from './duration.js';
import { drive } from './test-world/drive.js';
import { testPolicy, workersOnly } from './test-world/stories.js';
import { RollWorld } from './test-world/world.js';

/** Short: a group launches the replacement when it begins to terminate, which the recurrence does not know. */
const TERMINATE = 1_000;
const timings = { minReady: 0, drainedReadGap: 5_000, pollInterval: 15_000, lookAfterAction: 100 };

vi.setConfig({ testTimeout: 60_000 });

describe('duration of a roll', () => {
  const small = [1, 2, 3, 6].flatMap((s) =>
    [1, 3].flatMap((p) => [120_000, 300_000].map((b) => ({ n: 12, s, p, b }))),
  );
  const large = [1, 3].map((s) => ({ n: 60, s, p: s, b: 300_000 }));

  it.each([...small, ...large])(
    'of equal nodes is within 3 %% of the bound: n $n, surge $s, drains $p, boot $b ms',
    ({ n, s, p, b }) => {
      const drain = 180_000;
      const spec = workersOnly(n, {
        bootMs: b,
        terminateMs: TERMINATE,
        workloads: [{ name: 'web', replicas: n, graceMs: drain, maxUnavailable: n }],
      });
      const world = new RollWorld(spec);
      const policy = testPolicy({ ...timings, maxSurge: s, parallelDrains: p, clusterParallelDrains: p });
      const limits = { surge: s, parallelDrains: p };
      const end = drive(world, { policy, limits });
      expect(end.decision.state).toBe('done');
      expect(world.launches).toBe(n);
      // The drain seen from outside: grace, the two reads that find nothing, termination.
      const bound = rollDuration({ n, s, u: 0, p, b, e: drain + timings.drainedReadGap + TERMINATE });
      expect(bound / end.elapsedMs).toBeGreaterThan(0.97);
    },
  );
});
