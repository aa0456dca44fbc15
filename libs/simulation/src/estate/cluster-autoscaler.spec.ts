import { describe, expect, it } from 'vitest';
import { minutes } from '#kernel';
import { ClusterAutoscaler, type ScalableGroup } from './cluster-autoscaler.js';
import { sampleMachine, TestBench } from './test-bench.js';

class Group implements ScalableGroup {
  readonly name = 'default';
  readonly min = 1;
  readonly max = 3;
  desired = 1;
  readonly removed: string[] = [];

  constructor(private readonly bench: TestBench) {}

  setDesired(desired: number): void {
    this.desired = desired;
    this.bench.boot(sampleMachine(10 + desired));
  }

  owns(): boolean {
    return true;
  }

  removeNode(providerId: string): void {
    this.desired--;
    this.removed.push(providerId);
    const machine = this.bench.machines.find((one) => providerId.endsWith(one.instanceId));
    if (machine) this.bench.cluster.fleet.terminated(machine);
  }
}

const big = { containers: [{ name: 'main', image: 'a:1', resources: { requests: { cpu: '3' } } }] };

describe('ClusterAutoscaler', () => {
  it('adds nodes for pods that fit nowhere, up to the maximum, and removes idle ones later', () => {
    const bench = new TestBench({ workers: 1 });
    const group = new Group(bench);
    bench.cluster.add(new ClusterAutoscaler(bench.cluster.context, { groups: () => [group] }));
    bench.deployment('web', 4, {}, big);
    bench.run(minutes(15));
    expect(group.desired).toBe(3);
    expect(bench.pods().filter((pod) => pod.status?.phase === 'Running')).toHaveLength(3);
    bench.edit('deployments.apps', 'web', (spec) => void (spec['replicas'] = 1));
    bench.run(minutes(30));
    expect(group.desired).toBe(1);
    expect(group.removed).toHaveLength(2);
    expect(bench.view.nodes()).toHaveLength(1);
  });

  it('leaves nodes alone that are marked so', () => {
    const bench = new TestBench({ workers: 3 });
    const group = new Group(bench);
    group.desired = 3;
    for (const node of bench.view.nodes()) {
      bench.store.modify('nodes', undefined, node.metadata.name, (draft) => {
        draft.metadata.annotations = {
          ...draft.metadata.annotations,
          'cluster-autoscaler.kubernetes.io/scale-down-disabled': 'true',
        };
      });
    }
    bench.cluster.add(new ClusterAutoscaler(bench.cluster.context, { groups: () => [group] }));
    bench.run(minutes(60));
    expect(group.removed).toEqual([]);
  });
});
