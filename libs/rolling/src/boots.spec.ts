import { hours, minutes, type Duration } from '#kernel';
import { describe, expect, it } from 'vitest';
import { isStrained } from './boots.js';
import { drive } from './test-world/drive.js';
import { testPolicy, workersOnly } from './test-world/stories.js';
import { RollWorld } from './test-world/world.js';

describe('signs of strain on a boot', () => {
  const usual = minutes(2);
  it.each([
    ['as long as usual', usual, usual, [], false],
    ['twice as long as usual', 2 * usual, usual, [], false],
    ['more than twice as long as usual', 2 * usual + 1, usual, [], true],
    ['long, and nobody knows what is usual', hours(3), undefined, [], false],
    ['a pull that fails', minutes(1), usual, ['ErrImagePull'], true],
    ['a pull that failed and is about to be tried again', minutes(1), undefined, ['ImagePullBackOff'], true],
    ['a failed pull beside other waits', minutes(1), usual, ['PodInitializing', 'ErrImagePull'], true],
    ['a container that crashes', minutes(1), usual, ['CrashLoopBackOff'], false],
    ['a container that is being made', minutes(1), usual, ['ContainerCreating'], false],
  ] as const)('%s', (_, took: Duration, expected: Duration | undefined, waitingReasons, strained) => {
    expect(isStrained({ took, usual: expected, waitingReasons })).toBe(strained);
  });
});

describe('the report of boots', () => {
  /** Three nodes, one after the other; the second boot takes `second`. */
  function strainedAfter(second: Duration): { readonly when: readonly Duration[]; readonly state: string } {
    const launched: number[] = [];
    const world = new RollWorld(workersOnly(3, { bootMs: (launch) => (launch === 2 ? second : minutes(2)) }));
    const when: Duration[] = [];
    const end = drive(world, {
      policy: testPolicy(),
      limits: { surge: 2 },
      until: ({ boots }) => {
        if (world.launches > launched.length) launched.push(world.now);
        if (boots.strained) when.push(world.now - (launched[1] ?? world.now));
        return false;
      },
    });
    return { when, state: end.decision.state };
  }

  it('says nothing of boots that take a little longer', () => {
    expect(strainedAfter(minutes(4))).toEqual({ when: [], state: 'done' });
  });

  it('says strain from twice the usual time on, until the node is up', () => {
    const { when, state } = strainedAfter(minutes(9));
    expect(state).toBe('done');
    // The first boot was complete half a minute after it was Ready.
    expect(Math.min(...when)).toBeGreaterThan(minutes(5));
    expect(Math.min(...when)).toBeLessThan(minutes(6));
    expect(Math.max(...when)).toBeLessThanOrEqual(minutes(9.5));
  });

  it('no longer counts a boot that was given up: the other clusters are not braked by it', () => {
    const world = new RollWorld(
      workersOnly(3, { bootMs: (launch) => (launch === 2 ? hours(9) : minutes(2)) }),
    );
    let strained = 0;
    const { decision } = drive(world, {
      policy: testPolicy({ failedBootBudget: 1 }),
      limits: { surge: 2 },
      until: ({ boots }) => {
        strained += boots.strained ? 1 : 0;
        return false;
      },
    });
    expect(strained).toBeGreaterThan(0);
    expect(decision.state).toBe('halted');
    expect(decision.boots).toMatchObject({ inFlight: 0, strained: false });
  });

  it('does not take a current node that broke long ago for a slow boot', () => {
    const world = new RollWorld(
      workersOnly(3, { workloads: [{ name: 'web', replicas: 3, maxUnavailable: 3 }] }),
    );
    const [first] = world.allInstances();
    if (!first?.node) throw new Error('no node');
    Object.assign(first, { version: '2' });
    world.silence(first.node, true);
    const said: boolean[] = [];
    drive(world, {
      // The broken one takes a place of the budget.
      policy: testPolicy({ maxSurge: 2 }),
      limits: { surge: 2, involuntary: 1 },
      until: ({ boots, progress }) => {
        // From here on it is known what is usual.
        if (progress.done > 0) said.push(boots.strained);
        return said.length === 5;
      },
    });
    expect(said).toHaveLength(5);
    expect(said).not.toContain(true);
  });
});
