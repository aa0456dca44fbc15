import { describe, expect, it } from 'vitest';
import { minutes, seconds } from '#kernel';
import { sampleMachine, TestBench, template } from '../../estate/test-bench.js';
import { ApiError } from '../api/store.js';
import { conditionOf } from '../controllers/conditions.js';
import type { Pod } from '../controllers/objects.js';
import { isReady } from '../controllers/pods.js';
import { VirtualScheduler } from '../../time/virtual-scheduler.js';
import { ImageRegistry } from './image-registry.js';
import { isMaster, labelsIn, labelsOf, resourcesOf, taintsIn, taintsOf } from './machine-node.js';

const add = (bench: TestBench, annotations: Readonly<Record<string, string>> = {}, spec = {}): void => {
  const { metadata, spec: base } = template('web', spec, annotations);
  bench.create('pods', { metadata: { name: 'web', namespace: 'default', ...metadata }, spec: base });
};
const pod = (bench: TestBench): Pod => bench.get<Pod>('pods', 'web');

describe('a machine as a node', () => {
  it('registers, becomes ready, and says what it is', () => {
    const bench = new TestBench();
    const machine = bench.boot(sampleMachine(1));
    bench.run(seconds(5));
    expect(conditionOf(bench.node(0), 'Ready')).toMatchObject({ status: 'False', reason: 'KubeletNotReady' });
    expect(bench.node(0).spec?.taints).toContainEqual({
      key: 'node.kubernetes.io/not-ready',
      effect: 'NoSchedule',
    });
    expect(bench.cluster.fleet.find(machine.instanceId)?.healthy).toBe(false);
    bench.run(seconds(30));
    expect(conditionOf(bench.node(0), 'Ready')?.status).toBe('True');
    expect(bench.node(0).spec?.taints).toBeUndefined();
    expect(bench.node(0).spec?.providerID).toBe(`aws:///eu-central-1b/${machine.instanceId}`);
    expect(bench.node(0).status?.nodeInfo?.['kubeletVersion']).toBe('v1.31.4');
    expect(bench.cluster.fleet.find(machine.instanceId)?.healthy).toBe(true);
    expect(bench.node(0).metadata.labels).toMatchObject({
      'kubernetes.io/hostname': machine.privateDnsName,
      'topology.kubernetes.io/zone': 'eu-central-1b',
      'node.kubernetes.io/node-pool': 'default',
      'lifecycle-status': 'ready',
    });
  });

  it('costs next to nothing while it lives', () => {
    const bench = new TestBench({ workers: 20 });
    const before = bench.store.revision;
    bench.run(minutes(60));
    const leaderRenewals = 2 * (3600 / 5);
    const nodeLeases = 20 * 12;
    expect(bench.store.revision - before).toBeLessThanOrEqual(leaderRenewals + nodeLeases + 200);
  });
});

describe('labels and taints', () => {
  it('come from user data and tags', () => {
    expect(labelsIn('kubelet:\n  node-labels: a=b,c=d\n')).toEqual({ a: 'b', c: 'd' });
    expect(labelsIn('kubelet --node-labels=x/y=z --foo')).toEqual({ 'x/y': 'z' });
    expect(labelsIn('NODE_LABELS="a=1,b"')).toEqual({ a: '1', b: '' });
    expect(taintsIn('register-with-taints: dedicated=db:NoSchedule,x:NoExecute')).toEqual([
      { key: 'dedicated', value: 'db', effect: 'NoSchedule' },
      { key: 'x', effect: 'NoExecute' },
    ]);
    const tags = {
      'k8s.io/cluster-autoscaler/node-template/label/team': 'a',
      'k8s.io/cluster-autoscaler/node-template/taint/gpu': 'yes:NoSchedule',
      'k8s.io/role/worker': '1',
    };
    expect(labelsOf(sampleMachine(1, { tags }))).toMatchObject({
      team: 'a',
      'node.kubernetes.io/role': 'worker',
    });
    expect(taintsOf(sampleMachine(1, { tags }))).toEqual([
      { key: 'gpu', value: 'yes', effect: 'NoSchedule' },
    ]);
  });

  it.each([
    [{ 'kubernetes.io/node-pool': 'master-default' }, '', true],
    [{ 'kubernetes.io/node-pool': 'default-worker' }, '', false],
    [{ 'k8s.io/role/master': '1', 'kubernetes.io/node-pool': 'cp' }, '', true],
    [{ 'kubernetes.io/node-pool': 'cp' }, 'node-labels: node.kubernetes.io/role=master', true],
  ])('%j with user data %j is a master: %s', (tags, userData, result) => {
    expect(isMaster({ tags: tags as unknown as Record<string, string>, userData })).toBe(result);
    const tainted =
      taintsOf(sampleMachine(1, { tags: tags as unknown as Record<string, string>, userData })).length > 0;
    expect(tainted).toBe(result);
  });

  it('sizes by instance type', () => {
    expect(resourcesOf(sampleMachine(1, { instanceType: 'm5.large' }))).toMatchObject({
      capacity: { cpu: '2', memory: '8388608Ki', pods: '110' },
      allocatable: { cpu: '1900m', pods: '110' },
    });
  });
});

