import { hours, minutes, seconds } from '#kernel';
import { describe, expect, it } from 'vitest';
import { policyFor } from './policy-for.js';

const valueOf = (items: Record<string, string>, environment = 'production') => {
  const policy = policyFor(items, environment);
  if (!policy.ok) throw new Error(policy.error.message);
  return policy.value;
};

describe('policyFor', () => {
  it('has the defaults of the design, more patient in production', () => {
    expect(valueOf({})).toMatchObject({
      maxSurge: 1,
      maxUnavailable: 0,
      parallelDrains: 1,
      blockedDeadline: hours(6),
      podsWithoutController: 'wait',
    });
    expect(valueOf({}, 'test')).toMatchObject({ blockedDeadline: hours(1), podsWithoutController: 'delete' });
  });

  it('reads every item', () => {
    const policy = valueOf({
      max_surge: 'auto',
      max_unavailable: '1',
      parallel_drains: '2',
      roll_strategy: 'one-at-a-time',
      min_ready_seconds: '45',
      canary_soak: '10m',
      drain_blocked_deadline: '2h',
      drain_on_deadline: 'fail',
      drain_pods_without_controller: 'fail',
      drain_profile: 'lifecycle-status=decommission-pending',
      startup_taints: 'a/b, c/d',
      node_unreachable_after: '2m',
      node_unreachable_wait: '90s',
      roll_pause_grace: '1h',
      unrelated: 'ignored',
    });
    expect(policy).toMatchObject({
      maxSurge: 'auto',
      maxUnavailable: 1,
      parallelDrains: 2,
      strategy: 'one-at-a-time',
      minReady: seconds(45),
      canarySoak: minutes(10),
      blockedDeadline: hours(2),
      onBlockedDeadline: 'fail',
      podsWithoutController: 'fail',
      drainLabels: { 'lifecycle-status': 'decommission-pending' },
      startupTaints: ['a/b', 'c/d'],
      unreachableAfter: minutes(2),
      unreachableWait: seconds(90),
      frozenGrace: hours(1),
    });
  });

  it('reports all faults at once, by item and with what would be right', () => {
    const policy = policyFor(
      { max_surge: '-1', min_ready_seconds: 'soon', roll_strategy: 'yolo', drain_profile: 'x' },
      'test',
    );
    expect(policy.ok).toBe(false);
    if (policy.ok) return;
    expect(policy.error).toMatchObject({ class: 'invalid', code: 'roll-policy-invalid' });
    expect(policy.error.details?.map((detail) => detail.place?.field)).toEqual([
      'config_items.max_surge',
      'config_items.roll_strategy',
      'config_items.min_ready_seconds',
      'config_items.drain_profile',
    ]);
    expect(policy.error.details?.every((detail) => detail.hint !== undefined)).toBe(true);
  });

  it.each([
    [{ max_surge: '0' }, 'no node could ever go'],
    [{ roll_strategy: 'all-at-once' }, 'every node at the same time'],
  ])('refuses %o', (items, text) => {
    const policy = policyFor(items, 'test');
    expect(policy.ok ? '' : policy.error.message).toContain(text);
  });

  it('lets the installation override', () => {
    const policy = policyFor({ min_ready_seconds: '45' }, 'test', { minReady: seconds(1) });
    expect(policy.ok && policy.value.minReady).toBe(seconds(1));
  });
});
