import { describe, expect, it } from 'vitest';
import { seconds } from '#kernel';
import { TestBench, template } from '../../estate/test-bench.js';
import type { Pod } from './objects.js';
import { deletionOrder } from './replica-set.controller.js';
import type { ReplicaSet } from './workloads.js';

interface Shape {
  readonly node?: string;
  readonly phase?: string;
  readonly ready?: boolean;
  readonly cost?: string;
  readonly readySince?: string;
}
const pod = (
  name: string,
  { node = 'n1', phase = 'Running', ready = true, cost, readySince = '2026-01-05T08:00:00Z' }: Shape,
): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name,
    creationTimestamp: '2026-01-05T07:00:00Z',
    ...(cost && { annotations: { 'controller.kubernetes.io/pod-deletion-cost': cost } }),
  },
  spec: { containers: [], ...(node && { nodeName: node }) },
  status: {
    phase,
    conditions: [{ type: 'Ready', status: ready ? 'True' : 'False', lastTransitionTime: readySince }],
  },
});

describe('deletionOrder', () => {
  it.each<[string, Shape, Shape]>([
    ['unassigned before assigned', { node: '' }, {}],
    ['pending before running', { phase: 'Pending' }, {}],
    ['unready before ready', { ready: false }, {}],
    ['cheap before dear', { cost: '-5' }, {}],
    ['crowded node before lonely one', { node: 'crowded' }, { node: 'n1' }],
    ['ready for a short time before ready for long', { readySince: '2026-01-05T08:30:00Z' }, {}],
  ])('%s', (_, first, second) => {
    const [a, b] = [pod('zz', first), pod('aa', second)];
    const crowd = new Map([
      ['crowded', 3],
      ['n1', 1],
    ]);
    expect([b, a].sort((x, y) => deletionOrder(x, y, crowd))[0]?.metadata.name).toBe('zz');
  });
});

describe('ReplicaSetController', () => {
  const create = (bench: TestBench): ReplicaSet =>
    bench.create('replicasets.apps', {
      metadata: { name: 'web', namespace: 'default' },
      spec: { replicas: 2, selector: { matchLabels: { app: 'web' } }, template: template('web') },
    });

  it('replaces what goes, adopts what fits, and shrinks', () => {
    const bench = new TestBench({ workers: 2 });
    bench.create('pods', {
      metadata: { name: 'stray', namespace: 'default', labels: { app: 'web' } },
      spec: template('web').spec,
    });
    create(bench);
    bench.run(seconds(30));
    expect(bench.pods()).toHaveLength(2);
    expect(bench.get<Pod>('pods', 'stray').metadata.ownerReferences?.[0]).toMatchObject({
      kind: 'ReplicaSet',
      name: 'web',
      controller: true,
    });
    bench.store.remove('pods', 'default', 'stray');
    bench.run(seconds(30));
    expect(bench.get<ReplicaSet>('replicasets.apps', 'web').status).toMatchObject({
      replicas: 2,
      readyReplicas: 2,
      availableReplicas: 2,
    });
    bench.edit('replicasets.apps', 'web', (spec) => void Object.assign(spec, { replicas: 1 }));
    bench.run(seconds(30));
    expect(bench.pods()).toHaveLength(1);
  });

  it('reports what a denied creation says and tries again', () => {
    const bench = new TestBench({ workers: 1 });
    const remove = bench.store.admission.add({
      name: 'quota',
      operations: ['CREATE'],
      resources: ['pods'],
      review: () => ({ deny: 'no more', code: 403 }),
    });
    create(bench);
    bench.run(seconds(5));
    expect(bench.pods()).toEqual([]);
    expect(
      bench.view
        .all<never>('events')
        .some((event) => (event as { reason: string }).reason === 'FailedCreate'),
    ).toBe(true);
    remove();
    bench.run(seconds(30));
    expect(bench.pods()).toHaveLength(2);
  });
});
