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
  const times = [
    { b: 120_000, drain: 180_000 },
    { b: 300_000, drain: 180_000 },
    { b: 300_000, drain: 420_000 },
  ];
  const small = [1, 2, 3, 4, 5, 6].flatMap((s) =>
    [1, 2, 3].map((p) => ({ n: 12, s, p, ...(times[(s + p) % times.length] ?? times[0]) })),
  ) as readonly { n: number; s: number; p: number; b: number; drain: number }[];
  const large = [
    { s: 1, p: 1 },
    { s: 3, p: 2 },
    { s: 6, p: 3 },
  ].map((each) => ({ n: 60, b: 300_000, drain: 180_000, ...each }));

  it.each([...small, ...large])(
    'of equal nodes is within 3 %% of the bound: n $n, surge $s, drains $p, boot $b ms, drain $drain ms',
    ({ n, s, p, b, drain }) => {
      const spec = workersOnly(n, {
        bootMs: b,
        terminateMs: TERMINATE,
        workloads: [{ name: 'web', replicas: n, graceMs: drain, maxUnavailable: n }],
      });
      const world = new RollWorld(spec);
      const policy = testPolicy({ ...timings, maxSurge: s, parallelDrains: p, clusterParallelDrains: p });
      const limits = { surge: s, parallelDrains: p };
      const end = drive(world, { policy, limits, keepMemory: true });
      expect(end.decision.state).toBe('done');
      expect(world.launches).toBe(n);
      // The drain seen from outside: grace, the two reads that find nothing, termination.
      const bound = rollDuration({ n, s, u: 0, p, b, e: drain + timings.drainedReadGap + TERMINATE });
      expect(bound / end.elapsedMs).toBeGreaterThan(0.97);
    },
  );

  it.each([2, 4, 9, 14])(
    'max_surge auto hides a boot of %d minutes completely at one drain at a time',
    (boot) => {
      const [n, drain] = [24, 420_000];
      const spec = workersOnly(n, {
        bootMs: boot * 60_000,
        terminateMs: TERMINATE,
        workloads: [{ name: 'web', replicas: n, graceMs: drain, maxUnavailable: n }],
      });
      const world = new RollWorld(spec);
      const end = drive(world, {
        policy: testPolicy({ ...timings, maxSurge: 'auto' }),
        limits: { surge: 4 },
        keepMemory: true,
      });
      expect(end.decision.state).toBe('done');
      // Nothing but the first boot, then one drain after the other without a gap.
      const drains = n * (drain + timings.drainedReadGap + TERMINATE);
      expect((boot * 60_000 + drains) / end.elapsedMs).toBeGreaterThan(0.97);
      expect(end.decision.efficiency[0]?.spent.boot ?? 0).toBeLessThan(boot * 60_000 * 1.1 + 60_000);
    },
  );
});
