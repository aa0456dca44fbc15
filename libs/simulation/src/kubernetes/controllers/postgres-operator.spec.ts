import { describe, expect, it } from 'vitest';
import { minutes, seconds } from '#kernel';
import { TestBench, template } from '../../estate/test-bench.js';
import type { Pod } from './objects.js';
import type { DisruptionBudget } from './workloads.js';

const start = (): TestBench => {
  const bench = new TestBench({ workers: 6 });
  const base = template('spilo');
  bench.create('statefulsets.apps', {
    metadata: { name: 'orders', namespace: 'default' },
    spec: {
      replicas: 2,
      selector: { matchLabels: { cluster: 'orders' } },
      template: { ...base, metadata: { labels: { application: 'spilo', cluster: 'orders' } } },
    },
  });
  bench.run(minutes(2));
  return bench;
};
const primary = (bench: TestBench): Pod[] =>
  bench.pods().filter((pod) => pod.metadata.labels?.['spilo-role'] === 'master');
const homeOf = (bench: TestBench, pod: Pod): number =>
  bench.machines.findIndex((machine) => machine.privateDnsName === pod.spec?.nodeName);

describe('PostgresOperator', () => {
  it('keeps one primary under a budget that lets it not go', () => {
    const bench = start();
    expect(primary(bench)).toHaveLength(1);
    const budget = bench.get<DisruptionBudget>('poddisruptionbudgets.policy', 'postgres-orders-pdb');
    expect(budget.status).toMatchObject({ disruptionsAllowed: 0, currentHealthy: 1, desiredHealthy: 1 });
  });

  it('switches over once when the node is cordoned and labelled, and only then', () => {
    const bench = start();
    const [before] = primary(bench);
    const home = homeOf(bench, before as Pod);
    bench.cordon(home);
    bench.run(minutes(5));
    expect(primary(bench)[0]?.metadata.name).toBe(before?.metadata.name);
    bench.store.modify('nodes', undefined, bench.node(home).metadata.name, (draft) => {
      draft.metadata.labels = { ...draft.metadata.labels, 'lifecycle-status': 'decommission-pending' };
    });
    bench.run(minutes(1));
    expect(primary(bench)).toHaveLength(1);
    expect(primary(bench)[0]?.metadata.name).not.toBe(before?.metadata.name);
    bench.drain(home);
    bench.run(minutes(2));
    expect(bench.pods()).toHaveLength(2);
    expect(primary(bench)).toHaveLength(1);
  });

  it('waits for a ready replica on a node that stays', () => {
    const bench = start();
    const [before] = primary(bench);
    const home = homeOf(bench, before as Pod);
    bench.machines.forEach((_, index) => bench.cordon(index));
    bench.store.modify('nodes', undefined, bench.node(home).metadata.name, (draft) => {
      draft.metadata.labels = { ...draft.metadata.labels, 'lifecycle-status': 'decommission-pending' };
    });
    bench.run(minutes(5));
    expect(primary(bench)[0]?.metadata.name).toBe(before?.metadata.name);
    const other = homeOf(
      bench,
      bench.pods().find((pod) => pod !== before && pod.metadata.labels?.['spilo-role'] === 'replica') as Pod,
    );
    bench.cordon(other, false);
    bench.run(seconds(10));
    bench.store.modify('pods', 'default', before?.metadata.name as string, (draft) => {
      draft.metadata.annotations = { ...draft.metadata.annotations, touched: 'yes' };
    });
    bench.run(minutes(1));
    expect(primary(bench)[0]?.metadata.name).not.toBe(before?.metadata.name);
  });
});
