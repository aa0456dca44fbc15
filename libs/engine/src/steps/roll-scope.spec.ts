import { describe, expect, it } from 'vitest';
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
    ports: { clock: { now: () => 0 } },
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
});
