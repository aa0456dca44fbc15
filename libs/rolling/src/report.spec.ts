import { minutes } from '#kernel';
import { describe, expect, it } from 'vitest';
import type { RollDecision } from './decision.js';
import { newRollMemory } from './memory.js';
import { drive } from './test-world/drive.js';
import { testPolicy, workersOnly } from './test-world/stories.js';
import { RollWorld } from './test-world/world.js';

/** Pods of one node that may not go: `single` by an admission webhook, `frozen` by its PDB. */
function decisionAfter(ms: number, names: readonly string[] = ['single', 'frozen']): RollDecision {
  const workloads = names.map((name) => ({ name, replicas: 1, maxUnavailable: name === 'frozen' ? 0 : 1 }));
  const world = new RollWorld(workersOnly(1, { workloads }));
  let drainsSince: number | undefined;
  const end = drive(world, {
    policy: testPolicy(),
    answer: ({ name }) =>
      name.startsWith('single') ? { kind: 'webhook-denied', message: 'not now' } : undefined,
    until: ({ nodes }) => {
      if (nodes.some(({ state }) => state === 'draining')) drainsSince ??= world.now;
      return drainsSince !== undefined && world.now - drainsSince > ms;
    },
  });
  return end.decision;
}

describe('what is told of a drain that waits', () => {
  it('names everything that keeps the node, also what is still somebody’s work', () => {
    const note = decisionAfter(minutes(1)).nodes.find(({ state }) => state === 'draining')?.note;
    expect(note).toMatch(/frozen.* is held by PDB .*; .*single.*: not now/);
  });

  it('is blocked when a webhook goes on denying after its time, however often it is asked', () => {
    const { state, message } = decisionAfter(minutes(40), ['single']);
    expect(state).toBe('blocked');
    expect(message).toContain('not now');
  });

  it('says that a node which waits for its turn is not Ready', () => {
    const world = new RollWorld(
      workersOnly(2, { workloads: [{ name: 'frozen', replicas: 2, maxUnavailable: 0 }] }),
    );
    let dead: string | undefined;
    const { decision } = drive(world, {
      policy: testPolicy(),
      scope: () => ({
        groups: world.scope(newRollMemory('u1')).groups.map((pool) => ({
          ...pool,
          nodes: pool.nodes.map((node) => (node.instanceId === dead ? { ...node, ready: false } : node)),
        })),
      }),
      until: ({ nodes }) => {
        const told = dead !== undefined;
        if (nodes.some(({ state }) => state === 'draining'))
          dead = nodes.find(({ state }) => state === 'queued')?.instanceId;
        return told;
      },
    });
    expect(decision.nodes.find(({ instanceId }) => instanceId === dead)?.note).toMatch(
      /^its Node is not Ready; launch template version/,
    );
  });

  it('counts down to the end of a machine whose kubelet is dead, and estimates no earlier end', () => {
    const world = new RollWorld(workersOnly(1, { losesPods: true, lingerMs: 15_000 }));
    const [dead] = world.allInstances();
    if (!dead?.node) throw new Error('no node');
    world.silence(dead.node, true);
    world.advance(minutes(6), true);
    const told: {
      readonly note: string;
      readonly at: number;
      readonly since: number;
      readonly etaMs: number;
    }[] = [];
    const end = drive(world, {
      policy: testPolicy({ unreachableAfter: minutes(5), unreachableWait: minutes(10) }),
      limits: { involuntary: 1 },
      until: ({ nodes, etaMs }) => {
        const node = nodes.find(({ note }) => note?.includes('its machine goes in'));
        if (node) told.push({ note: node.note ?? '', at: world.now, since: node.since, etaMs: etaMs ?? 0 });
        return false;
      },
    });
    expect(end.decision.state).toBe('done');
    const [first, last] = [told[0], told.at(-1)];
    if (!first || !last) throw new Error('nothing was told');
    expect(first.note).toBe('its Node is not Ready; if it stays silent, its machine goes in 10m');
    expect(first.etaMs).toBeGreaterThanOrEqual(minutes(10));
    expect(last.at - first.at).toBeGreaterThan(minutes(8));
    // In one state all the while, not in a new one at every look.
    expect(new Set(told.slice(3, -3).map(({ since }) => since)).size).toBe(1);
  });

  it('tells no blocker of a node that gave way once it is gone', () => {
    const workloads = [{ name: 'frozen', replicas: 2, maxUnavailable: 0 }];
    const world = new RollWorld(workersOnly(2, { workloads }));
    let parked: string | undefined;
    const before: (string | undefined)[] = [];
    const { decision } = drive(world, {
      policy: testPolicy(),
      scope: () => {
        const pdbs = parked === undefined ? undefined : world.scope(newRollMemory('u1')).pdbs;
        return pdbs ? { pdbs: pdbs.map((pdb) => ({ ...pdb, disruptionsAllowed: 1 })) } : {};
      },
      until: ({ nodes }) => {
        if (parked !== undefined) return true;
        const node = nodes.find(({ state }) => state === 'slow-lane');
        before.push(node?.note);
        parked = node?.instanceId;
        return false;
      },
    });
    expect(before.at(-1)).toContain('is held by PDB');
    const node = decision.nodes.find(({ instanceId }) => instanceId === parked);
    expect(node?.note).toMatch(/^launch template version/);
    expect(decision.notes.filter(({ instance }) => instance === parked)).toEqual([]);
  });

  it('says that pods are ending while nothing else keeps the node', () => {
    const world = new RollWorld(
      workersOnly(1, { workloads: [{ name: 'web', replicas: 1, graceMs: 60_000 }] }),
    );
    const notes: (string | undefined)[] = [];
    drive(world, {
      policy: testPolicy(),
      until: ({ nodes }) => {
        notes.push(...nodes.filter(({ state }) => state === 'draining').map(({ note }) => note));
        return false;
      },
    });
    expect(notes).toContain('1 pod is ending');
  });

  it('estimates no end that nobody knows', () => {
    expect(decisionAfter(minutes(6)).etaMs).toBeUndefined();
  });

  it('estimates no end while a new node takes more than twice its time', () => {
    const world = new RollWorld(workersOnly(3, { badImage: true }));
    const [began, said]: [number, Map<number, boolean>] = [world.now, new Map()];
    drive(world, {
      policy: testPolicy({ expectedBoot: minutes(4) }),
      until: ({ etaMs }) => {
        said.set(Math.floor((world.now - began) / minutes(1)), etaMs !== undefined);
        return world.now - began > minutes(12);
      },
    });
    expect([said.get(3), said.get(7), said.get(9), said.get(11)]).toEqual([true, true, false, false]);
  });

  it('names the machine whose Node somebody deleted, and replaces it when its time is over', () => {
    const world = new RollWorld(workersOnly(3, { workloads: [] }));
    const policy = testPolicy();
    const said: string[] = [];
    const end = drive(world, {
      policy,
      limits: { involuntary: 1 },
      before: ({ groups, now }, pass) => {
        const machine = groups[0]?.instances.at(-1);
        if (pass !== 0 || !machine) return;
        delete machine.node;
        Object.assign(machine, { launchedAt: now });
      },
      until: ({ state, message }) => {
        said.push(`${state}: ${message}`);
        return false;
      },
    });
    expect(said.filter((one) => one.startsWith('blocked'))).toEqual([]);
    expect(said.join('\n')).toMatch(
      /0 of 3 replaced, i-asg-workers-o3 has no Node: without one it is replaced in 15m/,
    );
    expect(end.decision.state).toBe('done');
    expect(end.elapsedMs).toBeGreaterThan(policy.registerTimeout);
  });
});
