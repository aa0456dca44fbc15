import { minutes } from '#kernel';
import { describe, expect, it } from 'vitest';
import { drive } from './test-world/drive.js';
import { testPolicy, workersOnly } from './test-world/stories.js';
import { RollWorld } from './test-world/world.js';

describe('a roll whose turn has not come again', () => {
  it('finishes the node in flight, lets dead ones go, and starts no other', () => {
    const world = new RollWorld(
      workersOnly(5, { workloads: [{ name: 'web', replicas: 5, maxUnavailable: 3 }], losesPods: true }),
    );
    const [inFlight, stopped, silent, ...healthy] = world.allInstances();
    if (!inFlight || !stopped || !silent?.node) throw new Error('too few nodes');
    const dead = [stopped, silent];
    const ended = world.now + minutes(90);
    let waits = false;
    const end = drive(world, {
      policy: testPolicy(),
      limits: { surge: 1, involuntary: 2 },
      before: () => {
        if (waits || inFlight.node?.unschedulable !== true) return;
        waits = true;
        stopped.stopped = true;
        for (const { node } of dead) if (node) world.silence(node, true);
      },
      scope: () => ({ starts: waits ? 'dead' : 'any' }),
      until: () => world.now > ended,
    });
    expect([...world.terminations].sort()).toEqual([inFlight, ...dead].map(({ id }) => id).sort());
    expect(healthy.map(({ node }) => node?.unschedulable)).toEqual(healthy.map(() => false));
    expect(end.log.filter((line) => / cordon /.test(line)).map((line) => line.split(' ')[3])).toEqual([
      inFlight.node?.name,
      silent.node.name,
    ]);
  });
});
