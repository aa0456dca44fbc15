import { hours } from '#kernel';
import { describe, expect, it } from 'vitest';
import { drive } from './test-world/drive.js';
import { checkClean } from './test-world/invariants.js';
import { testPolicy, workersOnly } from './test-world/stories.js';
import { RollWorld } from './test-world/world.js';
import { START } from './test-world/world-types.js';

/** The first machines that the group launches come with the old template, whatever the group says. */
const launchesOld =
  (count: number) =>
  (world: RollWorld): void => {
    const launched = world.groups.flatMap((group) => group.instances).filter((one) => !one.original);
    for (const one of launched)
      if (Number(/\d+$/.exec(one.id)) <= count) Object.assign(one, { version: '1' });
  };

describe('a group that launches outdated instances', () => {
  it('is not rolled for ever', () => {
    const world = new RollWorld(workersOnly(4));
    const end = drive(world, {
      policy: testPolicy(),
      before: launchesOld(Number.POSITIVE_INFINITY),
      until: (decision) => decision.state === 'halted' || world.now > START + hours(24),
    });
    expect(end.decision.state).toBe('halted');
    expect(end.decision.message).toContain('outdated from the start');
    expect(world.launches).toBeLessThanOrEqual(4);
  });

  it('goes on where only what was under way came with the old template', () => {
    const world = new RollWorld(workersOnly(4));
    const end = drive(world, { policy: testPolicy(), before: launchesOld(2) });
    expect(end.decision.state).toBe('done');
    expect(world.launches).toBe(6);
    checkClean(world);
  });
});
