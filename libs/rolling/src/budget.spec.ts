import { minutes } from '#kernel';
import { describe, expect, it, vi } from 'vitest';
import { drive } from './test-world/drive.js';
import { testPolicy, workersOnly } from './test-world/stories.js';
import type { WorldSpec } from './test-world/world-types.js';
import { RollWorld } from './test-world/world.js';

const NODES = 60;
/**
 * Calls of one look at a pool: groups, instances and activities from AWS; two pages of nodes and pods, PDBs and volume
 * attachments from Kubernetes, three for the readiness of its API; and as many again for what the other steps ask.
 */
const CALLS_PER_LOOK = 20;

interface Waited {
  readonly looksPerMinute: number;
  readonly evictionsPerMinute: number;
}

/** Half an hour of a roll that waits, looked at no sooner than what is due and what changes. */
function waitForHalfAnHour(spec: Partial<WorldSpec>): Waited {
  const world = new RollWorld(workersOnly(NODES, spec));
  let [looks, from] = [0, 0];
  const end = drive(world, {
    policy: testPolicy({ parkAfter: minutes(600), blockedDeadline: minutes(600), parallelDrains: 3 }),
    limits: { parallelDrains: 3 },
    before: () => {
      if (world.now - world.began >= minutes(20)) {
        from ||= world.now;
        looks += 1;
      }
    },
    until: () => world.now - world.began >= minutes(50),
  });
  const spent = (world.now - from) / minutes(1);
  const asked = end.log
    .flatMap((line) => /asked (\d+) times more/.exec(line)?.[1] ?? [])
    .reduce((sum, times) => sum + Number(times), 0);
  return {
    looksPerMinute: looks / spent,
    evictionsPerMinute: asked / ((world.now - world.began) / minutes(1)),
  };
}

vi.setConfig({ testTimeout: 120_000 });

describe('the API calls of a pool of 60 nodes', () => {
  it('are few while every drain is blocked, and evictions are asked for per PDB, not per pod', () => {
    const { looksPerMinute, evictionsPerMinute } = waitForHalfAnHour({
      workloads: [{ name: 'web', replicas: 240, maxUnavailable: 0 }],
    });
    expect((looksPerMinute * CALLS_PER_LOOK) / NODES).toBeLessThanOrEqual(5);
    // A dozen pods of one PDB on three nodes: one question a minute for all.
    expect(evictionsPerMinute).toBeGreaterThan(0);
    expect(evictionsPerMinute).toBeLessThanOrEqual(1.5);
  });

  it('are few while machines do not come', () => {
    const { looksPerMinute } = waitForHalfAnHour({
      noCapacity: { zone: 'a', forMs: minutes(600) },
      groups: [{ name: 'asg-workers', pool: 'workers', size: NODES, zones: ['a'] }],
    });
    expect((looksPerMinute * CALLS_PER_LOOK) / NODES).toBeLessThanOrEqual(5);
  });
});
