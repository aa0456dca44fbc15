import { describe, expect, it } from 'vitest';
import { minutes, seconds } from '#kernel';
import { sampleMachine, TestBench } from '../../estate/test-bench.js';
import { conditionOf } from './conditions.js';
import type { Machine } from '../../aws/machine.js';
import type { Pod, Taint } from './objects.js';
import { stayUnder, tolerates } from './tolerations.js';
import type { Deployment } from './workloads.js';

const taint = (key: string, effect = 'NoExecute', value?: string): Taint => ({
  key,
  effect,
  ...(value && { value }),
});

describe('tolerations', () => {
  it.each([
    [{ operator: 'Exists' }, taint('a'), true],
    [{ key: 'a', operator: 'Exists', effect: 'NoSchedule' }, taint('a'), false],
    [{ key: 'a', operator: 'Equal', value: 'x' }, taint('a', 'NoExecute', 'x'), true],
    [{ key: 'a', value: 'y' }, taint('a', 'NoExecute', 'x'), false],
    [{ key: 'b', operator: 'Exists' }, taint('a'), false],
    [{}, taint('a'), false],
  ])('%j against %j: %s', (toleration, of, result) => expect(tolerates(toleration, of)).toBe(result));

  it('bounds the stay by the shortest tolerationSeconds', () => {
    expect(stayUnder([taint('a')], [])).toBe(0);
    expect(stayUnder([taint('a')], [{ operator: 'Exists' }])).toBe(Number.POSITIVE_INFINITY);
    const both = [
      { key: 'a', operator: 'Exists', tolerationSeconds: 300 },
      { key: 'b', operator: 'Exists', tolerationSeconds: 60 },
    ];
    expect(stayUnder([taint('a'), taint('b')], both)).toBe(60_000);
    expect(stayUnder([taint('a', 'NoSchedule')], [])).toBe(Number.POSITIVE_INFINITY);
  });
});

describe('nodes that fall silent', () => {
  const start = (): { bench: TestBench; victim: Machine } => {
    const bench = new TestBench({ workers: 3 });
    bench.deployment('web', 3);
    bench.run(minutes(1));
    return { bench, victim: bench.machines[0] as Machine };
  };
  const taints = (bench: TestBench): string[] =>
    (bench.node(0).spec?.taints ?? []).map((one) => `${one.key}:${one.effect}`);

  it('become unreachable after the grace period, their pods unready at once and replaced after five minutes', () => {
    const { bench, victim } = start();
    bench.cluster.fleet.silenced(victim);
    bench.run(seconds(28));
    expect(conditionOf(bench.node(0), 'Ready')?.status).toBe('True');
    bench.run(seconds(20));
    expect(conditionOf(bench.node(0), 'Ready')).toMatchObject({
      status: 'Unknown',
      reason: 'NodeStatusUnknown',
    });
    expect(taints(bench)).toEqual([
      'node.kubernetes.io/unreachable:NoSchedule',
      'node.kubernetes.io/unreachable:NoExecute',
    ]);
    expect(bench.get<Deployment>('deployments.apps', 'web').status?.readyReplicas).toBe(2);
    bench.run(minutes(4));
    expect(bench.pods().filter((pod) => pod.metadata.deletionTimestamp)).toEqual([]);
    bench.run(minutes(2));
    expect(bench.get<Deployment>('deployments.apps', 'web').status?.readyReplicas).toBe(3);
    expect(bench.pods().filter((pod) => pod.metadata.deletionTimestamp)).toHaveLength(1);
  });

  it('come back when the machine does, and the pods marked for deletion go', () => {
    const { bench, victim } = start();
    bench.cluster.fleet.silenced(victim);
    bench.run(minutes(7));
    bench.cluster.fleet.booted(victim);
    bench.run(minutes(1));
    expect(conditionOf(bench.node(0), 'Ready')?.status).toBe('True');
    expect(taints(bench)).toEqual([]);
    expect(bench.pods()).toHaveLength(3);
  });

  it('are given up by an out-of-service taint: pods go without the kubelet', () => {
    const { bench, victim } = start();
    bench.cluster.fleet.silenced(victim);
    bench.run(minutes(1));
    bench.store.modify('nodes', undefined, victim.privateDnsName, (draft) => {
      const spec = draft['spec'] as { taints?: Taint[] };
      spec.taints = [
        ...(spec.taints ?? []),
        { key: 'node.kubernetes.io/out-of-service', value: 'nodeshutdown', effect: 'NoExecute' },
      ];
    });
    bench.run(seconds(30));
    expect(bench.view.podsOn(victim.privateDnsName)).toEqual([]);
    expect(bench.get<Deployment>('deployments.apps', 'web').status?.readyReplicas).toBe(3);
  });

  it('vanish with their machine, and their pods a little later', () => {
    const { bench, victim } = start();
    bench.cluster.fleet.terminated(victim);
    bench.run(minutes(1));
    expect(bench.view.node(victim.privateDnsName)).toBeUndefined();
    bench.run(minutes(1));
    expect(bench.view.podsOn(victim.privateDnsName)).toEqual([]);
    expect(bench.pods()).toHaveLength(3);
  });

  it('carry the cordon as a taint, and lose it again', () => {
    const { bench } = start();
    bench.cordon(0);
    bench.run(seconds(1));
    expect(taints(bench)).toEqual(['node.kubernetes.io/unschedulable:NoSchedule']);
    bench.cordon(0, false);
    bench.run(seconds(1));
    expect(taints(bench)).toEqual([]);
  });

  it('force out pods when somebody else adds a NoExecute taint', () => {
    const { bench } = start();
    const victim = bench.node(0).metadata.name;
    bench.store.modify(
      'nodes',
      undefined,
      victim,
      (draft) => void ((draft['spec'] as { taints?: Taint[] }).taints = [taint('mine')]),
    );
    bench.run(minutes(1));
    expect(bench.view.podsOn(victim)).toEqual([]);
    expect(bench.pods().every((pod: Pod) => pod.spec?.nodeName !== victim)).toBe(true);
  });
});

