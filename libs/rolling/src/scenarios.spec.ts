import { hours, minutes, seconds } from '#kernel';
import { describe, expect, it, vi } from 'vitest';
import { drive } from './test-world/drive.js';
import { checkClean } from './test-world/invariants.js';
import { SCENARIOS, stateful, type Played } from './test-world/scenarios.js';
import { small, testPolicy } from './test-world/stories.js';
import type { WorldSpec } from './test-world/world-types.js';
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

const ofTwoTypes = (size: number): WorldSpec => {
  const { groups, ...spec } = stateful(size);
  return { ...spec, groups: groups.map((group) => ({ ...group, instanceTypes: ['m5.large', 'm5a.large'] })) };
};

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

const at = ({ end }: Played, words: string): number => {
  const line = end.log.find((each) => each.includes(words));
  const [, h = '0', m = '0', s = '0'] = /^(\d+):(\d\d):(\d\d)/.exec(line ?? '') ?? [];
  return line === undefined ? Number.NaN : Number(h) * 3_600 + Number(m) * 60 + Number(s);
};

/** Zones are even, nobody but Fairway ended a machine, and each was launched once. */
function even({ world }: Played): void {
  const counts = ['a', 'b', 'c'].map(
    (zone) => world.allInstances().filter((instance) => instance.zone === zone).length,
  );
  expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
  expect(world.rebalanced).toEqual([]);
  expect(world.launches).toBe(world.allInstances().length);
}

/** The first drain in a zone comes after a new node of that zone. */
function newNodeFirst(story: Played): void {
  even(story);
  const { log } = story.end;
  for (const [zone, old] of [
    ['a', 'o1'],
    ['b', 'o2'],
    ['c', 'o3'],
  ] as const) {
    const served = log.findIndex((line) => line.includes(`launch-in-zone asg-workers/${zone} → launched`));
    const drained = log.findIndex((line) => line.includes(`cordon node-asg-workers-${old}`));
    const natively = story.world.allInstances().some((instance) => instance.zone === zone);
    expect(natively && (served < 0 || served < drained), zone).toBe(true);
  }
}

function volumesWait(story: Played): void {
  even(story);
  const { log } = story.end;
  const refused = log.filter((line) => line.includes('asg-workers/a → refused'));
  expect(refused.length).toBeLessThan(10);
  expect(at(story, 'cordon node-asg-workers-o1')).toBeGreaterThan(40 * 60);
  for (const other of ['o2', 'o3', 'o5', 'o6'])
    expect(at(story, `terminate i-asg-workers-${other}`)).toBeLessThan(10 * 60);
  expect(count(story, '! zone-without-capacity')).toBe(1);
}

function goneButTold(story: Played): void {
  const lost = story.world.terminations.indexOf('i-asg-workers-o2');
  expect(lost).toBe(0);
  const place = (words: string): number => story.end.log.findIndex((line) => line.includes(words));
  expect(place('mark-out-of-service node-asg-workers-o2')).toBeGreaterThan(0);
  expect(place('mark-out-of-service node-asg-workers-o2')).toBeLessThan(place('terminate i-asg-workers-o2'));
}

function silentThenTold(story: Played): void {
  const ended = at(story, 'terminate i-asg-workers-o2');
  expect(ended).toBeGreaterThanOrEqual(15 * 60);
  expect(ended).toBeLessThan(15 * 60 + 30);
  // Only a machine that is gone for sure is called out of service.
  expect(at(story, 'mark-out-of-service node-asg-workers-o2')).toBeGreaterThan(ended);
}

