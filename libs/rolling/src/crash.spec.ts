import { describe, expect, it, vi } from 'vitest';
import { drive } from './test-world/drive.js';
import { checkClean } from './test-world/invariants.js';
import { small, testPolicy } from './test-world/stories.js';
import { RollWorld } from './test-world/world.js';

describe('a pass that dies', () => {
  vi.setConfig({ testTimeout: 60_000 });
  const whole = drive(new RollWorld(small), { policy: testPolicy() });

  it.each([0, 1, 2])('after %d of its actions ends like one that does not, whichever pass it is', (after) => {
    for (let pass = 0; pass < whole.passes; pass += 1) {
      const world = new RollWorld(small);
      const end = drive(world, { policy: testPolicy(), crash: { pass, after } });
      expect(end.decision.state, `killed in pass ${pass}`).toBe('done');
      expect(world.terminations, `killed in pass ${pass}`).toHaveLength(4);
      expect(world.launches, `killed in pass ${pass}`).toBe(4);
      checkClean(world);
    }
  });

  it('loses its whole memory and still ends clean, with sizes from the tag on the group', () => {
    const world = new RollWorld(small);
    drive(world, { policy: testPolicy(), until: () => world.terminations.length === 3 });
    const end = drive(world, { policy: testPolicy() });
    expect(end.decision.state).toBe('done');
    expect(world.terminations).toHaveLength(4);
    checkClean(world);
  });
});
