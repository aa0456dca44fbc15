import { hours, minutes } from '#kernel';
import { describe, expect, it, vi } from 'vitest';
import { abortRoll, resumeRoll, type RollMemory } from './memory.js';
import { drive, type Story } from './test-world/drive.js';
import { checkClean } from './test-world/invariants.js';
import { mastersAndWorkers, testPolicy, workersOnly } from './test-world/stories.js';
import { RollWorld } from './test-world/world.js';
import { START } from './test-world/world-types.js';

vi.setConfig({ testTimeout: 60_000 });

/** Aborts when two nodes were replaced. */
const abortOnce = (world: RollWorld) => (memory: RollMemory) =>
  world.terminations.length === 2 && !memory.aborted
    ? abortRoll(memory, { updateId: 'u1', at: world.now, by: 'ada', reason: 'wrong image' })
    : memory;
const abortAt =
  (pass: number): NonNullable<Story['operator']> =>
  (memory: RollMemory, now) =>
    now === pass
      ? abortRoll(memory, { updateId: 'u1', at: START, by: 'ada', reason: 'wrong image' })
      : memory;

describe('an aborted roll', () => {
  it('ends clean whichever pass it is aborted in, and its finished nodes stay finished', () => {
    const whole = drive(new RollWorld(mastersAndWorkers), { policy: testPolicy() });
    const ends = new Set<string>();
    for (let pass = 1; pass < whole.passes; pass += 1) {
      const world = new RollWorld(mastersAndWorkers);
      const limits = { movesAgain: true };
      const end = drive(world, { policy: testPolicy(), limits, operator: abortAt(pass) });
      ends.add(end.decision.state);
      expect(end.decision.state, `aborted in pass ${pass}: ${end.decision.message}`).toMatch(/aborted|done/);
      checkClean(world);
      expect(new Set(world.terminations).size, `pass ${pass}`).toBe(world.terminations.length);
    }
    expect([...ends].sort()).toEqual(['aborted', 'done']);
  });

  it('drains no further node, takes the surge back and says who did it', async () => {
    const world = new RollWorld(workersOnly(4));
    const end = drive(world, {
      policy: testPolicy(),
      limits: { movesAgain: true },
      operator: abortOnce(world),
    });
    expect(end.decision.state).toBe('aborted');
    expect(end.decision.message).toContain('ada: wrong image');
    expect(world.group('asg-workers').desired).toBe(4);
    expect(world.allInstances().filter(({ original }) => original)).toHaveLength(2);
    await expect(end.log.join('\n')).toMatchFileSnapshot('./test-world/abort.golden.txt');
  });

  it('asks no more for surge that AWS could not launch', () => {
    const world = new RollWorld(workersOnly(3, { bootMs: hours(40) }));
    const end = drive(world, { policy: testPolicy(), operator: abortAt(6) });
    expect(end.decision.state).toBe('aborted');
    checkClean(world);
    expect(world.allInstances().every(({ original }) => original)).toBe(true);
  });

  it('goes on after a resume and writes nothing until then', () => {
    const world = new RollWorld(workersOnly(3));
    const limits = { movesAgain: true };
    const first = drive(world, { policy: testPolicy(), limits, operator: abortAt(12) });
    expect(first.decision.state).toBe('aborted');
    const again = drive(world, { policy: testPolicy(), operator: () => first.memory });
    expect(again.decision.actions).toEqual([]);
    let resumed = false;
    const end = drive(world, {
      policy: testPolicy(),
      limits,
      operator: (memory, pass) => {
        if (pass > 0) return memory;
        resumed = true;
        return resumeRoll(first.memory);
      },
    });
    expect(resumed).toBe(true);
    expect(end.decision.state).toBe('done');
    expect(world.allInstances().some(({ original }) => original)).toBe(false);
    checkClean(world);
  });

  it('does not take the age of a node that was there before for the time of a boot', () => {
    const world = new RollWorld(workersOnly(3, { bootMs: minutes(2) }));
    const limits = { movesAgain: true };
    const first = drive(world, { policy: testPolicy(), limits, operator: abortOnce(world) });
    expect(first.decision.state).toBe('aborted');
    expect(world.allInstances().some(({ original }) => !original)).toBe(true);
    world.advance(minutes(10), true);
    const end = drive(world, {
      policy: testPolicy(),
      limits,
      operator: (memory, pass) => (pass === 0 ? first.memory : memory),
      scope: () => ({ updateId: 'u2' }),
    });
    expect(end.decision.state).toBe('done');
    for (const pool of Object.values(end.memory.pools)) expect(pool.bootMs).toBeLessThan(minutes(3));
  });

  it('is forgotten by the next update', () => {
    const world = new RollWorld(workersOnly(2));
    const limits = { movesAgain: true };
    const first = drive(world, { policy: testPolicy(), limits, operator: abortAt(8) });
    const end = drive(world, {
      policy: testPolicy(),
      operator: (memory, pass) => (pass === 0 ? first.memory : memory),
      limits,
      scope: () => ({ updateId: 'u2' }),
      maxMs: minutes(600),
    });
    expect(end.decision.state).toBe('done');
    checkClean(world);
  });
});
