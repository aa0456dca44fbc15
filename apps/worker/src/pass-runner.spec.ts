import { expect, it } from 'vitest';
import {
  DEFAULT_ENGINE_SETTINGS,
  type ClusterReconciler,
  type EnginePorts,
  type InspectionPorts,
} from '#engine';
import type { Metrics } from '#platform';
import { PassRunner } from './pass-runner.js';
import type { WatchKeeper } from './watch-keeper.js';

it('looks at a channel for at most a tenth of the time, however often its clusters ring', async () => {
  let now = 0;
  let looks = 0;
  const rings: number[] = [];
  const ports = {
    clock: { now: () => now },
    // A look that takes 100 ms; somebody else has the channel, so nothing else happens.
    leases: {
      acquire: async () => {
        looks += 1;
        now += 100;
        return undefined;
      },
    },
    doorbell: { ring: async (_key: string, delay: number) => void rings.push(delay) },
  } as unknown as EnginePorts;
  const metrics = {
    passSeconds: { startTimer: () => () => undefined },
    passes: { inc: () => undefined },
  } as unknown as Metrics;
  const nobody = {} as ClusterReconciler & WatchKeeper;
  const runner = new PassRunner(
    ports,
    DEFAULT_ENGINE_SETTINGS,
    nobody,
    nobody,
    metrics,
    {} as InspectionPorts,
  );
  for (; now < 60_000; now += 10) await runner.run('channel/beta');
  expect(looks).toBeGreaterThan(50);
  expect(looks).toBeLessThanOrEqual(61);
  // No ring is lost: every one that came too early comes again when the rest is over.
  expect(rings.every((delay) => delay > 0 && delay <= 1_000)).toBe(true);
  expect(rings.length).toBeGreaterThan(1_000);
  // A clock that was set back keeps nobody waiting for long.
  now = -3_600_000;
  rings.length = 0;
  await runner.run('channel/beta');
  expect(rings[0]).toBeLessThanOrEqual(10_000);
});
