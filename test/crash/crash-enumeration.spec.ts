import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SeededRandom } from '#simulation';
import { NEW_IMAGE, OLD_IMAGE, type ConfigClone } from '../acceptance/support/config-clone.js';
import { register } from '../acceptance/support/bed.js';
import { openIntents, Outside, repeated } from '../acceptance/support/outside.js';
import { startEngineBed, type EngineBed } from './support/engine-bed.js';
import type { Fate, PortCall } from './support/incarnation.js';
import type { FateOf, Life } from './support/lives.js';

const NODES = 3;
const SPEED = 1_500;

/** Every death at a point once before and once after its effect; what only reads has no effect to tell apart. */
function everyPointOnce(): (call: PortCall) => Fate {
  const visits = new Map<string, number>();
  return ({ key, write }) => {
    const visit = (visits.get(key) ?? 0) + 1;
    visits.set(key, visit);
    if (visit === 1) return 'dies-before';
    return visit === 2 && write ? 'dies-after' : 'lives';
  };
}

/** What moves pods, marks nodes (with it a drain begins) and ends or starts machines. */
const DISTURBING = [
  'kubernetes.patchNode',
  'kubernetes.evict',
  'aws.terminateInstance',
  'aws.setDesiredCapacity',
];

/** Another worker takes over right before every call that a holder of the lease makes, once each. */
function overtakenAtEveryPoint(): (call: PortCall, holds: boolean) => Fate {
  const seen = new Set<string>();
  return ({ key, name }, holds) => {
    if (!holds || seen.has(key) || name.startsWith('leases.')) return 'lives';
    seen.add(key);
    return 'overtaken';
  };
}

/** One death, at the k-th call. */
function onceAt(k: number, fate: Fate): (call: PortCall) => Fate {
  let calls = 0;
  return () => ((calls += 1) === k ? fate : 'lives');
}

describe('a process that dies between any two calls', () => {
  let bed: EngineBed;
  let clone: ConfigClone;
  let outside: Outside;
  let id: string;
  let image = OLD_IMAGE;

  beforeAll(async () => {
    bed = await startEngineBed(SPEED);
    outside = new Outside(bed.sandbox.estate);
    id = await register(bed, { alias: 'small', masters: 1, workers: 2 });
    clone = await bed.clone();
  });
  afterAll(async () => {
    outside.close();
    await bed.close();
  });

  /** Pushes the other node image and brings the cluster there; then nothing may have been done twice. */
  async function update(fateOf: FateOf, limitMs: number): Promise<Life> {
    image = image === OLD_IMAGE ? NEW_IMAGE : OLD_IMAGE;
    await clone.setNodeImage(image);
    const commit = await clone.publish(`node image ${image}`);
    expect(await bed.admit(id)).toBe(commit);
    const since = bed.sandbox.estate.aws.calls.length;
    const launchedBefore = outside.launches.length;
    const life = await bed.live(id, commit, fateOf, limitMs);
    const terminated = outside.terminations(since);
    expect(repeated(terminated), 'terminated twice').toEqual([]);
    expect(terminated).toHaveLength(NODES);
    expect(outside.launches.length - launchedBefore, 'launches').toBe(NODES);
    expect(repeated(outside.executedChangeSets()), 'change sets executed twice').toEqual([]);
    expect(outside.executedChangeSets(since)).toHaveLength(2);
    expect(await openIntents(bed.databaseUrl)).toEqual([]);
    expect(nodeImages()).toEqual([image]);
    // Change sets are prepared without a lease: they are found by a name made of their content and change nothing.
    const harmful = life.lateDeeds.filter((key) => !key.startsWith('aws.prepareStackChange'));
    expect(harmful, 'done by somebody who was overtaken').toEqual([]);
    const restarted = [...life.drainStarts].filter(([, starts]) => starts.size > 1);
    expect(restarted, 'drains that began anew').toEqual([]);
    expect(life.drainStarts.size).toBeGreaterThanOrEqual(NODES);
    return life;
  }

  const nodeImages = (): readonly string[] => {
    const { aws } = bed.sandbox.estate;
    const names = new Set<string>();
    for (const { autoScaling } of aws.regions()) {
      for (const group of autoScaling.all()) {
        for (const instance of group.instances.keys()) {
          const found = aws.findInstance(instance)?.instance;
          names.add(found?.imageId === 'ami-0a1310000000000a2' ? NEW_IMAGE : OLD_IMAGE);
        }
      }
    }
    return [...names];
  };

  it('creates the cluster all the same, dying at every kind of call', async () => {
    const commit = await bed.admit(id);
    const { deaths } = await bed.live(id, commit, everyPointOnce(), 300_000);
    console.log(`creation: died at ${deaths.length} points`);
    expect(outside.launches).toHaveLength(NODES);
    expect(repeated(outside.executedChangeSets())).toEqual([]);
    expect(await openIntents(bed.databaseUrl)).toEqual([]);
  });

  it('updates it all the same, dying at every call before and after its effect', async () => {
    const { deaths, calls } = await update(everyPointOnce(), 300_000);
    console.log(`update: died at ${deaths.length} points, ${calls} calls`);
    expect(deaths.length).toBeGreaterThan(100);
    for (const name of DISTURBING) {
      const fates = new Set(deaths.filter((death) => death.name === name).map(({ fate }) => fate));
      expect([...fates].sort(), name).toEqual(['dies-after', 'dies-before']);
    }
  });

  it('is overtaken before any call and does nothing more, though it believes that it holds the lease', async () => {
    const { deaths, refused } = await update(overtakenAtEveryPoint(), 300_000);
    console.log(`overtaken at ${deaths.length} points; refused then: ${refused.length} writes`);
    for (const name of DISTURBING) {
      expect(
        deaths.some((death) => death.name === name),
        `overtaken before ${name}`,
      ).toBe(true);
      expect(
        refused.some((key) => key.startsWith(name)),
        `${name} refused`,
      ).toBe(true);
    }
  });

  it('updates it all the same after one death at a call drawn by the seed', async () => {
    const random = new SeededRandom(20_261_121);
    const { calls } = await update(() => 'lives', 240_000);
    const points: string[] = [];
    const until = Date.now() + 12_000;
    while (points.length < 3 || Date.now() < until) {
      const k = 1 + Math.floor(random.next() * calls);
      const fate: Fate = random.next() < 0.5 ? 'dies-before' : 'dies-after';
      const { deaths } = await update(onceAt(k, fate), 240_000);
      points.push(`${k} ${fate} ${deaths[0]?.name ?? 'not reached'}`);
    }
    console.log(`${points.length} of ${calls} points, one death each:\n${points.join('\n')}`);
  });

  it('did nothing that the estate could hold against it', () => {
    expect(bed.sandbox.estate.evidence()).toMatchObject({ clean: true, terminatedTwice: [] });
  });
});
