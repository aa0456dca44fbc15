import { describe, expect, it } from 'vitest';
import { budgetStatus, needOf, nextLapse } from './disruption-budget.js';
import type { Pod } from './objects.js';
import type { BudgetSpec, DisruptionBudget } from './workloads.js';

const START = Date.UTC(2026, 0, 5, 8);
const NOW = { now: START, since: (instant: number) => START - instant };

const pod = (name: string, ready = true, terminating = false): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'default', ...(terminating && { deletionTimestamp: '2026-01-05T08:00:00Z' }) },
  status: { phase: 'Running', conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }] },
});
const pods = (count: number): Pod[] => Array.from({ length: count }, (_, i) => pod(`p${i}`));
const budget = (spec: BudgetSpec, status?: DisruptionBudget['status']): DisruptionBudget => ({
  apiVersion: 'policy/v1',
  kind: 'PodDisruptionBudget',
  metadata: { name: 'b', namespace: 'default', generation: 3 },
  spec,
  ...(status && { status }),
});
const scaled = (replicas: number) => () => ({ ok: true as const, replicas });

describe('needOf', () => {
  it.each([
    { spec: { minAvailable: 2 }, matching: 3, scale: 3, needed: 2, expected: 3 },
    { spec: { minAvailable: 5 }, matching: 3, scale: 3, needed: 5, expected: 3 },
    { spec: { minAvailable: '50%' }, matching: 3, scale: 3, needed: 2, expected: 3 },
    { spec: { minAvailable: '100%' }, matching: 3, scale: 4, needed: 4, expected: 4 },
    { spec: { minAvailable: '1%' }, matching: 7, scale: 7, needed: 1, expected: 7 },
    { spec: { maxUnavailable: 1 }, matching: 3, scale: 3, needed: 2, expected: 3 },
    { spec: { maxUnavailable: 0 }, matching: 3, scale: 3, needed: 3, expected: 3 },
    { spec: { maxUnavailable: 9 }, matching: 3, scale: 3, needed: 0, expected: 3 },
    { spec: { maxUnavailable: '30%' }, matching: 3, scale: 3, needed: 2, expected: 3 },
    { spec: { maxUnavailable: '25%' }, matching: 10, scale: 10, needed: 7, expected: 10 },
    { spec: { maxUnavailable: '0%' }, matching: 10, scale: 10, needed: 10, expected: 10 },
    { spec: {}, matching: 3, scale: 3, needed: 0, expected: 3 },
  ])('$spec of $scale replicas needs $needed', ({ spec, matching, scale, needed, expected }) => {
    expect(needOf(spec, pods(matching), scaled(scale))).toEqual({
      expectedPods: expected,
      desiredHealthy: needed,
    });
  });

  it('cannot tell without a scale, except for a plain minAvailable', () => {
    const unknown = () => ({ ok: false as const, why: 'found no controller ref for pod "p0"' });
    expect(needOf({ maxUnavailable: 1 }, pods(1), unknown)).toEqual({
      why: 'found no controller ref for pod "p0"',
    });
    expect(needOf({ minAvailable: 1 }, pods(1), unknown)).toEqual({ expectedPods: 1, desiredHealthy: 1 });
  });
});

describe('budgetStatus', () => {
  it('allows what is healthy beyond the need, and says so in the condition', () => {
    const status = budgetStatus(budget({ minAvailable: 2 }), pods(3), scaled(3), NOW);
    expect(status).toMatchObject({
      disruptionsAllowed: 1,
      currentHealthy: 3,
      desiredHealthy: 2,
      expectedPods: 3,
      observedGeneration: 3,
    });
    expect(status.conditions?.[0]).toMatchObject({
      type: 'DisruptionAllowed',
      status: 'True',
      reason: 'SufficientPods',
    });
  });

  it('does not count unready, terminating and disrupted pods', () => {
    const mixed = [pod('a'), pod('b', false), pod('c', true, true), pod('d')];
    const disruptedPods = { d: '2026-01-05T07:59:00Z' };
    const known = {
      disruptionsAllowed: 0,
      currentHealthy: 0,
      desiredHealthy: 0,
      expectedPods: 0,
      disruptedPods,
    };
    const status = budgetStatus(budget({ minAvailable: 1 }, known), mixed, scaled(4), NOW);
    expect(status).toMatchObject({ currentHealthy: 1, disruptionsAllowed: 0, disruptedPods });
    expect(nextLapse(status, NOW)).toBe(60_000);
  });

  it('forgets an eviction that did not happen after two minutes', () => {
    const disruptedPods = { p0: '2026-01-05T07:57:59Z' };
    const known = {
      disruptionsAllowed: 0,
      currentHealthy: 0,
      desiredHealthy: 0,
      expectedPods: 0,
      disruptedPods,
    };
    const status = budgetStatus(budget({ minAvailable: 1 }, known), pods(2), scaled(2), NOW);
    expect(status.disruptedPods).toBeUndefined();
    expect(status.disruptionsAllowed).toBe(1);
  });

  it('allows nothing where no pod is expected', () => {
    expect(budgetStatus(budget({ maxUnavailable: 1 }), [], scaled(0), NOW).disruptionsAllowed).toBe(0);
  });

  it('fails safe, and keeps the generation it last understood', () => {
    const known = {
      disruptionsAllowed: 2,
      currentHealthy: 3,
      desiredHealthy: 1,
      expectedPods: 3,
      observedGeneration: 2,
    };
    const why = 'found no controllers for pod "p0"';
    const status = budgetStatus(
      budget({ maxUnavailable: 1 }, known),
      pods(1),
      () => ({ ok: false, why }),
      NOW,
    );
    expect(status).toMatchObject({ disruptionsAllowed: 0, observedGeneration: 2 });
    expect(status.conditions?.[0]).toMatchObject({ status: 'False', reason: 'SyncFailed', message: why });
  });
});
