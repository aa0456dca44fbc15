import { describe, expect, it } from 'vitest';
import { minutes, seconds } from '#kernel';
import { sampleMachine, TestBench, template } from '../../estate/test-bench.js';
import { isReady } from './pods.js';
import type { DaemonSet } from './workloads.js';

const create = (bench: TestBench, pod = {}, spec: Readonly<Record<string, unknown>> = {}): void => {
  bench.create('daemonsets.apps', {
    metadata: { name: 'agent', namespace: 'default' },
    spec: { selector: { matchLabels: { app: 'agent' } }, template: template('agent', pod), ...spec },
  });
};
const nodesOf = (bench: TestBench): (string | undefined)[] =>
  bench
    .pods()
    .map((pod) => pod.spec?.nodeName)
    .sort();

describe('DaemonSetController', () => {
  it('runs one pod on every node, cordoned ones and new ones too', () => {
    const bench = new TestBench({ workers: 3 });
    bench.cordon(0);
    create(bench);
    bench.run(seconds(30));
    expect(nodesOf(bench)).toEqual(bench.machines.map((machine) => machine.privateDnsName).sort());
    bench.boot(sampleMachine(9));
    bench.run(minutes(1));
    expect(bench.get<DaemonSet>('daemonsets.apps', 'agent').status).toMatchObject({
      desiredNumberScheduled: 4,
      currentNumberScheduled: 4,
      numberReady: 4,
      numberAvailable: 4,
      updatedNumberScheduled: 4,
      numberMisscheduled: 0,
    });
  });

  it('keeps to selectors and taints', () => {
    const bench = new TestBench({ workers: 2 });
    bench.boot(sampleMachine(7, { userData: 'node-labels: disk=ssd\ntaints: dedicated=db:NoSchedule' }));
    bench.run(minutes(1));
    create(bench, { nodeSelector: { disk: 'ssd' } });
    bench.run(seconds(10));
    expect(nodesOf(bench)).toEqual([]);
    bench.edit('daemonsets.apps', 'agent', (spec) => {
      spec['template'] = template('agent', {
        nodeSelector: { disk: 'ssd' },
        tolerations: [{ key: 'dedicated', operator: 'Exists' }],
      });
    });
    bench.run(minutes(1));
    expect(nodesOf(bench)).toEqual([sampleMachine(7).privateDnsName]);
  });

  it('survives a drain and updates one node at a time', () => {
    const bench = new TestBench({ workers: 4 });
    create(bench);
    bench.run(minutes(1));
    let fewest = 99;
    bench.store.subscribe(() => {
      fewest = Math.min(
        fewest,
        bench.pods().filter((pod) => isReady(pod) && !pod.metadata.deletionTimestamp).length,
      );
    });
    bench.edit('daemonsets.apps', 'agent', (spec) => {
      spec['template'] = template('agent', {
        containers: [{ name: 'main', image: 'registry.example.org/agent:2' }],
      });
    });
    bench.run(minutes(3));
    expect(fewest).toBe(3);
    expect(bench.pods().map((pod) => pod.spec?.containers[0]?.image)).toEqual(
      Array(4).fill('registry.example.org/agent:2'),
    );
  });
});
