import { hours, minutes } from '#kernel';
import { describe, expect, it, vi } from 'vitest';
import { policyFor } from './policy-for.js';
import { drive } from './test-world/drive.js';
import { checkClean } from './test-world/invariants.js';
import { workersOnly } from './test-world/stories.js';
import { RollWorld } from './test-world/world.js';
import { START } from './test-world/world-types.js';

const POLL = 15_000;

function ladderPolicy(items: Readonly<Record<string, string>> = {}) {
  const policy = policyFor({ drain_on_deadline: 'ladder', ...items }, 'production');
  if (!policy.ok) throw new Error(policy.error.message);
  return policy.value;
}

const stubborn = workersOnly(2, {
  workloads: [{ name: 'single', replicas: 1, maxUnavailable: 0, graceMs: 45_000 }],
});
const isTold = (line: string, code: string): boolean => line.includes(`! ${code}`);

vi.setConfig({ testTimeout: 120_000 });

describe('the ladder', () => {
  it('tells at T − 30 min and deletes at T, exact to one poll, with the pod’s own grace', async () => {
    const world = new RollWorld(stubborn);
    world.advance(hours(80));
    const policy = ladderPolicy();
    const told: { code: string; at: number }[] = [];
    let drainStart = 0;
    const end = drive(world, {
      policy,
      maxMs: hours(30),
      until: (decision) => {
        for (const note of decision.notes) {
          if (note.code.startsWith('ladder') && !told.some(({ code }) => code === note.code))
            told.push({ code: note.code, at: world.now });
        }
        const host = Object.values(decision.memory.instances).find(({ blockedBy }) => blockedBy);
        if (drainStart === 0 && host?.drainStartedAt !== undefined) drainStart = host.drainStartedAt;
        return false;
      },
    });
    expect(end.decision.state).toBe('done');
    expect(world.granted).toHaveLength(1);
    const due = drainStart + hours(6);
    expect(Math.abs((world.granted[0]?.at ?? 0) - due)).toBeLessThanOrEqual(POLL);
    expect(told.map(({ code }) => code)).toEqual(['ladder-soon', 'ladder-forced']);
    expect(Math.abs((told[0]?.at ?? 0) - (due - minutes(30)))).toBeLessThanOrEqual(POLL);
    expect(end.log.some((line) => line.includes('quarantined'))).toBe(false);
    expect(end.log.some((line) => isTold(line, 'ladder-soon'))).toBe(true);
    checkClean(world);
    await expect(end.log.join('\n')).toMatchFileSnapshot('./test-world/ladder.golden.txt');
  });

  it('lets a pod of 71 hours wait until it is 72 hours old', () => {
    const world = new RollWorld(stubborn);
    world.advance(hours(64));
    drive(world, { policy: ladderPolicy(), maxMs: hours(30) });
    const born = START;
    const [forced] = world.granted;
    // 65 hours at the start, 71 when the node has drained for six.
    expect(forced?.at).toBeGreaterThanOrEqual(born + hours(72));
    expect(forced?.at).toBeLessThanOrEqual(born + hours(72) + POLL);
  });

  it('forces one pod per node and interval, and waits for siblings to be old enough', () => {
    const world = new RollWorld(
      workersOnly(1, { workloads: [{ name: 'trio', replicas: 3, maxUnavailable: 0 }] }),
    );
    world.advance(hours(80));
    const end = drive(world, { policy: ladderPolicy(), maxMs: hours(40) });
    expect(end.decision.state).toBe('done');
    const times = world.granted.map(({ at }) => at);
    expect(times).toHaveLength(3);
    // The replacement of the first is a healthy sibling of the second: an hour old before it goes.
    for (const [i, at] of times.entries())
      if (i > 0) expect(at - (times[i - 1] ?? 0)).toBeGreaterThanOrEqual(hours(1));
  });

  it('needs the policy: by default nothing is ever deleted', () => {
    const world = new RollWorld(stubborn);
    world.advance(hours(80));
    drive(world, { policy: ladderPolicy({ drain_on_deadline: 'quarantine' }), maxMs: hours(60) });
    expect(world.granted).toEqual([]);
  });

  it('reads its limits from config items', () => {
    const { ladder } = ladderPolicy({ drain_grace_period: '2h', drain_min_pod_lifetime: '600' });
    expect(ladder).toMatchObject({ gracePeriod: hours(2), minPodLifetime: minutes(10) });
    expect(ladder.forceInterval).toBe(minutes(5));
  });
});
