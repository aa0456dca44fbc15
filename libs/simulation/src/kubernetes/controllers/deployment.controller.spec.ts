import { describe, expect, it } from 'vitest';
import { minutes, seconds } from '#kernel';
import { TestBench, template } from '../../estate/test-bench.js';
import { conditionOf } from './conditions.js';
import { planRecreate, planRollingUpdate, type SetCount } from './deployment-rollout.js';
import { resolveFenceposts, resolveIntOrPercent } from './int-or-percent.js';
import { isReady } from './pods.js';
import type { Deployment, ReplicaSet } from './workloads.js';

const deployment = (
  replicas: number,
  maxSurge: number | string = '25%',
  maxUnavailable: number | string = '25%',
): Deployment => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web' },
  spec: {
    replicas,
    selector: {},
    template: template('web'),
    strategy: { rollingUpdate: { maxSurge, maxUnavailable } },
  },
});
const set = (name: string, replicas: number, available: number, created = 0): SetCount => ({
  name,
  replicas,
  available,
  pods: replicas,
  created,
});
const plan = (d: Deployment, fresh: SetCount, ...old: SetCount[]) =>
  Object.fromEntries(planRollingUpdate(d, fresh, old));

describe('resolveIntOrPercent and fenceposts', () => {
  it.each([
    ['25%', 10, 'up', 3],
    ['25%', 10, 'down', 2],
    ['0%', 10, 'up', 0],
    ['100%', 3, 'down', 3],
    [4, 10, 'up', 4],
  ] as const)('%s of %d, rounded %s, is %d', (value, total, rounding, result) => {
    expect(resolveIntOrPercent(value, total, rounding)).toBe(result);
  });

  it('lets one be unavailable where both would be zero', () => {
    expect(resolveFenceposts('0%', '1%', 10)).toEqual({ surge: 0, unavailable: 1 });
    expect(resolveFenceposts(1, 0, 10)).toEqual({ surge: 1, unavailable: 0 });
  });
});

describe('planRollingUpdate', () => {
  it('grows the new set up to the surge first', () => {
    expect(plan(deployment(10), set('new', 0, 0), set('old', 10, 10))).toEqual({ new: 3 });
  });
  it('then shrinks the old one down to the needed availability', () => {
    expect(plan(deployment(10), set('new', 3, 0), set('old', 10, 10))).toEqual({ old: 8 });
    expect(plan(deployment(10), set('new', 5, 3), set('old', 8, 8))).toEqual({ old: 5 });
  });
  it('takes broken old pods first, the oldest set first', () => {
    expect(plan(deployment(4, 1, 1), set('new', 1, 0), set('a', 2, 0, 1), set('b', 2, 2, 2))).toEqual({
      a: 1,
    });
    expect(plan(deployment(4, 2, 1), set('new', 2, 2), set('a', 2, 0, 1), set('b', 2, 2, 2))).toEqual({
      a: 0,
      b: 1,
    });
  });
  it('never goes below the floor while new pods are not available', () => {
    expect(plan(deployment(3, 1, 0), set('new', 1, 0), set('old', 3, 3))).toEqual({});
    expect(plan(deployment(3, 1, 0), set('new', 1, 1), set('old', 3, 3))).toEqual({ old: 2 });
  });
  it('shrinks a new set that is too large', () => {
    expect(plan(deployment(2), set('new', 5, 5))).toEqual({ new: 2 });
  });
});

describe('planRecreate', () => {
  const recreate = {
    ...deployment(3),
    spec: { ...deployment(3).spec, strategy: { type: 'Recreate' } },
  } as Deployment;
  it('stops everything old, waits for the last pod, then starts', () => {
    expect([...planRecreate(recreate, set('new', 0, 0), [set('old', 3, 3)], 3)]).toEqual([['old', 0]]);
    expect([...planRecreate(recreate, set('new', 0, 0), [set('old', 0, 0)], 1)]).toEqual([]);
    expect([...planRecreate(recreate, set('new', 0, 0), [set('old', 0, 0)], 0)]).toEqual([['new', 3]]);
  });
});

