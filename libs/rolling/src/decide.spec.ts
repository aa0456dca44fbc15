import { hours, minutes } from '#kernel';
import { describe, expect, it, vi } from 'vitest';
import { decide } from './decide.js';
import { newRollMemory, resumeRoll } from './memory.js';
import { drive } from './test-world/drive.js';
import { checkClean } from './test-world/invariants.js';
import { mastersAndWorkers, testPolicy, workersOnly } from './test-world/stories.js';
import { RollWorld } from './test-world/world.js';
import { START } from './test-world/world-types.js';

const golden = (name: string): string => `./test-world/${name}.golden.txt`;

vi.setConfig({ testTimeout: 120_000 });

describe('decide', () => {
  it('replaces masters, then workers, one at a time, and leaves nothing behind', async () => {
    const world = new RollWorld(mastersAndWorkers);
    const end = drive(world, { policy: testPolicy() });
    expect(end.decision.state).toBe('done');
    expect(end.decision.progress).toEqual({ done: 7, total: 7 });
    expect(end.moved).toEqual([]);
    expect(world.terminations).toHaveLength(7);
    expect(world.launches).toBe(7);
    checkClean(world);
    const lastMaster = end.log.findLastIndex((line) => line.includes('masters terminate'));
    const firstWorker = end.log.findIndex((line) => line.includes('workers cordon'));
    expect(firstWorker).toBeGreaterThan(lastMaster);
    await expect(end.log.join('\n')).toMatchFileSnapshot(golden('masters-and-workers'));
  });

  it('is deterministic', () => {
    const logs = [1, 2].map(() => drive(new RollWorld(mastersAndWorkers), { policy: testPolicy() }).log);
    expect(logs[0]).toEqual(logs[1]);
  });

  it('writes nothing where everything is current', () => {
    const world = new RollWorld(mastersAndWorkers);
    drive(world, { policy: testPolicy() });
    const decision = decide(
      world.scope(newRollMemory('u2'), { updateId: 'u2' }),
      testPolicy(),
      world.now + hours(2),
    );
    expect(decision.state).toBe('done');
    expect(decision.actions).toEqual([]);
  });

  it('goes on around a node that a PDB holds, and quarantines it at the deadline', async () => {
    const spec = workersOnly(4, {
      workloads: [
        { name: 'web', replicas: 4, maxUnavailable: 1 },
        { name: 'single', replicas: 1, maxUnavailable: 0 },
      ],
    });
    const world = new RollWorld(spec);
    const end = drive(world, {
      policy: testPolicy(),
      until: (decision) => decision.state === 'blocked' && world.now > START + hours(4),
    });
    expect(end.decision.progress).toEqual({ done: 3, total: 4 });
    expect(end.decision.message).toContain('apps/single');
    expect(end.decision.unblock).toContain('payments');
    const [left] = end.decision.nodes.filter((node) => node.outdated);
    expect(left?.state).toBe('quarantined');
    expect(left?.note).toMatch(/held by PDB apps\/single \(needs 1 healthy, has 1 of 1\), owner payments/);
    expect(end.evictions).toBeLessThan(150);
    expect(world.nodes().every((node) => !node.unschedulable)).toBe(true);
    await expect(end.log.join('\n')).toMatchFileSnapshot(golden('pdb-never-allows'));
  });

  it('takes a quarantined node up again when its PDB allows', () => {
    const world = new RollWorld(
      workersOnly(3, { workloads: [{ name: 'single', replicas: 1, maxUnavailable: 0 }] }),
    );
    const end = drive(world, {
      policy: testPolicy(),
      before: () => {
        if (world.now > START + hours(5))
          world.workloads.splice(0, 1, { name: 'single', replicas: 1, maxUnavailable: 1 });
      },
    });
    expect(end.decision.state).toBe('done');
    checkClean(world);
  });

  /** Somebody deletes the Node of a machine that a PDB keeps from being drained. */
  const withoutNode = (
    policy: ReturnType<typeof testPolicy>,
    until: (noted: string, at: number) => boolean,
  ) => {
    const world = new RollWorld(
      workersOnly(3, { workloads: [{ name: 'single', replicas: 1, maxUnavailable: 0 }] }),
    );
    const held = () => world.pods.find(({ workload }) => workload === 'single')?.node;
    let deleted: number | undefined;
    const end = drive(world, {
      policy,
      before: () => {
        const machine = world.groups
          .flatMap(({ instances }) => instances)
          .find(({ node }) => node?.unschedulable && node.name === held());
        if (deleted !== undefined || !machine || world.now < START + minutes(10)) return;
        const home = world.nodes().find(({ name }) => name !== held());
        delete machine.node;
        // Its pods went with it, and were made anew elsewhere.
        for (const pod of world.pods) if (pod.workload === 'single' && home) pod.node = home.name;
        deleted = world.now;
      },
      until: ({ notes }) =>
        deleted !== undefined && until(notes.map(({ message }) => message).join('\n'), world.now - deleted),
    });
    return { end, world };
  };

  it('is told that a Node was deleted in the middle of its drain, and by nothing that kept it before', () => {
    const { end } = withoutNode(testPolicy({ registerTimeout: hours(1_000) }), (_, at) => at > minutes(20));
    expect(end.decision.notes.map(({ message }) => message).join('\n')).toContain('has no Node');
    expect(JSON.stringify(end.decision.nodes)).not.toContain('held by PDB');
    expect(end.decision.message).not.toContain('held by PDB');
  });

  it('replaces a machine whose Node was deleted, and says so', () => {
    const { end, world } = withoutNode(testPolicy(), (_, at) => at > hours(1));
    expect(end.log.join('\n')).toContain('(its Node was deleted)');
    expect(world.terminations.length).toBeGreaterThan(0);
  });

  it('fails the roll at the deadline where the policy says so, with the node given back', () => {
    const world = new RollWorld(
      workersOnly(2, { workloads: [{ name: 'single', replicas: 1, maxUnavailable: 0 }] }),
    );
    const end = drive(world, { policy: testPolicy({ onBlockedDeadline: 'fail', parkAfter: hours(9) }) });
    expect(end.decision.state).toBe('halted');
    expect(end.decision.message).toContain('apps/single');
  });

  it('halts after two failed boots, old nodes untouched, and goes on after a resume', async () => {
    const world = new RollWorld(workersOnly(3, { badImage: true }));
    const end = drive(world, { policy: testPolicy() });
    expect(end.decision.state).toBe('halted');
    expect(world.launches).toBe(2);
    expect(world.terminations).toEqual(['i-n1']);
    expect(world.nodes().every((node) => !node.unschedulable)).toBe(true);
    await expect(end.log.join('\n')).toMatchFileSnapshot(golden('bad-image'));
    const resumed = decide(world.scope(resumeRoll(end.decision.memory)), testPolicy(), world.now);
    expect(resumed.state).not.toBe('halted');
    const other = decide(world.scope(end.decision.memory, { updateId: 'u2' }), testPolicy(), world.now);
    expect(other.memory.halted).toBeUndefined();
  });

  it('starts nothing on a pool on hold, unmarks waiting nodes after a while, and resumes', () => {
    const world = new RollWorld(workersOnly(3));
    let frozen = false;
    const end = drive(world, {
      policy: testPolicy({ pollInterval: minutes(5) }),
      before: () => {
        frozen = world.now > START + hours(1) + minutes(2) && world.now < START + hours(80);
        if (world.now > START + hours(70) && frozen) {
          expect(world.terminations.length).toBeLessThanOrEqual(1);
          expect(world.nodes().every((node) => node.taints.length === 0)).toBe(true);
        }
      },
      scope: () => ({ frozen: frozen ? ['workers'] : [] }),
      maxMs: hours(200),
    });
    expect(end.decision.state).toBe('done');
    checkClean(world);
  });

  it('respects what an autoscaler adds in the middle', () => {
    const world = new RollWorld(workersOnly(4));
    let added = false;
    const end = drive(world, {
      policy: testPolicy(),
      limits: { surge: 5 },
      before: () => {
        if (world.terminations.length !== 2 || added) return;
        added = true;
        const group = world.group('asg-workers');
        group.desired += 4;
        world.reconcile();
      },
    });
    expect(end.decision.state).toBe('done');
    expect(world.group('asg-workers').desired).toBe(8);
    expect(world.allInstances().filter((instance) => instance.lifecycle !== 'Terminating')).toHaveLength(8);
  });

  it('copes with an instance that is lost in the middle', () => {
    const world = new RollWorld(workersOnly(5));
    let killed = false;
    const end = drive(world, {
      policy: testPolicy(),
      limits: { unavailable: 1, involuntary: 1 },
      before: () => {
        const victim = world
          .allInstances()
          .find((instance) => instance.original && !instance.node?.unschedulable);
        if (world.terminations.length !== 1 || killed || !victim) return;
        killed = true;
        for (const pod of world.pods.filter((each) => each.node === victim.node?.name)) world.deletePod(pod);
        world.terminate(victim, false);
      },
    });
    expect(end.decision.state).toBe('done');
    expect(world.group('asg-workers').desired).toBe(5);
    checkClean(world);
  });

  it('gives surge back through a drained node when the last outdated one is lost', () => {
    const world = new RollWorld(workersOnly(1));
    let killed = false;
    const end = drive(world, {
      policy: testPolicy(),
      limits: { involuntary: 2 },
      before: () => {
        const [old] = world.allInstances().filter((instance) => instance.original);
        if (killed || !old || world.group('asg-workers').desired !== 2) return;
        killed = true;
        for (const pod of world.pods.filter((each) => each.node === old.node?.name)) world.deletePod(pod);
        world.terminate(old, false);
      },
    });
    expect(end.decision.state).toBe('done');
    expect(world.group('asg-workers').desired).toBe(1);
    checkClean(world);
  });

  it('never undoes a cordon that somebody else made', () => {
    const world = new RollWorld(workersOnly(3));
    const [first] = world.nodes();
    if (first) first.unschedulable = true;
    const policy = testPolicy();
    const end = drive(world, {
      policy,
      limits: { involuntary: 1, parallelDrains: 2 },
      scope: () => ({ frozen: world.now > START + hours(1) + minutes(1) ? ['workers'] : [] }),
      until: () => world.now > START + hours(3),
    });
    expect(end.decision.state).toBe('blocked');
    expect(first?.unschedulable).toBe(true);
    expect(first?.taints).toEqual([]);
  });

  it('skips a locked node and says so', () => {
    const world = new RollWorld(workersOnly(2));
    const [first] = world.nodes();
    if (first) first.annotations['fairway.dev/upgrade-lock'] = 'true';
    const end = drive(world, { policy: testPolicy(), until: (decision) => decision.state === 'blocked' });
    expect(end.decision.progress).toEqual({ done: 1, total: 2 });
    expect(end.decision.message).toContain('upgrade-lock');
    expect(world.instance('i-asg-workers-o1')?.lifecycle).toBe('InService');
  });

  it('starts no master while the gate of the control plane is closed', () => {
    const world = new RollWorld(mastersAndWorkers);
    const end = drive(world, {
      policy: testPolicy(),
      scope: () => ({ controlPlaneGate: { open: false, reasons: ['kube-scheduler has no leader'] } }),
      until: () => world.now > START + hours(2),
    });
    expect(world.terminations).toEqual([]);
    expect(world.nodes().every((node) => !node.unschedulable)).toBe(true);
    expect(end.decision.state).toBe('working');
    expect(end.decision.message).toContain('kube-scheduler has no leader');
  });

  it('terminates first where the strategy says so', () => {
    const world = new RollWorld(workersOnly(3));
    const end = drive(world, {
      policy: testPolicy({ strategy: 'one-at-a-time' }),
      limits: { surge: 0, unavailable: 1, movesAgain: true },
    });
    expect(end.decision.state).toBe('done');
    expect(world.launches).toBe(3);
    checkClean(world);
  });

  it('turns to the newest update in the middle of a roll', () => {
    const world = new RollWorld(workersOnly(6));
    let updateId = 'u1';
    const end = drive(world, {
      policy: testPolicy(),
      before: () => {
        if (world.terminations.length === 3) updateId = 'u2';
      },
      scope: () => ({ updateId }),
    });
    expect(end.decision.state).toBe('done');
    expect(world.terminations).toHaveLength(6);
    checkClean(world);
  });
});