describe('a pod on its node', () => {
  it('pulls, starts, becomes ready after its annotation, and stops within its grace', () => {
    const bench = new TestBench({ workers: 1 });
    add(bench, { 'sim.fairway.dev/ready-after': '20s', 'sim.fairway.dev/stop-after': '8s' });
    bench.until('running', () => pod(bench).status?.phase === 'Running');
    expect(isReady(pod(bench))).toBe(false);
    const running = bench.scheduler.now();
    bench.until('ready', () => isReady(pod(bench)));
    expect(bench.scheduler.now() - running).toBe(20_000);
    expect(pod(bench).status?.podIP).toMatch(/^10\./);
    bench.store.remove('pods', 'default', 'web');
    expect(isReady(pod(bench))).toBe(true);
    bench.run(seconds(7));
    expect(pod(bench).metadata.deletionGracePeriodSeconds).toBe(30);
    bench.run(seconds(2));
    expect(bench.pods()).toEqual([]);
  });

  it('is killed when the grace ends first', () => {
    const bench = new TestBench({ workers: 1 });
    add(bench, { 'sim.fairway.dev/stop-after': '10m' }, { terminationGracePeriodSeconds: 60 });
    bench.run(seconds(30));
    bench.store.remove('pods', 'default', 'web');
    bench.run(seconds(58));
    expect(bench.pods()).toHaveLength(1);
    bench.run(seconds(4));
    expect(bench.pods()).toEqual([]);
  });

  it('waits on an image that cannot be had', () => {
    const bench = new TestBench({ workers: 1 });
    add(bench, {}, { containers: [{ name: 'main', image: 'registry.example.org/does-not-exist:1' }] });
    bench.run(seconds(10));
    expect(pod(bench).status).toMatchObject({ phase: 'Pending' });
    expect(pod(bench).status?.containerStatuses?.[0]?.state.waiting?.reason).toMatch(
      /ErrImagePull|ImagePullBackOff/,
    );
    expect(pod(bench).status?.containerStatuses?.[0]?.restartCount).toBe(0);
  });

  it('restarts what crashes, with growing pauses', () => {
    const bench = new TestBench({ workers: 1 });
    add(bench, { 'sim.fairway.dev/run-for': '5s', 'sim.fairway.dev/exit-code': '1' });
    bench.run(seconds(15));
    expect(pod(bench).status?.containerStatuses?.[0]).toMatchObject({
      state: { waiting: { reason: 'CrashLoopBackOff' } },
      lastState: { terminated: { exitCode: 1 } },
    });
    bench.run(minutes(2));
    expect(pod(bench).status?.containerStatuses?.[0]?.restartCount).toBe(3);
    expect(pod(bench).status?.phase).toBe('Running');
  });

  it('shows its log, and a precise refusal where there is none', () => {
    const bench = new TestBench({ workers: 1 });
    add(bench);
    const read = (container?: string): unknown =>
      bench.store.handlers.logs?.(bench.store.get('pods', 'default', 'web') as never, {
        previous: false,
        follow: false,
        timestamps: false,
        ...(container && { container }),
      });
    expect(() => read()).toThrow(ApiError);
    bench.run(seconds(30));
    expect(read()).toBe('main: started registry.example.org/web:1\n');
    expect(() => read('other')).toThrow('container other is not valid for pod web');
  });

  it('loses its place when the machine stops', () => {
    const bench = new TestBench({ workers: 1 });
    add(bench);
    bench.run(seconds(30));
    bench.cluster.fleet.silenced(bench.machines[0] as never);
    bench.store.remove('pods', 'default', 'web');
    bench.run(minutes(10));
    expect(pod(bench).metadata.deletionTimestamp).toBeDefined();
  });
});

describe('ImageRegistry', () => {
  it('serves so many at a time and turns away who waits too long', () => {
    const scheduler = new VirtualScheduler();
    const registry = new ImageRegistry({ scheduler, slots: 2, pullTime: seconds(10), patience: seconds(15) });
    const results: boolean[] = [];
    for (let i = 0; i < 6; i++) registry.pull(`image-${i}`, (result) => results.push(result.ok));
    scheduler.advance(minutes(1));
    expect(results.filter(Boolean)).toHaveLength(4);
    expect(registry.stats).toEqual({ pulls: 4, refused: 2, maxActive: 2, maxWaiting: 4 });
  });
});
