import type { Duration, Instant } from '#kernel';
import { timestamp, withCondition } from './conditions.js';
import { resolveIntOrPercent } from './int-or-percent.js';
import type { Pod } from './objects.js';
import { isReady, isTerminating } from './pods.js';
import type { BudgetSpec, BudgetStatus, DisruptionBudget } from './workloads.js';

/** How long an eviction that the controller has not yet seen done still counts as one. */
const DISRUPTED_FOR_MS = 120_000;

export interface Moment {
  readonly now: Instant;
  /** Simulated time since an instant (see ProcessClock). */
  since(instant: Instant): Duration;
}

/** Replicas that the pods' controllers want, or why that cannot be told. */
export type ExpectedScale =
  { readonly ok: true; readonly replicas: number } | { readonly ok: false; readonly why: string };

export interface Need {
  readonly expectedPods: number;
  readonly desiredHealthy: number;
}

/**
 * Expected and needed pods. Percentages round up, of needed and of allowed-away pods alike; a plain `minAvailable` counts the
 * matching pods, everything else asks the owners' scale.
 */
export function needOf(
  spec: BudgetSpec,
  pods: readonly Pod[],
  scale: () => ExpectedScale,
): Need | { readonly why: string } {
  if (typeof spec.minAvailable === 'number')
    return { expectedPods: pods.length, desiredHealthy: spec.minAvailable };
  const expected = scale();
  if (!expected.ok) return { why: expected.why };
  const expectedPods = expected.replicas;
  if (spec.maxUnavailable !== undefined) {
    const away = resolveIntOrPercent(spec.maxUnavailable, expectedPods, 'up');
    return { expectedPods, desiredHealthy: Math.max(0, expectedPods - away) };
  }
  if (spec.minAvailable !== undefined) {
    return { expectedPods, desiredHealthy: resolveIntOrPercent(spec.minAvailable, expectedPods, 'up') };
  }
  return { expectedPods, desiredHealthy: 0 };
}

/** The status that kube-controller-manager's disruption controller writes. */
export function budgetStatus(
  budget: DisruptionBudget,
  pods: readonly Pod[],
  scale: () => ExpectedScale,
  moment: Moment,
): BudgetStatus {
  const { now } = moment;
  const observedGeneration = budget.metadata.generation ?? 1;
  const need = needOf(budget.spec ?? {}, pods, scale);
  if ('why' in need) return failSafe(budget, need.why, observedGeneration, now);
  const disruptedPods = stillDisrupted(budget, pods, moment);
  const currentHealthy = pods.filter(
    (pod) => isReady(pod) && !isTerminating(pod) && disruptedPods[pod.metadata.name] === undefined,
  ).length;
  const spare = currentHealthy - need.desiredHealthy;
  const disruptionsAllowed = need.expectedPods <= 0 || spare <= 0 ? 0 : spare;
  return {
    observedGeneration,
    disruptionsAllowed,
    currentHealthy,
    desiredHealthy: need.desiredHealthy,
    expectedPods: need.expectedPods,
    ...(Object.keys(disruptedPods).length > 0 && { disruptedPods }),
    conditions: withCondition(
      budget.status?.conditions,
      {
        type: 'DisruptionAllowed',
        status: disruptionsAllowed > 0 ? 'True' : 'False',
        reason: disruptionsAllowed > 0 ? 'SufficientPods' : 'InsufficientPods',
        message: '',
        observedGeneration,
      },
      now,
    ),
  };
}

function failSafe(
  budget: DisruptionBudget,
  why: string,
  observedGeneration: number,
  now: number,
): BudgetStatus {
  const known = budget.status;
  return {
    ...(known?.observedGeneration !== undefined && { observedGeneration: known.observedGeneration }),
    disruptionsAllowed: 0,
    currentHealthy: known?.currentHealthy ?? 0,
    desiredHealthy: known?.desiredHealthy ?? 0,
    expectedPods: known?.expectedPods ?? 0,
    ...(known?.disruptedPods && { disruptedPods: known.disruptedPods }),
    conditions: withCondition(
      known?.conditions,
      { type: 'DisruptionAllowed', status: 'False', reason: 'SyncFailed', message: why, observedGeneration },
      now,
    ),
  };
}

function stillDisrupted(
  budget: DisruptionBudget,
  pods: readonly Pod[],
  moment: Moment,
): Readonly<Record<string, string>> {
  const result: Record<string, string> = {};
  for (const pod of pods) {
    const since = budget.status?.disruptedPods?.[pod.metadata.name];
    if (since === undefined || isTerminating(pod)) continue;
    if (moment.since(Date.parse(since)) < DISRUPTED_FOR_MS) result[pod.metadata.name] = since;
  }
  return result;
}

/** Milliseconds until the first unconfirmed eviction lapses. */
export function nextLapse(status: BudgetStatus, moment: Moment): Duration | undefined {
  const times = Object.values(status.disruptedPods ?? {}).map(
    (since) => DISRUPTED_FOR_MS - moment.since(Date.parse(since)),
  );
  return times.length === 0 ? undefined : Math.max(1000, Math.min(...times));
}

export const withoutPod = (status: BudgetStatus, podName: string, now: number): BudgetStatus => ({
  ...status,
  disruptionsAllowed: status.disruptionsAllowed - 1,
  disruptedPods: { ...status.disruptedPods, [podName]: timestamp(now) },
});
