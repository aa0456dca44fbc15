import { minutes } from '#kernel';
import type { PodView } from '#fleet';
import { describe, expect, it } from 'vitest';
import { newRollMemory } from './memory.js';
import { tolerates } from './node-fit.js';
import { findHomes } from './placement.js';
import { previewRoll } from './preview.js';
import { matchesSelector } from './selector.js';
import { mastersAndWorkers, testPolicy, workersOnly } from './test-world/stories.js';
import { RollWorld } from './test-world/world.js';

describe('previewRoll', () => {
  it('plans every pool and estimates masters, then the slowest worker pool', () => {
    const world = new RollWorld(mastersAndWorkers);
    const policy = testPolicy({ expectedBoot: minutes(5), expectedDrain: minutes(7) });
    const preview = previewRoll(world.scope(newRollMemory('u1')), policy, world.now);
    expect(
      preview.pools.map(({ pool, total, surge, order, reason }) => ({
        pool,
        total,
        surge,
        n: order.length,
        reason,
      })),
    ).toEqual([
      { pool: 'masters', total: 3, surge: 1, n: 3, reason: 'launch template version 1, should be 2' },
      { pool: 'workers', total: 4, surge: 1, n: 4, reason: 'launch template version 1, should be 2' },
    ]);
    expect(preview.estimate).toBe(minutes(3 * 12 + 4 * 12));
    expect(preview.blockers).toEqual([]);
  });

  it('names PDBs that can never allow, with owner and remedy, once per PDB', () => {
    const spec = workersOnly(2, { workloads: [{ name: 'single', replicas: 2, maxUnavailable: 0 }] });
    const world = new RollWorld(spec);
    const preview = previewRoll(world.scope(newRollMemory('u1')), testPolicy(), world.now);
    expect(preview.blockers).toHaveLength(1);
    expect(preview.blockers[0]).toMatchObject({ owner: 'payments' });
    expect(preview.blockers[0]?.what).toContain('apps/single');
    expect(preview.blockers[0]?.remedy).toContain('maxUnavailable');
  });

  it('names pods under two PDBs', () => {
    const world = new RollWorld(workersOnly(2));
    const scope = world.scope(newRollMemory('u1'));
    const pdbs = scope.pdbs.flatMap((pdb) => [pdb, { ...pdb, name: 'second', selector: {} }]);
    const preview = previewRoll({ ...scope, pdbs }, testPolicy(), world.now);
    expect(preview.blockers[0]?.what).toContain('2 PDBs');
  });

  it('names pods that would fit nowhere', () => {
    const world = new RollWorld(workersOnly(2));
    const scope = world.scope(newRollMemory('u1'));
    const pods = scope.pods.map((pod) =>
      pod.labels['app'] === 'web' ? { ...pod, nodeSelector: { gpu: 'yes' } } : pod,
    );
    const preview = previewRoll({ ...scope, pods }, testPolicy(), world.now);
    expect(preview.blockers.some((blocker) => blocker.what.includes('node selector gpu=yes'))).toBe(true);
  });
});

describe('a preview of homes', () => {
  const world = new RollWorld(workersOnly(1));
  const scope = world.scope(newRollMemory('u1'));
  const foreseen = (change: Partial<PodView>) => {
    const pods = scope.pods.map((one) => (one.labels['app'] === 'web' ? { ...one, ...change } : one));
    return previewRoll({ ...scope, pods }, testPolicy(), world.now).blockers.map(({ what }) => what);
  };

  it('counts on the new node, and names what even that does not take', () => {
    expect(foreseen({})).toEqual([]);
    expect(foreseen({ persistentVolumeClaims: ['data'] })).toEqual([]);
    const [huge] = foreseen({ requests: { cpuMillis: 99_999, memoryBytes: 1 } });
    expect(huge).toMatch(/fit on no other node, nor on a new one: not enough CPU/);
  });
});

describe('findHomes', () => {
  const world = new RollWorld(workersOnly(2, { workloads: [{ name: 'web', replicas: 1 }] }));
  const scope = world.scope(newRollMemory('u1'));
  const nodes = scope.groups.flatMap((pool) => pool.nodes);
  const [pod] = scope.pods.filter((each) => each.labels['app'] === 'web');
  const why = (change: Partial<PodView>): string | undefined =>
    findHomes([{ ...(pod as PodView), ...change }], { from: undefined, nodes, running: scope.pods })[0]
      ?.reason;

  it.each<[string, Partial<PodView>, string | undefined]>([
    ['fits', {}, undefined],
    ['too big', { requests: { cpuMillis: 9999, memoryBytes: 1 } }, 'not enough CPU'],
    ['too much memory', { requests: { cpuMillis: 1, memoryBytes: 1e12 } }, 'not enough memory'],
    [
      'affinity',
      {
        affinity: {
          nodeAffinity: {
            requiredDuringSchedulingIgnoredDuringExecution: {
              nodeSelectorTerms: [{ matchExpressions: [{ key: 'zone', operator: 'In', values: ['z'] }] }],
            },
          },
        },
      },
      'required node affinity is not met',
    ],
    [
      'affinity met',
      {
        affinity: {
          nodeAffinity: {
            requiredDuringSchedulingIgnoredDuringExecution: {
              nodeSelectorTerms: [{ matchExpressions: [{ key: 'zone', operator: 'In', values: ['a'] }] }],
            },
          },
        },
      },
      undefined,
    ],
  ])('%s', (_, change, reason) => expect(why(change)).toBe(reason));

  it('has no home where there is no node', () => {
    expect(findHomes([pod as PodView], { from: undefined, nodes: [], running: [] })[0]?.reason).toBe(
      'no schedulable node',
    );
  });
});

describe('tolerates', () => {
  const taint = { key: 'a', value: '1', effect: 'NoSchedule' } as const;
  it.each([
    [[], false],
    [[{ operator: 'Exists' }], true],
    [[{ key: 'a', operator: 'Exists' }], true],
    [[{ key: 'a', value: '1' }], true],
    [[{ key: 'a', value: '2' }], false],
    [[{ key: 'a', value: '1', effect: 'NoExecute' }], false],
    [[{ key: 'b', operator: 'Exists' }], false],
  ])('%o → %s', (tolerations, expected) => expect(tolerates(tolerations, taint)).toBe(expected));
});

describe('matchesSelector', () => {
  const labels = { app: 'web', tier: 'front' };
  it.each([
    [undefined, false],
    [{}, true],
    [{ matchLabels: { app: 'web' } }, true],
    [{ matchLabels: { app: 'db' } }, false],
    [{ matchExpressions: [{ key: 'app', operator: 'In', values: ['web', 'db'] }] }, true],
    [{ matchExpressions: [{ key: 'app', operator: 'NotIn', values: ['web'] }] }, false],
    [{ matchExpressions: [{ key: 'x', operator: 'DoesNotExist' }] }, true],
    [{ matchExpressions: [{ key: 'x', operator: 'Exists' }] }, false],
    [{ matchExpressions: [{ key: 'x', operator: 'Strange' }] }, false],
  ])('%o → %s', (selector, expected) => expect(matchesSelector(selector, labels)).toBe(expected));
});