describe('a control plane without masters', () => {
  it('does nothing until one serves, and stands still while none does', () => {
    const master = (number: number): Machine =>
      sampleMachine(number, {
        tags: { 'kubernetes.io/cluster/test': 'owned', 'kubernetes.io/node-pool': 'master-default' },
      });
    const bench = new TestBench({ hosted: false });
    bench.boot(sampleMachine(1));
    bench.run(minutes(5));
    expect(bench.cluster.apiAvailable).toBe(false);
    expect(bench.cluster.wire.unavailable).toBe(true);
    expect(bench.view.nodes()).toEqual([]);
    bench.boot(master(2));
    bench.run(minutes(1));
    expect(bench.cluster.apiAvailable).toBe(true);
    expect(bench.cluster.apiServers).toBe(1);
    expect(bench.cluster.wire.gitVersion).toBe('v1.31.4');
    expect(bench.view.nodes()).toHaveLength(2);
    bench.deployment('web', 1);
    bench.run(minutes(1));
    const leases = bench.view.inNamespace<never>('leases.coordination.k8s.io', 'kube-system') as unknown as {
      spec: { holderIdentity: string; renewTime: string };
    }[];
    expect(leases).toHaveLength(2);
    expect(bench.scheduler.now() - Date.parse(leases[0]?.spec.renewTime as string)).toBeLessThan(15_000);
    const mirrors = bench.view
      .inNamespace<Pod>('pods', 'kube-system')
      .filter((pod) => pod.metadata.annotations?.['kubernetes.io/config.mirror']);
    expect(mirrors.map((pod) => pod.metadata.labels?.['component']).sort()).toEqual([
      'kube-apiserver',
      'kube-controller-manager',
      'kube-scheduler',
    ]);
    bench.cluster.fleet.silenced(master(2));
    bench.run(minutes(30));
    expect(bench.cluster.apiAvailable).toBe(false);
    expect(conditionOf(bench.view.node(master(2).privateDnsName), 'Ready')?.status).toBe('True');
    bench.boot(master(3));
    bench.run(minutes(3));
    expect(conditionOf(bench.view.node(master(2).privateDnsName), 'Ready')?.status).toBe('Unknown');
    expect(conditionOf(bench.view.node(master(3).privateDnsName), 'Ready')?.status).toBe('True');
  });
});
