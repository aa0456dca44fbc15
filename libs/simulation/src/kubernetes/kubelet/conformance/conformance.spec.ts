import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { minutes, sha256Hex } from '#kernel';
import { TestBench } from '../../../estate/test-bench.js';
import { conditionOf } from '../../controllers/conditions.js';
import type { Job } from '../../controllers/workloads.js';
import { conformanceTests } from './conformance-tests.js';
import { frame, junitXml } from './junit.js';

const FRAME =
  /^-----BEGIN FAIRWAY JUNIT (\S+)-----\n([\s\S]+?)-----END FAIRWAY JUNIT \1 sha256=([0-9a-f]{64})-----\n$/;

const start = (bench: TestBench, env: Readonly<Record<string, string>> = {}): void => {
  const variables = Object.entries(env).map(([name, value]) => ({ name, value }));
  bench.create('jobs.batch', {
    metadata: { name: 'run', namespace: 'default' },
    spec: {
      backoffLimit: 0,
      template: {
        spec: {
          restartPolicy: 'Never',
          containers: [
            { name: 'conformance', image: 'registry.k8s.io/conformance:v1.31.4', env: variables },
            { name: 'results', image: 'registry.example.org/busybox:1' },
          ],
        },
      },
    },
  });
  bench.run(minutes(20));
};
const logOf = (bench: TestBench, container: string): string => {
  const pod = bench.pods().find((one) => one.metadata.name.startsWith('run-'));
  const text = bench.store.handlers.logs?.(pod as never, {
    container,
    previous: false,
    follow: false,
    timestamps: false,
  });
  return text as string;
};
const reportOf = (bench: TestBench): string => {
  const [, name, body = '', digest] = FRAME.exec(logOf(bench, 'results')) ?? [];
  expect(name).toBe('junit_01.xml');
  expect(
    body
      .trimEnd()
      .split('\n')
      .every((line) => line.length <= 76),
  ).toBe(true);
  const xml = gunzipSync(Buffer.from(body, 'base64')).toString();
  expect(sha256Hex(xml)).toBe(digest);
  return xml;
};
const finished = (bench: TestBench): string | undefined =>
  ['Complete', 'Failed'].find(
    (type) => conditionOf(bench.get<Job>('jobs.batch', 'run'), type)?.status === 'True',
  );

describe('the conformance image', () => {
  it('passes on a sound cluster, with progress in one log and the report in the other', () => {
    const bench = new TestBench({ workers: 1 });
    start(bench, { E2E_FOCUS: '\\[Conformance\\]', E2E_SKIP: '\\[Disruptive\\]|\\[Serial\\]' });
    expect(finished(bench)).toBe('Complete');
    const xml = reportOf(bench);
    const run = conformanceTests.filter(
      ({ name }) => name.includes('[Conformance]') && !/\[(Disruptive|Serial)\]/.test(name),
    ).length;
    expect(xml.match(/status="passed"/g)).toHaveLength(run);
    expect(xml.match(/<skipped /g)).toHaveLength(conformanceTests.length - run);
    expect(xml).toContain('failures="0"');
    expect(logOf(bench, 'conformance')).toContain(`"completed":${run},"total":${run},"failed":0`);
  });

  it('fails the test that something in the cluster breaks', () => {
    const bench = new TestBench({ workers: 1 });
    const annotations = { 'sim.fairway.dev/breaks-conformance': 'DNS should provide DNS for services' };
    bench.create('configmaps', { metadata: { name: 'bad', namespace: 'default', annotations } });
    start(bench);
    expect(finished(bench)).toBe('Failed');
    const xml = reportOf(bench);
    expect(xml.match(/<failure /g)).toHaveLength(1);
    expect(xml).toContain('message="ConfigMap default/bad breaks this test"');
    const codes = bench
      .pods()[0]
      ?.status?.containerStatuses?.map((status) => status.state.terminated?.exitCode);
    expect(codes).toEqual([1, 0]);
  });

  it('fails a test of its own for an unknown mark, and one for a Deployment that is not available', () => {
    const bench = new TestBench({ workers: 1 });
    const annotations = { 'sim.fairway.dev/breaks-conformance': 'our own promise' };
    bench.create('configmaps', { metadata: { name: 'bad', namespace: 'default', annotations } });
    bench.deployment('web', 1, {}, {}, { 'sim.fairway.dev/ready-after': 'never' });
    start(bench, { E2E_FOCUS: 'Pods should be submitted' });
    const xml = reportOf(bench);
    expect(xml).toContain('name="our own promise"');
    expect(xml).toContain('message="Deployment default/web is not available"');
    expect(finished(bench)).toBe('Failed');
  });

  it.each(['true', 'false'])('executes nothing when E2E_DRYRUN is %s', (value) => {
    const bench = new TestBench({ workers: 1 });
    start(bench, { E2E_DRYRUN: value });
    expect(logOf(bench, 'conformance')).toContain('Ran 0 of');
  });

  it('runs nothing for a focus that matches nothing', () => {
    const bench = new TestBench({ workers: 1 });
    start(bench, { E2E_FOCUS: '(((' });
    expect(logOf(bench, 'conformance')).toContain('Will run 0 of');
  });
});

describe('frame', () => {
  it('carries any text whole', () => {
    const xml = junitXml('s', [
      { name: 'a <b> & "c"', seconds: 1, outcome: 'failed', message: "it's\nbroken" },
    ]);
    const [, , body = '', digest] = FRAME.exec(`${frame('junit_01.xml', xml).join('\n')}\n`) ?? [];
    expect(gunzipSync(Buffer.from(body, 'base64')).toString()).toBe(xml);
    expect(digest).toBe(sha256Hex(xml));
  });
});
