import { hours, minutes, seconds } from '#kernel';
import { describe, expect, it, vi } from 'vitest';
import { drive } from './test-world/drive.js';
import { checkClean } from './test-world/invariants.js';
import { testPolicy, workersOnly } from './test-world/stories.js';
import { RollWorld } from './test-world/world.js';

vi.setConfig({ testTimeout: 120_000 });

describe('stories', () => {
  it('a pool of one group per zone keeps to its limits over all groups', () => {
    const world = new RollWorld({
      groups: ['a', 'b', 'c'].map((zone) => ({
        name: `asg-${zone}`,
        pool: 'workers',
        size: 2,
        zones: [zone],
      })),
      workloads: [{ name: 'web', replicas: 6, maxUnavailable: 1 }],
    });
    const end = drive(world, {
      policy: testPolicy(),
      before: () => expect(world.nodes().filter((node) => node.unschedulable).length).toBeLessThanOrEqual(1),
    });
    expect(end.decision.state).toBe('done');
    expect(end.decision.progress).toEqual({ done: 6, total: 6 });
    checkClean(world);
  });

  it('the node that runs Fairway comes last', () => {
    const world = new RollWorld(
      workersOnly(4, { workloads: [{ name: 'fairway', replicas: 1, maxUnavailable: 1 }] }),
    );
    const host = world.pods.find((pod) => pod.workload === 'fairway')?.node;
    const end = drive(world, { policy: testPolicy({ fairwayLabels: { app: 'fairway' } }) });
    expect(end.decision.state).toBe('done');
    expect(`node-${world.terminations.at(-1)?.slice(2) ?? ''}`).toBe(host);
  });

  it('longest drains go first after the canary', () => {
    const world = new RollWorld(
      workersOnly(3, {
        workloads: [
          { name: 'slow', replicas: 1, graceMs: minutes(10) },
          { name: 'quick', replicas: 1 },
        ],
      }),
    );
    const slow = world.pods.find((pod) => pod.workload === 'slow')?.node;
    drive(world, { policy: testPolicy() });
    expect(world.terminations.map((id) => `node-${id.slice(2)}`).indexOf(slow ?? '')).toBe(1);
  });

  it('a canary is watched before the others follow', () => {
    const world = new RollWorld(workersOnly(3));
    const end = drive(world, { policy: testPolicy({ canarySoak: hours(2) }) });
    expect(end.decision.state).toBe('done');
    expect(end.elapsedMs).toBeGreaterThan(hours(2));
    checkClean(world);
  });

  it('a drain profile is worn while the node is drained', () => {
    const world = new RollWorld(workersOnly(2));
    const seen = new Set<string>();
    const end = drive(world, {
      policy: testPolicy({ drainLabels: { 'lifecycle-status': 'decommission-pending' } }),
      before: () => {
        for (const node of world.nodes())
          if (node.unschedulable) seen.add(node.labels['lifecycle-status'] ?? '');
      },
    });
    expect([...seen]).toEqual(['decommission-pending']);
    expect(end.decision.state).toBe('done');
    checkClean(world);
  });

  it('pods that ask to stay are waited for up to the limit', () => {
    const annotations = { 'cluster-autoscaler.kubernetes.io/safe-to-evict': 'false' };
    const world = new RollWorld(workersOnly(2, { workloads: [{ name: 'train', replicas: 1, annotations }] }));
    const end = drive(world, { policy: testPolicy({ drainMaxHold: hours(3) }) });
    expect(end.decision.state).toBe('done');
    expect(end.elapsedMs).toBeGreaterThan(hours(3));
    expect(end.log.some((line) => line.includes('quarantined'))).toBe(false);
  });

  it('replicas without a PDB are not all taken at once', () => {
    const world = new RollWorld(
      workersOnly(1, { workloads: [{ name: 'web', replicas: 8, startMs: 30_000 }] }),
    );
    let least = 8;
    const end = drive(world, {
      policy: testPolicy(),
      before: () => {
        least = Math.min(least, world.pods.filter((pod) => pod.workload === 'web' && pod.ready).length);
      },
    });
    expect(end.decision.state).toBe('done');
    expect(least).toBe(6);
  });

  it('volume pods move one at a time', () => {
    const world = new RollWorld(
      workersOnly(1, {
        workloads: [{ name: 'db', kind: 'StatefulSet', replicas: 4, volumes: true, maxUnavailable: 4 }],
      }),
    );
    let most = 0;
    drive(world, {
      policy: testPolicy(),
      before: () => {
        most = Math.max(most, world.pods.filter((pod) => pod.deletedAt !== undefined).length);
      },
    });
    expect(most).toBe(1);
  });

  it('a boot that fails once is replaced and the roll goes on', () => {
    const world = new RollWorld(workersOnly(2, { bootMs: (launch) => (launch === 1 ? hours(30) : 60_000) }));
    const end = drive(world, { policy: testPolicy(), limits: { surge: 1 } });
    expect(end.decision.state).toBe('done');
    expect(world.terminations).toContain('i-n1');
    expect(world.launches).toBe(3);
    checkClean(world);
  });

  it('a raised minimum turns the surge into what others want', () => {
    const world = new RollWorld(workersOnly(2));
    const end = drive(world, {
      policy: testPolicy(),
      before: () => {
        if (world.group('asg-workers').desired === 3) world.group('asg-workers').min = 3;
      },
    });
    expect(end.decision.state).toBe('done');
    expect(world.group('asg-workers').desired).toBe(3);
  });

  it('a halted roll gives back the node it was draining', () => {
    const world = new RollWorld(
      workersOnly(2, { workloads: [{ name: 'single', replicas: 1, maxUnavailable: 0 }] }),
    );
    const end = drive(world, { policy: testPolicy({ onBlockedDeadline: 'fail' }) });
    expect(end.decision.state).toBe('halted');
    expect(world.nodes().every((node) => !node.unschedulable)).toBe(true);
  });

  it('all at once takes all at once, where it is granted', () => {
    const world = new RollWorld(workersOnly(3));
    const policy = testPolicy({ strategy: 'all-at-once', allAtOnceGranted: true, minReady: seconds(1) });
    const end = drive(world, { policy, limits: { surge: 0, unavailable: 3, parallelDrains: 3 } });
    expect(end.decision.state).toBe('done');
    expect(world.launches).toBe(3);
    checkClean(world);
  });

  it('the automatic surge hides boot time once it has measured it', () => {
    const spec = workersOnly(12, {
      bootMs: minutes(9),
      workloads: [{ name: 'web', replicas: 12, maxUnavailable: 12, graceMs: minutes(3) }],
    });
    const slow = drive(new RollWorld(spec), { policy: testPolicy() });
    const auto = drive(new RollWorld(spec), {
      policy: testPolicy({ maxSurge: 'auto' }),
      limits: { surge: 3 },
    });
    expect(auto.elapsedMs).toBeLessThan(slow.elapsedMs * 0.45);
  });

  it('a new pool is waited for, and a node that has been broken for long is not', () => {
    const world = new RollWorld(workersOnly(2));
    world.groups.forEach((group) => (group.version = '1'));
    const [first] = world.nodes();
    if (first) first.ready = false;
    world.group('asg-workers').desired = 3;
    world.reconcile();
    const end = drive(world, {
      policy: testPolicy(),
      limits: { involuntary: 1, surge: 1 },
      scope: () => {
        const scope = world.scope({
          version: 1,
          updateId: 'u1',
          pools: {},
          instances: {},
          evictions: {},
          owners: {},
        });
        return {
          groups: scope.groups.map((pool) => ({
            ...pool,
            targetVersion: { ...pool.targetVersion, version: '1' },
          })),
        };
      },
    });
    expect(end.decision.state).toBe('done');
    expect(end.elapsedMs).toBeGreaterThanOrEqual(minutes(1));
    expect(end.log.join('\n')).toContain('node-unhealthy');
    expect(world.terminations).toEqual([]);
  });
});
