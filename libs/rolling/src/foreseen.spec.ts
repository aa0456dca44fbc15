import { hours, minutes, seconds } from '#kernel';
import type { RollDecision } from './decision.js';
import { describe, expect, it } from 'vitest';
import { decide } from './decide.js';
import { newRollMemory, type InstanceMemory, type RollMemory } from './memory.js';
import type { RollPolicy } from './policy.js';
import type { RollScope } from './scope.js';
import { drive } from './test-world/drive.js';
import { testPolicy, workersOnly } from './test-world/stories.js';
import { RollWorld } from './test-world/world.js';
import type { WorkloadSpec } from './test-world/world-types.js';

const NEVER: WorkloadSpec = { name: 'single', replicas: 1, maxUnavailable: 0 };
const FREE: WorkloadSpec = { name: 'web', replicas: 3, maxUnavailable: 1 };
const policy = (more: Partial<RollPolicy> = {}): RollPolicy =>
  testPolicy({ blockedDeadline: hours(6), ...more });

interface Case {
  readonly workloads?: readonly WorkloadSpec[];
  readonly policy?: Partial<RollPolicy>;
  readonly scope?: (scope: RollScope) => Partial<RollScope>;
  /** Of the first node, at the begin of the pass that is asked. */
  readonly memory?: (now: number) => Partial<InstanceMemory>;
}

/** The first pass of a roll of three nodes; each carries one pod of `web`, `single` runs on the first. */
function firstLook({ workloads = [NEVER, FREE], policy: change, scope, memory }: Case): RollDecision {
  const world = new RollWorld(workersOnly(3, { workloads }));
  const begun = decide(world.scope(newRollMemory('u1')), policy(change), world.now).memory;
  const [id = ''] = Object.keys(begun.instances);
  const known = { ...(begun.instances[id] as InstanceMemory), ...memory?.(world.now) };
  const after: RollMemory = { ...begun, instances: { ...begun.instances, [id]: known } };
  const seen = world.scope(after);
  return decide({ ...seen, ...scope?.(seen) }, policy(change), world.now);
}

const held = { code: 'webhook-denied', pod: 'apps/web-9', message: 'not now' };
const NODE = 'node-asg-workers-o1';

describe('what an estimate counts on', () => {
  it.each<[string, Case, string | undefined]>([
    ['nothing is in the way', { workloads: [FREE] }, undefined],
    [
      'a PDB that can never allow',
      {},
      `PDB apps/single (owner payments) lets ${NODE} go; a node that stays blocked is set aside after 6h`,
    ],
    [
      'the same under the ladder',
      { policy: { onBlockedDeadline: 'ladder' } },
      `PDB apps/single (owner payments) lets ${NODE} go; a node that stays blocked is cleared by the ladder after 6h`,
    ],
    [
      'a PDB that holds several nodes, and more causes than are named',
      {
        workloads: [
          { name: 'a', replicas: 3, maxUnavailable: 0 },
          { ...NEVER, name: 'b' },
          { ...NEVER, name: 'c' },
        ],
        policy: { onBlockedDeadline: 'fail' },
      },
      `PDB apps/a (owner payments) lets ${NODE}, node-asg-workers-o2 (and 1 more) go and PDB apps/b (owner payments) lets ${NODE} go and 1 more cause ends; a node that stays blocked halts the roll after 6h`,
    ],
    [
      'two PDBs on a pod',
      {
        workloads: [{ ...FREE, replicas: 1 }],
        scope: ({ pdbs }) => ({ pdbs: pdbs.flatMap((pdb) => [pdb, { ...pdb, name: 'second' }]) }),
      },
      'only one of the PDBs apps/web, apps/second covers apps/web-1; a node that stays blocked is set aside after 6h',
    ],
    [
      'a database whose operator switches over',
      {
        scope: ({ pdbs }) => ({
          pdbs: pdbs.map((pdb) => ({ ...pdb, labels: { 'spilo-role': 'master', 'cluster-name': 'orders' } })),
        }),
      },
      undefined,
    ],
    [
      'a lock, which has no deadline',
      {
        workloads: [FREE],
        scope: ({ groups }) => ({
          groups: groups.map((pool) => ({
            ...pool,
            nodes: pool.nodes.map((node) =>
              node.name === NODE ? { ...node, labels: { 'fairway.dev/upgrade-lock': 'x' } } : node,
            ),
          })),
        }),
      },
      `fairway.dev/upgrade-lock is taken off ${NODE}`,
    ],
    [
      'a refusal that has lasted, with the time of its deadline',
      {
        workloads: [FREE],
        memory: (now) => ({ state: 'slow-lane', blockedSince: now - minutes(90), blockedBy: [held] }),
        scope: ({ pods }) => ({
          pods: pods.map((pod) => (pod.name === 'web-1' ? { ...pod, name: 'web-9' } : pod)),
        }),
      },
      `apps/web-9 may leave ${NODE}; otherwise ${NODE} is set aside at 2026-01-01T05:30Z`,
    ],
    [
      'a refusal as PDBs give them all day',
      {
        workloads: [FREE],
        memory: (now) => ({ state: 'draining', blockedSince: now - seconds(90), blockedBy: [held] }),
      },
      undefined,
    ],
    [
      'a node that was set aside and still is',
      {
        memory: (now) => ({
          state: 'quarantined',
          blockedSince: now - hours(7),
          blockedBy: [{ code: 'pdb', pod: 'apps/single-1', pdb: 'apps/single', message: 'needs 1, has 1' }],
        }),
      },
      `PDB apps/single (owner payments) lets ${NODE} go`,
    ],
  ])('%s', (_, story, words) => {
    const { etaMs, etaIf } = firstLook(story);
    expect(etaMs).toBeGreaterThan(0);
    expect(etaIf).toBe(words);
  });

  it('is told as long as there is an estimate, and ends with it', () => {
    const world = new RollWorld(workersOnly(3, { workloads: [NEVER, FREE] }));
    const said: Pick<RollDecision, 'state' | 'etaMs' | 'etaIf'>[] = [];
    drive(world, {
      policy: policy(),
      until: (decision) => {
        said.push(decision);
        return decision.state === 'blocked';
      },
    });
    const estimates = said.filter(({ etaMs }) => etaMs !== undefined);
    expect(estimates.length).toBeGreaterThan(20);
    expect(estimates.filter(({ etaIf }) => etaIf?.includes('PDB apps/single') !== true)).toEqual([]);
    expect(said.at(-1)).toMatchObject({ state: 'blocked' });
    expect(said.filter(({ etaMs, etaIf }) => etaMs === undefined && etaIf !== undefined)).toEqual([]);
  });
});
