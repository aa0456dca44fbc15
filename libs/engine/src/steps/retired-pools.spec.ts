import { describe, expect, it } from 'vitest';
import { done, minutes } from '#kernel';
import type { Pass } from '../pass/pass.js';
import { deleteStacks } from './decommission.step.js';
import { retirePools } from './retired-pools.js';

const ID = 'aws:1:eu:kube-1';
const stackOf = (pool: string): string => `nodepool-${pool}-aws-1-eu-kube-1`;
const ROLLED = done('all nodes are current');

interface Group {
  readonly pool: string;
  readonly machines: number;
  readonly desired: number;
}

/** As much of a pass as retiring looks at; deletions are noted. */
function passWith(groups: readonly Group[], stacks: readonly string[], holds: readonly object[] = []) {
  const deleted: string[] = [];
  const pass = {
    cluster: { id: ID, channel: 'dev' },
    update: { id: 'u1' },
    settings: { pollInterval: 1_000 },
    ports: { clock: { now: () => 0 } },
    desired: { nodePools: [{ name: 'kept', stack: { name: stackOf('kept') } }] },
    holds,
    report: { problems: [] as { detail?: string; hint?: string }[], events: [] },
    memory: { text: () => undefined, set: () => undefined },
    intents: { perform: (_request: object, work: () => Promise<void>) => work() },
    kubernetes: {
      listNodes: async () => [
        { instanceId: 'i-master-0', labels: { 'node-role.kubernetes.io/control-plane': '' } },
        { instanceId: 'i-spare-0', labels: {} },
      ],
    },
    aws: {
      listClusterStacks: async () => stacks,
      describeNodeGroups: async () =>
        groups.map(({ pool, machines, desired }) => ({
          pool,
          groupName: `asg-${pool}`,
          desiredCapacity: desired,
          instances: Array.from({ length: machines }, (_, at) => ({ instanceId: `i-${pool}-${at}` })),
        })),
      describeStack: async (name: string) => ({ name, id: name, status: 'CREATE_COMPLETE' }),
      setTerminationProtection: async () => undefined,
      deleteStack: async (name: string) => void deleted.push(name),
    },
  };
  return { pass: pass as unknown as Pass, deleted, problems: pass.report.problems };
}

const KEPT = { pool: 'kept', machines: 2, desired: 2 };

describe('retirePools', () => {
  it('leaves registered pools alone', async () => {
    const { pass, deleted } = passWith([KEPT], [stackOf('kept'), 'kube-1', 'etcd-kube-1']);
    expect(await retirePools(pass, ROLLED)).toBe(ROLLED);
    expect(deleted).toEqual([]);
  });

  it('deletes the stack of a pool that is gone from the registry and has no machines', async () => {
    const spare = { pool: 'spare', machines: 0, desired: 0 };
    const { pass, deleted, problems } = passWith([KEPT, spare], [stackOf('kept'), stackOf('spare')]);
    expect((await retirePools(pass, ROLLED)).kind).toBe('waiting');
    expect(deleted).toEqual([stackOf('spare')]);
    expect(problems).toEqual([]);
  });

  it.each([
    ['machines', [{ pool: 'spare', machines: 1, desired: 1 }]],
    ['machines on their way', [{ pool: 'spare', machines: 0, desired: 1 }]],
    ['no group to be counted', []],
  ])('tells of a pool with %s, and deletes nothing', async (_what, groups) => {
    const { pass, deleted, problems } = passWith([KEPT, ...groups], [stackOf('kept'), stackOf('spare')]);
    expect(await retirePools(pass, ROLLED)).toBe(ROLLED);
    expect(deleted).toEqual([]);
    expect(problems.map(({ detail }) => detail)).toEqual([expect.stringContaining('node pool spare')]);
    expect(problems[0]?.hint).toMatch(/^Drain its nodes/);
  });

  it('never advises to drain what runs the control plane', async () => {
    const master = { pool: 'master', machines: 1, desired: 1 };
    const { pass, problems } = passWith([KEPT, master], [stackOf('kept'), stackOf('master')]);
    await retirePools(pass, ROLLED);
    expect(problems.map(({ hint }) => hint)).toEqual([expect.stringMatching(/^It runs control plane nodes/)]);
  });
});

describe('deleteStacks', () => {
  it('tries one that could not be deleted again after a while: what held it may be gone', async () => {
    const { pass, deleted } = passWith([], []);
    const memory = new Map<string, unknown>();
    let now = 0;
    const failing = {
      ...pass,
      ports: { clock: { now: () => now } },
      memory: {
        text: (key: string) => memory.get(key),
        number: (key: string) => memory.get(key),
        set: (key: string, value: unknown) => void memory.set(key, value),
      },
      aws: {
        ...pass.aws,
        describeStack: async (name: string) => ({ name, id: 'arn:1', status: 'DELETE_FAILED' }),
        stackFailures: async () => [{ reason: 'has a dependent object' }],
      },
    } as unknown as Pass;
    const look = () => deleteStacks(failing, 'remove-stacks', ['kube-1']);
    expect((await look()).kind).toBe('waiting');
    now = minutes(9);
    expect(await look()).toMatchObject({
      kind: 'failed',
      failure: { class: 'blocked', message: 'stack kube-1 cannot be deleted: has a dependent object' },
    });
    expect(deleted).toEqual(['kube-1']);
    now = minutes(10);
    expect((await look()).kind).toBe('waiting');
    expect(deleted).toEqual(['kube-1', 'kube-1']);
  });
});
