import { describe, expect, it } from 'vitest';
import { hours, minutes, seconds } from '#kernel';
import { policyFor } from '#rolling';
import { template } from '../../libs/simulation/src/estate/test-bench.js';
import { RollingBench } from './support/rolling-bench.js';

const DATABASES = ['orders', 'users', 'stock', 'mail', 'search', 'audit'];

describe('six Postgres clusters under an operator', () => {
  it('are rolled with one switchover each, and nobody but the operator moves a primary', () => {
    const world = new RollingBench(6);
    const { bench } = world;
    for (const name of DATABASES) {
      bench.create('statefulsets.apps', {
        metadata: { name, namespace: 'default' },
        spec: {
          replicas: 2,
          selector: { matchLabels: { cluster: name } },
          template: {
            ...template('spilo'),
            metadata: { labels: { application: 'spilo', cluster: name } },
          },
        },
      });
    }
    bench.run(minutes(3));
    const operator = bench.cluster.postgres;
    const policy = policyFor({ drain_profile: 'lifecycle-status=decommission-pending' }, 'production', {
      minReady: seconds(5),
    });
    if (!policy.ok) throw new Error(policy.error.message);
    const end = world.roll(policy.value, hours(12));
    expect(end.state, end.message).toBe('done');
    const per = DATABASES.map(
      (name) => operator.switchovers.filter(({ cluster }) => cluster.endsWith(`/${name}`)).length,
    );
    expect(per).toEqual(DATABASES.map(() => 1));
  });
});
