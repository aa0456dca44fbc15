import { describe, expect, it } from 'vitest';
import { minutes, seconds } from '#kernel';
import { sampleMachine, TestBench, template } from '../../estate/test-bench.js';
import { conditionOf } from './conditions.js';
import type { Pod, PodSpec } from './objects.js';

const add = (
  bench: TestBench,
  name: string,
  spec: Partial<PodSpec> & Record<string, unknown> = {},
  labels = {},
): void => {
  const { metadata, spec: base } = template(name, spec);
  bench.create('pods', {
    metadata: { name, namespace: 'default', labels: { ...metadata.labels, ...labels } },
    spec: base,
  });
};
const placeOf = (bench: TestBench, name: string): string | undefined => {
  bench.run(seconds(5));
  const pod = bench.get<Pod>('pods', name);
  return pod.spec?.nodeName ?? conditionOf(pod, 'PodScheduled')?.message;
};
const cpu = (amount: string) => ({
  containers: [{ name: 'main', image: 'a:1', resources: { requests: { cpu: amount } } }],
});
const affinity = (kind: 'podAntiAffinity' | 'podAffinity', app: string, topologyKey: string) => ({
  affinity: {
    [kind]: {
      requiredDuringSchedulingIgnoredDuringExecution: [
        { labelSelector: { matchLabels: { app } }, topologyKey },
      ],
    },
  },
});

describe('PodScheduler', () => {
  it('spreads siblings and names every reason when nothing fits', () => {
    const bench = new TestBench({ workers: 3 });
    bench.cordon(0);
    add(bench, 'big', cpu('64'));
    expect(placeOf(bench, 'big')).toBe(
      '0/3 nodes are available: 1 node(s) were unschedulable, 2 Insufficient cpu.',
    );
    add(bench, 'picky', { nodeSelector: { disk: 'ssd' } });
    expect(placeOf(bench, 'picky')).toContain("2 node(s) didn't match Pod's node affinity/selector");
    const events = bench.view.all<never>('events') as unknown as {
      reason: string;
      involvedObject: { name: string };
    }[];
    expect(
      events.filter((event) => event.reason === 'FailedScheduling').map((event) => event.involvedObject.name),
    ).toEqual(['big', 'picky']);
  });

  it('takes up pending pods when room appears, the more important first', () => {
    const bench = new TestBench({ workers: 1 });
    bench.create('priorityclasses.scheduling.k8s.io', { metadata: { name: 'high' }, value: 1000 });
    add(bench, 'filler', cpu('3500m'));
    add(bench, 'low', cpu('3'));
    expect(placeOf(bench, 'low')).toContain('Insufficient cpu');
    add(bench, 'high', { ...cpu('3'), priorityClassName: 'high' });
    bench.run(seconds(5));
    bench.store.remove('pods', 'default', 'filler');
    bench.run(seconds(30));
    expect(placeOf(bench, 'high')).toBe(bench.machines[0]?.privateDnsName);
    expect(placeOf(bench, 'low')).toContain('Insufficient cpu');
    bench.boot(sampleMachine(5));
    bench.run(minutes(1));
    expect(placeOf(bench, 'low')).toBe(sampleMachine(5).privateDnsName);
  });

  it('keeps taints, and counts pods up to the limit of the node', () => {
    const bench = new TestBench();
    bench.boot(sampleMachine(1, { userData: 'taints: dedicated=db:NoSchedule' }));
    bench.run(minutes(1));
    add(bench, 'plain');
    expect(placeOf(bench, 'plain')).toContain('1 node(s) had untolerated taint {dedicated: db}');
    add(bench, 'db', { tolerations: [{ key: 'dedicated', value: 'db', operator: 'Equal' }] });
    expect(placeOf(bench, 'db')).toBe(sampleMachine(1).privateDnsName);
    bench.store.modify(
      'nodes',
      undefined,
      sampleMachine(1).privateDnsName,
      (draft) => {
        (draft['status'] as { allocatable: Record<string, string> }).allocatable['pods'] = '1';
      },
      { subresource: 'status' },
    );
    add(bench, 'more', { tolerations: [{ operator: 'Exists' }] });
    expect(placeOf(bench, 'more')).toContain('Too many pods');
  });

  it('obeys anti-affinity both ways and affinity to the first of its kind', () => {
    const bench = new TestBench({ workers: 2 });
    for (const name of ['a', 'b', 'c'])
      add(bench, name, affinity('podAntiAffinity', 'web', 'kubernetes.io/hostname'), { app: 'web' });
    expect(new Set([placeOf(bench, 'a'), placeOf(bench, 'b')]).size).toBe(2);
    expect(placeOf(bench, 'c')).toContain("2 node(s) didn't match pod anti-affinity rules");
    add(bench, 'stranger', {}, { app: 'web' });
    expect(placeOf(bench, 'stranger')).toContain(
      "2 node(s) didn't satisfy existing pods anti-affinity rules",
    );
    add(bench, 'n1', affinity('podAffinity', 'near', 'topology.kubernetes.io/zone'), { app: 'near' });
    add(bench, 'n2', affinity('podAffinity', 'near', 'topology.kubernetes.io/zone'), { app: 'near' });
    expect(placeOf(bench, 'n1')).toBe(placeOf(bench, 'n2'));
  });

  it('keeps the skew of a hard topology spread', () => {
    const bench = new TestBench({ workers: 3 });
    const spread = {
      topologySpreadConstraints: [
        {
          maxSkew: 1,
          topologyKey: 'topology.kubernetes.io/zone',
          whenUnsatisfiable: 'DoNotSchedule',
          labelSelector: { matchLabels: { app: 'web' } },
        },
      ],
    };
    bench.cordon(2);
    for (const name of ['a', 'b', 'c']) add(bench, name, spread, { app: 'web' });
    const places = ['a', 'b', 'c'].map((name) => placeOf(bench, name));
    expect(new Set(places.slice(0, 2)).size).toBe(2);
    expect(places[2]).toContain("2 node(s) didn't match pod topology spread constraints");
    bench.cordon(2, false);
    expect(placeOf(bench, 'c')).toBe(bench.machines[2]?.privateDnsName);
  });

  it('follows a bound volume to its zone', () => {
    const bench = new TestBench({ workers: 3 });
    bench.create('persistentvolumeclaims', {
      metadata: { name: 'data', namespace: 'default' },
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
    });
    const volumes = [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }];
    add(bench, 'first', { volumes });
    const home = placeOf(bench, 'first');
    const index = bench.machines.findIndex((machine) => machine.privateDnsName === home);
    bench.store.remove('pods', 'default', 'first');
    bench.run(seconds(30));
    bench.cordon(index);
    add(bench, 'second', { volumes });
    expect(placeOf(bench, 'second')).toContain('2 node(s) had volume node affinity conflict');
    add(bench, 'third', { volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'nothing' } }] });
    expect(placeOf(bench, 'third')).toBe(
      '0/3 nodes are available: persistentvolumeclaim "nothing" not found.',
    );
  });
});
