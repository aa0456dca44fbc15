import type { InstanceView } from '#fleet';
import { describe, expect, it } from 'vitest';
import { isConcreteVersion, outdated } from './outdated.js';

const instance: InstanceView = {
  instanceId: 'i-1',
  zone: 'a',
  instanceType: 'm5.large',
  market: 'on-demand',
  launchTemplate: { name: 'lt', version: '2' },
  lifecycleState: 'InService',
  healthStatus: 'Healthy',
  protectedFromScaleIn: false,
  targetHealth: {},
};
const pool = { targetVersion: { name: 'lt', version: '2' } };

describe('outdated', () => {
  it.each<[string, Partial<InstanceView>, Parameters<typeof outdated>[1], string | undefined]>([
    ['the same', {}, pool, undefined],
    ['an old version', { launchTemplate: { name: 'lt', version: '1' } }, pool, 'version 1, should be 2'],
    ['a newer version', { launchTemplate: { name: 'lt', version: '3' } }, pool, 'version 3, should be 2'],
    ['another template', { launchTemplate: { name: 'x', version: '2' } }, pool, 'template x, should be lt'],
    ['another type', {}, { ...pool, instanceTypes: ['c5.large'] }, 'm5.large, should be c5.large'],
    ['one of several types', {}, { ...pool, instanceTypes: ['c5.large', 'm5.large'] }, undefined],
    ['any type', {}, { ...pool, instanceTypes: [] }, undefined],
    ['another market', {}, { ...pool, market: 'spot' }, 'on-demand, should be spot'],
  ])('%s', (_, change, target, reason) => {
    const verdict = outdated({ ...instance, ...change }, target);
    expect(verdict.outdated).toBe(reason !== undefined);
    expect(verdict.reason).toContain(reason ?? 'current');
  });

  it('an instance without a launch template is outdated', () => {
    const { launchTemplate: _, ...bare } = instance;
    expect(outdated(bare, pool).outdated).toBe(true);
  });

  it('knows a concrete version', () => {
    expect(['7', '$Latest', '$Default', ''].map(isConcreteVersion)).toEqual([true, false, false, false]);
  });
});
