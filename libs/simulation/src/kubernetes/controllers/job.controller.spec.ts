import { describe, expect, it } from 'vitest';
import { minutes, seconds } from '#kernel';
import { TestBench, template } from '../../estate/test-bench.js';
import { conditionOf } from './conditions.js';
import type { Job } from './workloads.js';

const create = (bench: TestBench, spec: Readonly<Record<string, unknown>> = {}, annotations = {}): void => {
  bench.create('jobs.batch', {
    metadata: { name: 'work', namespace: 'default' },
    spec: { template: template('work', { restartPolicy: 'Never' }, annotations), ...spec },
  });
};
const job = (bench: TestBench): Job => bench.get<Job>('jobs.batch', 'work');
const fails = { 'sim.fairway.dev/run-for': '5s', 'sim.fairway.dev/exit-code': '3' };

describe('JobController', () => {
  it('completes as often as asked, with at most the parallelism at a time', () => {
    const bench = new TestBench({ workers: 2 });
    create(bench, { completions: 3, parallelism: 2 });
    bench.run(minutes(1));
    expect(job(bench).status).toMatchObject({ succeeded: 3 });
    expect(job(bench).status?.active).toBeUndefined();
    expect(conditionOf(job(bench), 'Complete')).toMatchObject({ status: 'True' });
    expect(job(bench).status?.completionTime).toBeDefined();
    expect(bench.pods().map((pod) => pod.status?.phase)).toEqual(['Succeeded', 'Succeeded', 'Succeeded']);
  });

  it('fails at once with backoffLimit 0, and keeps the exit code', () => {
    const bench = new TestBench({ workers: 1 });
    create(bench, { backoffLimit: 0 }, fails);
    bench.run(minutes(1));
    expect(conditionOf(job(bench), 'Failed')).toMatchObject({
      status: 'True',
      reason: 'BackoffLimitExceeded',
    });
    expect(job(bench).status).toMatchObject({ failed: 1 });
    expect(bench.pods()[0]?.status?.containerStatuses?.[0]?.state.terminated).toMatchObject({
      exitCode: 3,
      reason: 'Error',
    });
  });

  it('tries again with growing pauses up to the limit', () => {
    const bench = new TestBench({ workers: 1 });
    create(bench, { backoffLimit: 2 }, fails);
    bench.run(seconds(15));
    expect(bench.pods()).toHaveLength(1);
    bench.run(minutes(5));
    expect(bench.pods()).toHaveLength(3);
    expect(conditionOf(job(bench), 'Failed')?.reason).toBe('BackoffLimitExceeded');
  });

  it('ends at the deadline and counts an evicted pod as a failure', () => {
    const bench = new TestBench({ workers: 1 });
    create(bench, { activeDeadlineSeconds: 30 }, { 'sim.fairway.dev/run-for': '1h' });
    bench.run(minutes(1));
    expect(conditionOf(job(bench), 'Failed')).toMatchObject({ reason: 'DeadlineExceeded' });
    expect(bench.pods()).toEqual([]);

    const other = new TestBench({ workers: 1 });
    create(other, { backoffLimit: 0 }, { 'sim.fairway.dev/run-for': '1h' });
    other.run(seconds(30));
    other.store.evict({ namespace: 'default', name: other.pods()[0]?.metadata.name as string });
    other.run(minutes(1));
    expect(conditionOf(job(other), 'Failed')?.reason).toBe('BackoffLimitExceeded');
  });

  it('waits while suspended', () => {
    const bench = new TestBench({ workers: 1 });
    create(bench, { suspend: true, backoffLimit: 0 });
    bench.run(seconds(30));
    expect(bench.pods()).toEqual([]);
    expect(conditionOf(job(bench), 'Suspended')?.status).toBe('True');
    bench.edit('jobs.batch', 'work', (spec) => void Object.assign(spec, { suspend: false }));
    bench.run(minutes(1));
    expect(conditionOf(job(bench), 'Complete')?.status).toBe('True');
  });

  it('is cleared away with its pods after its time', () => {
    const bench = new TestBench({ workers: 1 });
    create(bench, { ttlSecondsAfterFinished: 60 });
    bench.run(seconds(40));
    expect(conditionOf(job(bench), 'Complete')?.status).toBe('True');
    bench.run(minutes(2));
    expect(bench.view.all('jobs.batch')).toEqual([]);
    expect(bench.pods()).toEqual([]);
  });
});
