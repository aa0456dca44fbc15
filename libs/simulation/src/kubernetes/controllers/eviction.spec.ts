import { beforeEach, describe, expect, it } from 'vitest';
import { seconds } from '#kernel';
import { TestBench } from '../../estate/test-bench.js';
import { ApiError } from '../api/store.js';
import type { Pod } from './objects.js';
import type { DisruptionBudget } from './workloads.js';

const VIOLATES = "Cannot evict pod as it would violate the pod's disruption budget.";

let bench: TestBench;
const evict = (pod: Pod, more: Record<string, unknown> = {}): ApiError | undefined => {
  try {
    bench.store.evict({ namespace: 'default', name: pod.metadata.name, ...more });
    return undefined;
  } catch (error) {
    if (error instanceof ApiError) return error;
    throw error;
  }
};
const first = (): Pod => bench.pods()[0] as Pod;
const budgetOf = (name = 'web'): DisruptionBudget => bench.get('poddisruptionbudgets.policy', name);
const setStatus = (status: Record<string, unknown>): void => {
  bench.store.modify(
    'poddisruptionbudgets.policy',
    'default',
    'web',
    (draft) => void Object.assign(draft['status'] as object, status),
    {
      subresource: 'status',
    },
  );
};

beforeEach(() => {
  bench = new TestBench({ workers: 3 });
  bench.deployment('web', 3);
  bench.until(
    'pods ready',
    () =>
      bench
        .pods()
        .every((pod) => pod.status?.conditions?.some((c) => c.type === 'Ready' && c.status === 'True')) &&
      bench.pods().length === 3,
  );
});

