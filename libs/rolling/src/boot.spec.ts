import { minutes } from '#kernel';
import type { NodeGroupView, NodeView, PodView } from '#fleet';
import { describe, expect, it } from 'vitest';
import { decide } from './decide.js';
import { newRollMemory } from './memory.js';
import type { PoolScope, RollScope } from './scope.js';
import { drive } from './test-world/drive.js';
import { testPolicy, workersOnly } from './test-world/stories.js';
import { RollWorld } from './test-world/world.js';
import { START } from './test-world/world-types.js';

type Change = (scope: PoolScope, isNew: (id: string) => boolean) => Partial<PoolScope>;

const nodes = (
  scope: PoolScope,
  isNew: (id: string) => boolean,
  change: Partial<NodeView>,
): readonly NodeView[] =>
  scope.nodes.map((node) => (isNew(node.instanceId ?? '') ? { ...node, ...change } : node));
const instances = (
  scope: PoolScope,
  isNew: (id: string) => boolean,
  change: Partial<NodeGroupView['instances'][number]>,
): NodeGroupView => ({
  ...scope.group,
  instances: scope.group.instances.map((each) => (isNew(each.instanceId) ? { ...each, ...change } : each)),
});

/** A node that flaps has another `readySince` at every look. */
let flaps = 0;

const GATES: readonly (readonly [string, Change, string])[] = [
  ['Node Ready', (scope, isNew) => ({ nodes: nodes(scope, isNew, { ready: false }) }), 'to be Ready'],
  [
    'stability',
    (scope, isNew) => ({
      nodes: nodes(scope, isNew, { readySince: new Date(4e12 + (flaps += 1)).toISOString() }),
    }),
    'to stay Ready',
  ],
  [
    'startup taints',
    (scope, isNew) => ({
      nodes: nodes(scope, isNew, {
        taints: [{ key: 'node.cloudprovider.kubernetes.io/uninitialized', effect: 'NoSchedule' }],
      }),
    }),
    'startup taint',
  ],
  ['kubelet version', () => ({ kubeletVersion: '1.37' }), 'kubelet 1.37'],
  [
    'ASG InService',
    (scope, isNew) => ({ group: instances(scope, isNew, { lifecycleState: 'Pending:Wait' }) }),
    'InService',
  ],
  [
    'ASG Healthy',
    (scope, isNew) => ({ group: instances(scope, isNew, { healthStatus: 'Unhealthy' }) }),
    'Healthy',
  ],
  [
    'target group',
    (scope, isNew) => ({
      group: instances(scope, isNew, { targetHealth: { 'arn:x:targetgroup/t/1': 'unhealthy' } }),
    }),
    'target group t',
  ],
];

describe('the ready gate', () => {
  it.each(GATES)('withholds the first drain while this is missing: %s', (_, change, words) => {
    const spec = workersOnly(2);
    const world = new RollWorld({
      ...spec,
      groups: spec.groups.map((group) => ({ ...group, targetGroups: ['arn:x:targetgroup/t/1'] })),
    });
    const isNew = (id: string): boolean => id.startsWith('i-n');
    const end = drive(world, {
      policy: testPolicy(),
      scope: (): Partial<RollScope> => {
        const whole = world.scope(newRollMemory('u1'));
        return { groups: whole.groups.map((pool) => ({ ...pool, ...change(pool, isNew) })) };
      },
      until: () => world.now > START + minutes(60 + 8),
    });
    expect(world.terminations).toEqual([]);
    expect(end.log.some((line) => line.includes('cordon'))).toBe(false);
    expect(end.decision.message).toContain(words);
  });

  it('waits for DaemonSet pods, also for those that are not there yet', () => {
    for (const withhold of ['unready', 'missing']) {
      const world = new RollWorld(workersOnly(2));
      const end = drive(world, {
        policy: testPolicy(),
        scope: (): Partial<RollScope> => ({
          pods: withoutAgent(world.scope(newRollMemory('u1')).pods, withhold),
        }),
        until: () => world.now > START + minutes(60 + 8),
      });
      expect(world.terminations).toEqual([]);
      expect(end.decision.message).toContain('DaemonSet');
    }
  });

  it('does not wait for a cluster that is whole', () => {
    const world = new RollWorld(workersOnly(2));
    world.groups.forEach((group) => (group.version = '1'));
    const scope = world.scope(newRollMemory('u1'));
    const groups = scope.groups.map((pool) => ({
      ...pool,
      targetVersion: { ...pool.targetVersion, version: '1' },
    }));
    expect(decide({ ...scope, groups }, testPolicy(), world.now).state).toBe('done');
  });
});

const withoutAgent = (pods: readonly PodView[], withhold: string): readonly PodView[] =>
  pods.flatMap((pod) => {
    if (!pod.name.startsWith('agent-node-n')) return [pod];
    return withhold === 'missing' ? [] : [{ ...pod, ready: false }];
  });
