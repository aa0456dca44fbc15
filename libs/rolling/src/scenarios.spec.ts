import { hours, minutes } from '#kernel';
import { describe, expect, it, vi } from 'vitest';
import { drive } from './test-world/drive.js';
import { checkClean } from './test-world/invariants.js';
import { SCENARIOS, type Played } from './test-world/scenarios.js';
import { small, testPolicy } from './test-world/stories.js';
import { RollWorld } from './test-world/world.js';

vi.setConfig({ testTimeout: 60_000 });

const played = (name: string): Played => {
  const scenario = SCENARIOS[name];
  if (!scenario) throw new Error(`no scenario ${name}`);
  return scenario.play(1);
};
const golden = (name: string): string => `./test-world/${name}.golden.txt`;
const count = ({ end }: Played, words: string): number =>
  end.log.filter((line) => line.includes(words)).length;

/** Zone a waits for its capacity with its old nodes at work; b and c are done long before. */
function afterTheOthers({ end }: Played): void {
  const first = (zone: string): number =>
    end.log.findIndex((line) => line.includes(`cordon node-asg-${zone}`));
  const last = (zone: string): number =>
    end.log.findLastIndex((line) => line.includes(`terminate i-asg-${zone}`));
  expect(end.elapsedMs).toBeGreaterThan(minutes(40));
  expect(first('a')).toBeGreaterThan(Math.max(last('b'), last('c')));
  expect(end.log.some((line) => line.includes('! short-of-instances'))).toBe(true);
}

/** Six or seven nodes were of the middle version; every other one went from the first to the last directly. */
function straightToTheNewest({ world }: Played): void {
  const middle = world.terminations.filter((id) => id.startsWith('i-n')).length;
  expect(world.terminations.filter((id) => id.startsWith('i-asg'))).toHaveLength(12);
  expect(middle).toBeGreaterThanOrEqual(6);
  expect(middle).toBeLessThanOrEqual(8);
  expect(world.allInstances().every(({ version }) => version === '3')).toBe(true);
}

describe('hard cases', () => {
  const ends: readonly (readonly [string, (story: Played) => void])[] = [
    ['webhook-denies', (story) => expect(story.end.elapsedMs).toBeGreaterThan(minutes(10))],
    ['namespace-terminating', (story) => expect(count(story, 'quarantined')).toBe(0)],
    ['all-replicas-on-one-node', (story) => expect(count(story, 'evict')).toBe(8)],
    ['stateful-set-same-name', (story) => expect(story.world.terminations).toHaveLength(2)],
    ['zone-without-capacity', afterTheOthers],
    ['pause-for-three-days', (story) => expect(story.end.elapsedMs).toBeGreaterThan(hours(71))],
    ['commit-at-six-of-twelve', straightToTheNewest],
    ['blackout', (story) => expect(story.world.terminations).toHaveLength(7)],
  ];

  it.each(ends)('%s ends well, clean, and nothing moves twice', async (name, check) => {
    const story = played(name);
    expect(story.end.decision.state, story.end.decision.message).toBe('done');
    check(story);
    checkClean(story.world);
    // Pods on nodes of the commit in the middle have to move for the next one.
    if (name !== 'commit-at-six-of-twelve') expect(story.end.moved).toEqual([]);
    expect(new Set(story.world.terminations).size).toBe(story.world.terminations.length);
    expect(story.world.granted).toEqual([]);
    await expect(story.end.log.join('\n')).toMatchFileSnapshot(golden(name));
  });

  it('two PDBs are told at once and never asked', async () => {
    const story = played('two-pdbs');
    expect(story.end.decision.progress).toEqual({ done: 2, total: 3 });
    expect(count(story, '! drain-blocked-several-pdbs')).toBe(1);
    expect(count(story, 'evict apps/single')).toBe(0);
    expect(story.world.nodes().every((node) => !node.unschedulable)).toBe(true);
    await expect(story.end.log.join('\n')).toMatchFileSnapshot(golden('two-pdbs'));
  });

  it('an API that is away for 30 seconds at any pass changes nothing in the end', () => {
    const whole = drive(new RollWorld(small), { policy: testPolicy() });
    for (let at = 0; at < whole.passes; at += 1) {
      const world = new RollWorld(small);
      let since: number | undefined;
      const end = drive(world, {
        policy: testPolicy(),
        away: (_, pass) => {
          if (pass >= at) since ??= world.now;
          return since !== undefined && world.now - since < 30_000;
        },
      });
      expect(end.decision.state, `away at pass ${at}`).toBe('done');
      expect(world.terminations, `away at pass ${at}`).toHaveLength(4);
      expect(world.launches, `away at pass ${at}`).toBe(4);
      checkClean(world);
    }
  });

  it('the time left is never nothing while outdated nodes are left, and comes near the truth', () => {
    const world = new RollWorld(small);
    const guesses: { at: number; eta: number }[] = [];
    const end = drive(world, {
      policy: testPolicy(),
      until: (decision) => {
        const { done, total } = decision.progress;
        if (decision.state === 'working' && done < total && total > 0) {
          expect(decision.etaMs ?? 0).toBeGreaterThan(1_000);
          if (done > 2) guesses.push({ at: world.now, eta: decision.etaMs ?? 0 });
        }
        return false;
      },
    });
    const ended = world.now;
    expect(end.decision.state).toBe('done');
    for (const { at, eta } of guesses) expect(Math.abs(eta - (ended - at))).toBeLessThan(minutes(2));
    for (const { eta } of end.decision.efficiency) expect(eta).toBeGreaterThan(0.3);
  });
});