function flapsAndDrains(story: Played): void {
  expect(count(story, 'mark-out-of-service')).toBe(0);
  expect(count(story, 'delete-pod')).toBe(0);
  expect(story.end.log.find((line) => line.includes('terminate i-asg-workers-o2'))).toContain('drained');
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
    ['masters-and-workers', even],
    ['surge-where-volumes-are', newNodeFirst],
    ['volumes-without-capacity', volumesWait],
    ['az-rebalance', even],
    ['unreachable-stopped', goneButTold],
    ['unreachable-silent', silentThenTold],
    ['unreachable-flapping', flapsAndDrains],
  ];

  it.each(ends)('%s ends well, clean, and nothing moves twice', async (name, check) => {
    const story = played(name);
    expect(story.end.decision.state, story.end.decision.message).toBe('done');
    check(story);
    checkClean(story.world);
    // Pods on nodes of the commit in the middle have to move for the next one.
    if (name !== 'commit-at-six-of-twelve' && !name.startsWith('unreachable'))
      expect(story.end.moved).toEqual([]);
    expect(new Set(story.world.terminations).size).toBe(story.world.terminations.length);
    if (!name.startsWith('unreachable')) expect(story.world.granted).toEqual([]);
    await expect(story.end.log.join('\n')).toMatchFileSnapshot(golden(name));
  });

  it('a zone without capacity for a day leaves AZRebalance suspended, and says so', async () => {
    const story = played('zone-away');
    expect(story.end.decision.state).toBe('done');
    expect(story.world.group('asg-workers').suspended).toEqual(['AZRebalance']);
    expect(count(story, '! zones-uneven')).toBe(1);
    expect(story.world.rebalanced).toEqual([]);
    await expect(story.end.log.join('\n')).toMatchFileSnapshot(golden('zone-away'));
    // Nothing is written while it stays so; when the zones are even the process is resumed.
    const { world, end } = story;
    const again = drive(world, { policy: testPolicy(), operator: () => end.memory });
    expect(again.decision.actions).toEqual([]);
  });

  it('machines that cannot be attached are not started over and over', () => {
    const world = new RollWorld({ ...stateful(6), neverAttaches: 'b' });
    const end = drive(world, { policy: testPolicy(), maxMs: hours(3) });
    const story = { world, end };
    // 15 minutes of trying, ten minutes of rest; the nodes of the other zones do not wait for it.
    expect(count(story, 'launch-in-zone asg-workers/b')).toBe(8);
    expect(end.decision.progress).toEqual({ done: 4, total: 6 });
    expect(count(story, '! zone-launch-lost')).toBe(7);
    expect(end.log.find((line) => line.includes('! zone-without-capacity'))).toContain(
      'gets no instance in b for 15m: i-n2 that was launched there could not be attached',
    );
  });

  it('a zone without machines of one type is asked for the next', () => {
    const noCapacity = { zone: 'a', forMs: hours(24), type: 'm5.large' };
    const world = new RollWorld({ ...ofTwoTypes(6), noCapacity });
    const end = drive(world, { policy: testPolicy() });
    expect(end.decision.state, end.decision.message).toBe('done');
    even({ world, end });
    const asked = end.log.filter((line) => line.includes('launch-in-zone asg-workers/a'));
    expect(asked.map((line) => line.replace(/^(\S+).*→ (\w+).*/, '$1 $2'))).toEqual([
      expect.stringContaining('refused'),
      expect.stringContaining('launched'),
    ]);
    expect(end.elapsedMs).toBeLessThan(minutes(20));
  });

  it('a zone without machines of any type rests between rounds', () => {
    const world = new RollWorld({
      ...ofTwoTypes(3),
      noCapacity: { zone: 'a', forMs: hours(24) },
    });
    const end = drive(world, { policy: testPolicy(), maxMs: hours(1) });
    // Both types at once, and again after 1, 2, 4, 8 and then every 10 minutes.
    expect(count({ world, end }, 'asg-workers/a → refused')).toBe(18);
    expect(end.decision.progress).toEqual({ done: 2, total: 3 });
  });

  it('a machine is attached within a short node_register_timeout too', () => {
    const world = new RollWorld({ ...stateful(3), bootMs: 8_500 });
    const end = drive(world, { policy: testPolicy({ registerTimeout: seconds(9) }) });
    even({ world, end });
    expect(end.decision.state, end.decision.message).toBe('done');
    expect(count({ world, end }, 'launch-in-zone')).toBeGreaterThan(0);
  });

  it('an autoscaler that adds four nodes and a spot kill in the middle are taken as they are', async () => {
    const story = played('autoscaler-and-spot');
    expect(story.end.decision.state).toBe('done');
    expect(story.world.group('asg-workers').desired).toBe(9);
    expect(story.world.allInstances().every(({ original }) => !original)).toBe(true);
    expect(new Set(story.world.terminations).size).toBe(5);
    await expect(story.end.log.join('\n')).toMatchFileSnapshot(golden('autoscaler-and-spot'));
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