describe('eviction subresource', () => {
  it('accepts where no budget matches, with the reason on the pod', () => {
    expect(evict(first())).toBeUndefined();
    const target = bench.pods().find((pod) => pod.metadata.deletionTimestamp);
    expect(target?.status?.conditions?.find((c) => c.type === 'DisruptionTarget')).toMatchObject({
      status: 'True',
      reason: 'EvictionByEvictionAPI',
      message: 'Eviction API: evicting',
    });
  });

  it('accepts within the budget and accounts for it at once', () => {
    bench.budget('web', { minAvailable: 2 });
    bench.run(seconds(5));
    const pod = first();
    expect(evict(pod)).toBeUndefined();
    expect(budgetOf().status).toMatchObject({ disruptionsAllowed: 0 });
    expect(Object.keys(budgetOf().status?.disruptedPods ?? {})).toEqual([pod.metadata.name]);
    bench.run(seconds(30));
    expect(budgetOf().status?.disruptedPods).toBeUndefined();
    expect(budgetOf().status).toMatchObject({ disruptionsAllowed: 1, currentHealthy: 3 });
  });

  it('refuses with 429 and names the budget when nothing is to spare', () => {
    bench.budget('web', { maxUnavailable: 0 });
    bench.run(seconds(5));
    const answer = evict(first());
    expect(answer).toMatchObject({ status: 429, reason: 'TooManyRequests', message: VIOLATES });
    expect(answer?.details?.causes).toEqual([
      {
        reason: 'DisruptionBudget',
        message: 'The disruption budget web needs 3 healthy pods and has 3 currently',
      },
    ]);
    expect(answer?.retryAfterSeconds ?? 0).toBe(0);
  });

  it('asks to come back in 10 s while the budget is not processed', () => {
    bench.budget('web', { maxUnavailable: 1 });
    const answer = evict(first());
    expect(answer).toMatchObject({ status: 429, retryAfterSeconds: 10, message: VIOLATES });
    expect(answer?.details?.causes).toEqual([
      {
        reason: 'DisruptionBudget',
        message: 'The disruption budget web is still being processed by the server.',
      },
    ]);
  });

  it('tells a failed sync from a lack of pods', () => {
    bench.budget('web', { maxUnavailable: 1 });
    bench.run(seconds(5));
    const conditions = [
      {
        type: 'DisruptionAllowed',
        status: 'False',
        reason: 'SyncFailed',
        message: 'no scale',
        lastTransitionTime: '2026-01-05T08:00:00Z',
      },
    ];
    setStatus({ disruptionsAllowed: 0, conditions });
    expect(evict(first())?.details?.causes?.[0]?.message).toBe(
      'The disruption budget web does not allow evicting pods currently because it failed sync: no scale',
    );
  });

  it('answers 500 where two budgets match', () => {
    bench.budget('web', { maxUnavailable: 1 });
    bench.budget('other', { maxUnavailable: 1 }, 'web');
    bench.run(seconds(5));
    expect(evict(first())).toMatchObject({
      status: 500,
      message:
        'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.',
    });
  });

  it('answers 403 for a budget with negative allowance', () => {
    bench.budget('web', { maxUnavailable: 1 });
    bench.run(seconds(5));
    setStatus({ disruptionsAllowed: -1 });
    expect(evict(first())).toMatchObject({ status: 403, reason: 'Forbidden' });
  });

  it('answers 404 for a pod that is not there, 409 for another UID', () => {
    const gone = { ...first(), metadata: { ...first().metadata, name: 'nobody' } };
    expect(evict(gone)).toMatchObject({
      status: 404,
      reason: 'NotFound',
      message: 'pods "nobody" not found',
    });
    expect(evict(first(), { uid: 'other' })).toMatchObject({ status: 409, reason: 'Conflict' });
    expect(evict(first(), { uid: 'other' })?.message).toContain(
      'Precondition failed: UID in precondition: other',
    );
  });

  it('changes nothing in a dry run', () => {
    bench.budget('web', { maxUnavailable: 1 });
    bench.run(seconds(5));
    const before = bench.store.revision;
    expect(evict(first(), { dryRun: true })).toBeUndefined();
    expect(bench.store.revision).toBe(before);
  });

  it('answers 403 with the cause while the namespace ends', () => {
    const [pod] = bench.pods();
    bench.store.remove('namespaces', undefined, 'default');
    const answer = evict(pod as Pod);
    expect(answer).toMatchObject({ status: 403, reason: 'Forbidden' });
    expect(answer?.details?.causes?.[0]?.reason).toBe('NamespaceTerminating');
  });

  it('passes the words of a webhook that denies', () => {
    bench.store.admission.add({
      name: 'db.example.org',
      operations: ['CREATE'],
      resources: ['pods/eviction'],
      review: () => ({ deny: 'switchover first', code: 403 }),
    });
    expect(evict(first())).toMatchObject({
      status: 403,
      message: 'admission webhook "db.example.org" denied the request: switchover first',
    });
  });

  it.each(['Pending', 'Succeeded', 'Failed'])('never guards a pod in phase %s', (phase) => {
    bench.budget('web', { maxUnavailable: 0 });
    bench.run(seconds(5));
    const pod = first();
    bench.store.modify(
      'pods',
      'default',
      pod.metadata.name,
      (draft) => void ((draft['status'] as { phase: string }).phase = phase),
      { subresource: 'status' },
    );
    expect(evict(pod)).toBeUndefined();
  });
});

describe('unready pods', () => {
  const makeUnready = (pod: Pod): void => {
    bench.store.modify('pods', 'default', pod.metadata.name, (draft) => {
      draft.metadata.annotations = { ...draft.metadata.annotations, 'sim.fairway.dev/unready': 'true' };
    });
    bench.run(seconds(5));
  };

  it('go while the healthy ones meet the need, without costing a disruption', () => {
    bench.budget('web', { minAvailable: 2 });
    bench.run(seconds(5));
    const pod = first();
    makeUnready(pod);
    expect(budgetOf().status).toMatchObject({ currentHealthy: 2, disruptionsAllowed: 0 });
    expect(evict(pod)).toBeUndefined();
    expect(budgetOf().status?.disruptedPods).toBeUndefined();
  });

  it('stay where the need is not met, unless the policy is AlwaysAllow', () => {
    bench.budget('web', { minAvailable: 3 });
    bench.run(seconds(5));
    const pod = first();
    makeUnready(pod);
    expect(evict(pod)).toMatchObject({ status: 429 });
    bench.edit(
      'poddisruptionbudgets.policy',
      'web',
      (spec) => void Object.assign(spec, { unhealthyPodEvictionPolicy: 'AlwaysAllow' }),
    );
    expect(evict(pod)).toBeUndefined();
  });
});