describe('DeploymentController', () => {
  const start = (replicas = 4): TestBench => {
    const bench = new TestBench({ workers: 4 });
    bench.deployment('web', replicas);
    bench.until(
      'available',
      () => conditionOf(bench.get<Deployment>('deployments.apps', 'web'), 'Available')?.status === 'True',
    );
    bench.run(seconds(10));
    return bench;
  };
  const setImage = (bench: TestBench, image: string): void =>
    bench.edit('deployments.apps', 'web', (spec) => {
      spec['template'] = template('web', { containers: [{ name: 'main', image }] });
    });

  it('comes up with real counts, conditions and revision', () => {
    const bench = start();
    const found = bench.get<Deployment>('deployments.apps', 'web');
    expect(found.status).toMatchObject({
      observedGeneration: 1,
      replicas: 4,
      updatedReplicas: 4,
      readyReplicas: 4,
      availableReplicas: 4,
    });
    expect(conditionOf(found, 'Progressing')).toMatchObject({
      status: 'True',
      reason: 'NewReplicaSetAvailable',
    });
    expect(found.metadata.annotations).toMatchObject({ 'deployment.kubernetes.io/revision': '1' });
  });

  it('rolls within surge and unavailable, and can go back to an old template', () => {
    const bench = start();
    let fewest = 99;
    let most = 0;
    const stop = bench.store.subscribe(() => {
      fewest = Math.min(
        fewest,
        bench.pods().filter((pod) => isReady(pod) && !pod.metadata.deletionTimestamp).length,
      );
      most = Math.max(
        most,
        bench.view
          .all<ReplicaSet>('replicasets.apps')
          .reduce((sum, one) => sum + (one.spec?.replicas ?? 0), 0),
      );
    });
    setImage(bench, 'registry.example.org/web:2');
    bench.run(minutes(2));
    stop();
    expect(fewest).toBe(3);
    expect(most).toBe(5);
    expect(bench.pods().map((pod) => pod.spec?.containers[0]?.image)).toEqual(
      Array(4).fill('registry.example.org/web:2'),
    );
    setImage(bench, 'registry.example.org/web:1');
    bench.run(minutes(2));
    const sets = bench.view.all<ReplicaSet>('replicasets.apps');
    expect(sets).toHaveLength(2);
    expect(
      bench.get<Deployment>('deployments.apps', 'web').metadata.annotations?.[
        'deployment.kubernetes.io/revision'
      ],
    ).toBe('3');
  });

  it('calls a rollout that does not progress failed after its deadline', () => {
    const bench = start();
    bench.edit(
      'deployments.apps',
      'web',
      (spec) => void Object.assign(spec, { progressDeadlineSeconds: 60 }),
    );
    setImage(bench, 'registry.example.org/does-not-exist:1');
    bench.run(minutes(3));
    const found = bench.get<Deployment>('deployments.apps', 'web');
    expect(conditionOf(found, 'Progressing')).toMatchObject({
      status: 'False',
      reason: 'ProgressDeadlineExceeded',
    });
    expect(conditionOf(found, 'Available')).toMatchObject({ status: 'True' });
    const waiting = bench
      .pods()
      .flatMap((pod) => pod.status?.containerStatuses?.[0]?.state.waiting?.reason ?? []);
    expect(waiting.every((reason) => ['ErrImagePull', 'ImagePullBackOff'].includes(reason))).toBe(true);
    expect(waiting.length).toBeGreaterThan(0);
  });

  it('honours minReadySeconds, scaling, pause and the history limit', () => {
    const bench = start(2);
    bench.edit(
      'deployments.apps',
      'web',
      (spec) => void Object.assign(spec, { replicas: 3, minReadySeconds: 30, revisionHistoryLimit: 1 }),
    );
    bench.run(seconds(20));
    expect(bench.get<Deployment>('deployments.apps', 'web').status).toMatchObject({
      readyReplicas: 3,
      availableReplicas: 3,
    });
    for (const version of [2, 3, 4]) {
      setImage(bench, `registry.example.org/web:${version}`);
      bench.run(minutes(6));
    }
    expect(bench.view.all('replicasets.apps')).toHaveLength(2);
    bench.edit('deployments.apps', 'web', (spec) => void Object.assign(spec, { paused: true }));
    setImage(bench, 'registry.example.org/web:5');
    bench.run(minutes(2));
    expect(bench.pods().some((pod) => pod.spec?.containers[0]?.image.endsWith(':5'))).toBe(false);
  });

  it('takes its pods with it', () => {
    const bench = start();
    bench.store.remove('deployments.apps', 'default', 'web', { propagationPolicy: 'Background' });
    bench.run(minutes(1));
    expect(bench.pods()).toEqual([]);
    expect(bench.view.all('replicasets.apps')).toEqual([]);
  });
});
