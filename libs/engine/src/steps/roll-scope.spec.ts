import { describe, expect, it } from 'vitest';
import { minutes } from '#kernel';
import type { NodeGroupView } from '#fleet';
import { newRollMemory, policyFor } from '#rolling';
import { PassMemory } from '../pass/pass-memory.js';
import type { Pass } from '../pass/pass.js';
import { lookAfterChange, observeRoll } from './roll-scope.js';

const policy = policyFor({}, 'test');
if (!policy.ok) throw new Error(policy.error.message);
const policies = { scope: policy.value, byPool: new Map() };
const pool = { name: 'workers', master: false, minSize: 1, maxSize: 3, instanceTypes: [] };

/** A pass of a cluster whose group gets its next launch template version between two looks. */
function passOf(memory: PassMemory): { readonly pass: Pass; readonly looks: () => number } {
  let looks = 0;
  let time = 0;
  const group = (): NodeGroupView => ({
    pool: 'workers',
    groupName: 'asg',
    minSize: 1,
    maxSize: 3,
    desiredCapacity: 0,
    zones: ['a'],
    suspendedProcesses: [],
    launchTemplate: { name: 'lt', version: String((looks += 1)) },
    instanceTypes: [],
    targetGroupArns: [],
    tags: {},
    recentFailures: [],
    instances: [],
  });
  const pass = {
    memory,
    cluster: { id: 'c', region: 'r', configItems: {} },
    account: { externalId: '1' },
    update: { id: 'u1' },
    desired: { commit: 'x' },
    holds: [],
    ports: { clock: { now: () => (time += 1_000) } },
    aws: { describeNodeGroups: async () => [group()] },
    kubernetes: { listNodes: async () => [], listPods: async () => [], listPdbs: async () => [] },
  } as unknown as Pass;
  return { pass, looks: () => looks };
}

const versionSeen = async (pass: Pass): Promise<string | undefined> => {
  const seen = await observeRoll(pass, [pool as never], policies, newRollMemory('u1'));
  return seen.kind === 'scope' ? seen.scope.groups[0]?.targetVersion.version : undefined;
};

describe('what a pass has seen of the groups', () => {
  it('is looked at again once after their stacks were changed, and not otherwise', async () => {
    const memory = new PassMemory({});
    const first = passOf(memory);
    expect(await versionSeen(first.pass)).toBe('1');
    // The stack update ended after the control plane's look, and before the pools' step asked for it.
    lookAfterChange(first.pass, 'content-1');
    expect(await versionSeen(first.pass)).toBe('2');
    const next = passOf(new PassMemory(memory.toJson()));
    expect(await versionSeen(next.pass)).toBe('1');
    lookAfterChange(next.pass, 'content-1');
    expect(await versionSeen(next.pass)).toBe('1');
    expect(next.looks()).toBe(1);
    lookAfterChange(next.pass, 'content-2');
    expect(await versionSeen(next.pass)).toBe('2');
  });

  it('is judged by the time at which the look began, however much later that is', async () => {
    const { pass } = passOf(new PassMemory({}));
    const look = async (): Promise<number | undefined> => {
      const seen = await observeRoll(pass, [pool as never], policies, newRollMemory('u1'));
      return seen.kind === 'scope' ? seen.at : undefined;
    };
    const before = pass.ports.clock.now();
    const at = await look();
    expect(at).toBe(before + 1_000);
    pass.ports.clock.now();
    expect(await look()).toBe(at);
    lookAfterChange(pass, 'content-1');
    expect(await look()).toBeGreaterThan(at ?? 0);
  });
});

describe('a pool whose auto scaling group is not to be seen', () => {
  const own = { ...pool, stack: { name: 'nodepool-workers' } } as never;
  const look = async (memory: PassMemory, now: number, groups: readonly NodeGroupView[] = []) => {
    const { pass } = passOf(memory);
    const ports = { clock: { now: () => now } };
    const aws = { describeNodeGroups: async () => groups };
    const settings = { pollInterval: 1 };
    const seen = await observeRoll(
      { ...pass, ports, aws, settings } as never,
      [own],
      policies,
      newRollMemory('u1'),
    );
    return seen.kind === 'outcome' ? seen.outcome : undefined;
  };

  it('is waited for as long as a new one may take, then told with its stack, and found again', async () => {
    const memory = new PassMemory({});
    expect(await look(memory, 1)).toMatchObject({ kind: 'waiting' });
    expect(await look(memory, minutes(2))).toMatchObject({ kind: 'waiting' });
    expect(await look(new PassMemory(memory.toJson()), minutes(4))).toMatchObject({
      kind: 'failed',
      failure: {
        class: 'blocked',
        code: 'node-group-missing',
        message: expect.stringContaining('nodepool-workers'),
        hint: expect.stringContaining('delete the stack'),
      },
    });
    const [group] = await passOf(new PassMemory({})).pass.aws.describeNodeGroups('c');
    expect(await look(memory, minutes(5), [group as NodeGroupView])).toBeUndefined();
    expect(await look(memory, minutes(6))).toMatchObject({ kind: 'waiting' });
    const { launchTemplate: _deleted, ...bare } = group as NodeGroupView;
    expect(await look(memory, minutes(10), [bare])).toMatchObject({
      failure: { class: 'blocked', code: 'launch-template-missing' },
    });
  });
});
