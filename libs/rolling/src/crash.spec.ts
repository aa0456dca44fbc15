import { minutes } from '#kernel';
import { describe, expect, it, vi } from 'vitest';
import type { RollMemory } from './memory.js';
import { drive, type Ending, type Story } from './test-world/drive.js';
import { checkClean } from './test-world/invariants.js';
import { small, testPolicy, workersOnly } from './test-world/stories.js';
import { RollWorld } from './test-world/world.js';

vi.setConfig({ testTimeout: 60_000 });

/** Every way to die: in each pass before its first call, and after each of its calls. */
const deaths = (whole: Ending): readonly NonNullable<Story['crash']>[] =>
  whole.calls.flatMap((count, pass) => Array.from({ length: count + 1 }, (_, after) => ({ pass, after })));

/** Tells by instance when its drain began, and refuses that it begins a second time on the same node. */
class DrainStarts {
  readonly of = new Map<string, number>();

  readonly watch = (memory: RollMemory): RollMemory => {
    for (const [id, { drainStartedAt, state }] of Object.entries(memory.instances)) {
      const known = this.of.get(id);
      if (known !== undefined && state === 'draining') expect(drainStartedAt, id).toBe(known);
      if (drainStartedAt !== undefined) this.of.set(id, drainStartedAt);
    }
    return memory;
  };
}

describe('a pass that dies', () => {
  it('after any of its calls ends like one that does not, and no drain begins anew', () => {
    const whole = drive(new RollWorld(small), { policy: testPolicy() });
    for (const crash of deaths(whole)) {
      const world = new RollWorld(small);
      const starts = new DrainStarts();
      const end = drive(world, { policy: testPolicy(), crash, operator: starts.watch });
      const when = `killed in pass ${crash.pass} after ${crash.after} calls`;
      expect(end.decision.state, when).toBe('done');
      expect(world.terminations, when).toHaveLength(4);
      expect(world.launches, when).toBe(4);
      expect(starts.of.size, when).toBe(4);
      checkClean(world);
    }
  });

  it('does not give a node that a PDB holds more time: it is quarantined when it would have been', () => {
    const held = workersOnly(3, {
      workloads: [
        { name: 'web', replicas: 3, maxUnavailable: 1 },
        { name: 'single', replicas: 1, maxUnavailable: 0 },
      ],
    });
    const policy = testPolicy({ blockedDeadline: minutes(10) });
    const play = (crash?: Story['crash']) => {
      const world = new RollWorld(held);
      const starts = new DrainStarts();
      const end = drive(world, {
        policy,
        operator: starts.watch,
        until: ({ state, nodes }) =>
          state === 'blocked' && nodes.some((node) => node.state === 'quarantined'),
        ...(crash && { crash }),
      });
      const [left] = Object.values(end.memory.instances).filter(({ state }) => state === 'quarantined');
      return { world, end, at: (left?.since ?? 0) - world.began };
    };
    const whole = play();
    for (const crash of deaths(whole.end)) {
      const { world, end, at } = play(crash);
      const when = `killed in pass ${crash.pass} after ${crash.after} calls`;
      expect(end.decision.progress, when).toEqual({ done: 2, total: 3 });
      expect(world.terminations, when).toEqual(whole.world.terminations);
      expect(world.launches, when).toBe(whole.world.launches);
      expect(Math.abs(at - whole.at), when).toBeLessThanOrEqual(policy.pollInterval * 2);
      expect(world.granted, when).toEqual([]);
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
