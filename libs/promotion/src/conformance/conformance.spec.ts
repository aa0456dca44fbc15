import fc from 'fast-check';
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { sha256Hex } from '#kernel';
import { DEFAULT_SUITES } from '../default-policy.js';
import { conformanceName, conformanceObjects, upstreamVersion } from './conformance-objects.js';
import { DEFAULT_EXTRACT_LIMITS, extractJUnit, frameJUnit, type JUnitOutcome } from './frame.js';
import { conformanceProgress } from './progress.js';
import { printResultsScript } from './results-script.js';
import { judge, type RunOutcome } from './verdict.js';

const quick = DEFAULT_SUITES['quick'] as (typeof DEFAULT_SUITES)[string];
const xml = (cases: string, attributes = ''): string =>
  `<?xml version="1.0"?>\n<testsuites><testsuite name="e2e" ${attributes}>${cases}</testsuite></testsuites>`;
const PASS =
  '<testcase name="[sig-node] Pods run &amp; stop" classname="e2e"/><testcase name="[It] two" status="passed"><system-out>é &lt;x&gt;</system-out></testcase>';
const SKIP = '<testcase name="s1"><skipped/></testcase><testcase name="s2" status="skipped"/>';
const FAIL =
  '<testcase name="bad one"><failure type="Failure">boom</failure></testcase><testcase name="bad two"><error/></testcase>';
const OWN =
  '<testcase name="[SynchronizedBeforeSuite]" status="passed"/><testcase name="[ReportAfterSuite] Kubernetes e2e suite report" status="passed"/>';

const readXml = (text: string): Promise<JUnitOutcome> => extractJUnit(frameJUnit('junit_01.xml', text));
async function judgeXml(text: string, more: Partial<RunOutcome> = {}): Promise<ReturnType<typeof judge>> {
  return judge({
    exit: 0,
    junit: await readXml(text),
    expectedMin: 1,
    serverVersionBefore: 'v1.36.0',
    serverVersionAfter: 'v1.36.0',
    digestBefore: 'd',
    digestAfter: 'd',
    ...more,
  });
}

describe('conformanceObjects', () => {
  it('makes one run of uniquely named, labelled objects', () => {
    const made = conformanceObjects({ id: 'run-1', suite: 'quick' }, quick, {
      serverVersion: 'v1.36.0-eks-9f1',
    });
    if (!made.ok) throw new Error(made.error);
    const name = conformanceName('run-1');
    expect(
      made.value.map((object) => `${object.kind} ${object.metadata.namespace ?? ''}/${object.metadata.name}`),
    ).toEqual([
      `Namespace /${name}`,
      `ServiceAccount ${name}/${name}`,
      `ClusterRoleBinding /${name}`,
      `Job ${name}/${name}`,
    ]);
    expect(made.value.every((object) => object.metadata.labels?.['fairway.dev/run'] === 'run-1')).toBe(true);
    const spec = made.value[3]?.['spec'] as {
      template: {
        spec: { containers: { name: string; image: string; env?: { name: string; value: string }[] }[] };
      };
    };
    expect(spec).toMatchObject({
      backoffLimit: 0,
      activeDeadlineSeconds: 2100,
      ttlSecondsAfterFinished: 3600,
    });
    const [tests, results] = spec.template.spec.containers;
    expect(tests).toMatchObject({ name: 'conformance', image: 'registry.k8s.io/conformance:v1.36.0' });
    expect(results).toMatchObject({ name: 'results' });
    expect(tests?.env?.map((one) => one.name)).toEqual([
      'RESULTS_DIR',
      'E2E_FOCUS',
      'E2E_SKIP',
      'E2E_PROVIDER',
    ]);
    expect(JSON.stringify(made.value)).not.toContain('DRYRUN');
    expect(conformanceName('run-2')).not.toBe(name);
  });

  it('wraps an own job and says what is wrong with a bad one', () => {
    const suite = { ...quick, name: 'own', job: 'e2e/own.yaml' };
    const job =
      'apiVersion: batch/v1\nkind: Job\nmetadata: {name: mine, namespace: kube-system}\nspec:\n  backoffLimit: 9\n  template:\n    spec:\n      serviceAccountName: admin\n      containers: [{name: t, image: tests:1, env: [{name: A, value: b}]}]\n';
    const made = conformanceObjects({ id: 'r', suite: 'own' }, suite, {
      serverVersion: 'v1.36.0',
      ownJob: job,
    });
    if (!made.ok) throw new Error(made.error);
    expect(made.value[3]).toMatchObject({
      metadata: { name: conformanceName('r'), namespace: conformanceName('r') },
      spec: {
        backoffLimit: 0,
        template: {
          spec: {
            serviceAccountName: conformanceName('r'),
            containers: [
              { name: 'conformance', image: 'tests:1', env: [{ name: 'A' }, { name: 'RESULTS_DIR' }] },
              { name: 'results' },
            ],
          },
        },
      },
    });
    const bad = (ownJob: string | undefined) =>
      conformanceObjects({ id: 'r', suite: 'own' }, suite, {
        serverVersion: 'v1',
        ...(ownJob !== undefined && { ownJob }),
      });
    expect(bad(undefined)).toMatchObject({
      ok: false,
      error: 'the job e2e/own.yaml of suite "own" is not in the repository',
    });
    expect(bad('kind: Pod')).toMatchObject({ ok: false, error: 'e2e/own.yaml: is no batch/v1 Job' });
    expect(upstreamVersion('weird')).toBeUndefined();
    expect(upstreamVersion('v1.37.0-rc.1+k3s1')).toBe('v1.37.0-rc.1');
  });

  it('prints frames that can be read, in a real shell', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'fairway-results-'));
    try {
      const text = xml(PASS + SKIP + `<testcase name="${'x'.repeat(5000)}"/>`);
      writeFileSync(join(directory, 'junit_01.xml'), text);
      writeFileSync(join(directory, 'done'), '/tmp/results/e2e.tar.gz');
      const printed = spawnSync('sh', ['-c', printResultsScript(directory, 5)], { encoding: 'utf8' });
      expect(printed.status, printed.stderr).toBe(0);
      expect(printed.stdout).toContain('-----BEGIN FAIRWAY JUNIT junit_01.xml-----\n');
      expect(printed.stdout.split('\n').every((line) => line.length <= 140)).toBe(true);
      expect(await extractJUnit(printed.stdout)).toMatchObject({
        ok: true,
        value: { tests: 5, executed: 3, skipped: 2 },
      });
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});

describe('extractJUnit', () => {
  it('reads what was framed, whatever stands around it', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.string({ maxLength: 40 })), fc.nat(30), async (noise, tests) => {
        const cases = Array.from({ length: tests }, (_, index) => `<testcase name="t${index}"/>`).join('');
        const log = [...noise, frameJUnit('j.xml', xml(cases)), ...noise].join('\n');
        const read = await extractJUnit(log);
        expect(read.ok && read.value.executed).toBe(tests);
      }),
    );
  });

  it('takes no cut or changed log for a whole one', async () => {
    const whole = frameJUnit('j.xml', xml(PASS.repeat(50)));
    for (let at = 1; at < whole.length - 1; at += 7) {
      const cut = await extractJUnit(whole.slice(0, at));
      expect(cut.ok, `cut at ${at}`).toBe(false);
    }
    const lines = whole.split('\n');
    const flipped = [lines[0], (lines[1] as string).replace(/[A-Y]/g, 'Z'), ...lines.slice(2)].join('\n');
    expect(await extractJUnit(flipped)).toMatchObject({ ok: false, error: { reason: 'corrupt-junit' } });
    const swapped = whole.replace(/sha256=[0-9a-f]{8}/, 'sha256=00000000');
    expect(await extractJUnit(swapped)).toMatchObject({ ok: false, error: { reason: 'corrupt-junit' } });
  });

  /** Members of gzip may follow one another: 64 of 16 MiB are one file of 1 GiB. */
  const gibibyte = (member: Buffer): string => {
    const packed = gzipSync(member, { level: 1 });
    return Buffer.concat(Array.from({ length: 64 }, () => packed)).toString('base64');
  };
  const testcases = Buffer.from(
    '<testcase name="[sig-node] passes"/>\n'.repeat(Math.ceil((16 * 1024 * 1024) / 37)),
  ).subarray(0, 16 * 1024 * 1024);

  it.each<[string, () => string, string]>([
    ['1 GiB of blanks', () => gibibyte(Buffer.alloc(16 * 1024 * 1024, 0x20)), 'junit-too-large'],
    [
      '1 GiB of test cases',
      () => gibibyte(testcases),
      'junit-malformed|junit-too-large|junit-too-many-tests',
    ],
    // As much of it as is ever read of a log; the rest is cut off.
    ['1 GiB that does not pack', () => randomBytes(24 * 1024 * 1024).toString('base64'), 'truncated-junit'],
  ])('stays small and lets others run: %s', async (_name, make, reason) => {
    const body = make()
      .match(/.{1,76}/g)
      ?.join('\n');
    const end =
      reason === 'truncated-junit' ? '' : `-----END FAIRWAY JUNIT b.xml sha256=${sha256Hex('x')}-----\n`;
    const log = `-----BEGIN FAIRWAY JUNIT b.xml-----\n${body}\n${end}`;
    let most = 0;
    const before = process.memoryUsage().rss;
    let turns = 0;
    let reading = true;
    const turnOfOthers = (): void => {
      turns += 1;
      most = Math.max(most, process.memoryUsage().rss - before);
      if (reading) setImmediate(turnOfOthers);
    };
    setImmediate(turnOfOthers);
    const read = await extractJUnit(log);
    reading = false;
    expect(read.ok ? 'read' : read.error.reason).toMatch(new RegExp(`^(?:${reason})$`));
    // In small bites, however fast the machine is; `npm run bench -- junit` tells the milliseconds.
    expect(turns).toBeGreaterThan(60);
    expect(most).toBeLessThan(200 * 1024 * 1024);
  });

  it.each([
    [
      'document type',
      '<!DOCTYPE lolz [<!ENTITY lol "lol"><!ENTITY lol2 "&lol;&lol;">]><testsuites>&lol2;</testsuites>',
      'junit-doctype',
    ],
    ['deep', `${'<testsuites>'.repeat(100)}`, 'junit-too-deep'],
    ['cut XML', xml(PASS).slice(0, -20), 'junit-malformed'],
    ['other root', '<html/>', 'junit-malformed'],
    ['empty', '', 'junit-malformed'],
    ['binary', '\u0000\u0001', 'junit-malformed'],
    ['NUL', xml('<testcase name="a\u0000b"/>'), 'junit-malformed'],
    [
      'a million attributes',
      `<testsuites ${Array.from({ length: 1_000_000 }, (_, n) => `a${n}="1"`).join(' ')}/>`,
      'junit-malformed',
    ],
    ['unknown entity', xml('<testcase name="&boom;"/>'), 'junit-malformed'],
  ])('refuses: %s', async (_name, text, reason) => {
    expect(await readXml(text)).toMatchObject({ ok: false, error: { reason } });
  });

  it('bounds the number of tests', async () => {
    const read = await extractJUnit(frameJUnit('j.xml', xml(PASS.repeat(10))), {
      ...DEFAULT_EXTRACT_LIMITS,
      maxTests: 5,
    });
    expect(read).toMatchObject({ ok: false, error: { reason: 'junit-too-many-tests' } });
  });
});

describe('judge', () => {
  it.each<[string, string, Partial<RunOutcome>, string, string]>([
    ['all passed', PASS + SKIP + OWN, {}, 'pass', 'passed'],
    ['failed', PASS + FAIL, { exit: 1 }, 'fail', 'tests-failed'],
    ['failures with exit 0', PASS + FAIL, {}, 'fail', 'failures-with-exit-0'],
    ['exit 1 without failure', PASS, { exit: 1 }, 'fail', 'exit-nonzero'],
    ['no exit seen', PASS, { exit: undefined }, 'inconclusive', 'exit-unknown'],
    ['no cases', '', {}, 'fail', 'no-tests'],
    ['all skipped', SKIP + OWN, {}, 'fail', 'all-skipped'],
    ['too few', PASS, { expectedMin: 3 }, 'fail', 'too-few-tests'],
    ['nothing expected', PASS, { expectedMin: 0 }, 'fail', 'no-expectation'],
    ['dry run', PASS, { dryRunEnv: 'true' }, 'fail', 'dry-run'],
    ['dry run by "false"', PASS, { dryRunEnv: 'false' }, 'fail', 'dry-run'],
    ['content changed', PASS, { digestAfter: 'e' }, 'inconclusive', 'content-changed'],
    ['content unknown', PASS, { digestAfter: undefined }, 'inconclusive', 'content-unknown'],
    ['version changed', PASS, { serverVersionAfter: 'v1.37.0' }, 'inconclusive', 'server-version-changed'],
    ['version unknown', PASS, { serverVersionAfter: undefined }, 'inconclusive', 'server-version-unknown'],
    ['deadline', PASS, { jobFailureReason: 'DeadlineExceeded' }, 'inconclusive', 'deadline'],
    ['evicted', PASS, { jobFailureReason: 'Evicted' }, 'inconclusive', 'evicted'],
    ['node lost', PASS, { jobFailureReason: 'NodeLost' }, 'inconclusive', 'node-lost'],
    ['out of memory', PASS, { jobFailureReason: 'OOMKilled' }, 'inconclusive', 'out-of-memory'],
    ['no image', PASS, { jobFailureReason: 'ImagePullBackOff' }, 'inconclusive', 'image-unavailable'],
    ['strange word', PASS, { jobFailureReason: 'Weird' }, 'inconclusive', 'infrastructure'],
    [
      'back-off says nothing',
      PASS + FAIL,
      { exit: 1, jobFailureReason: 'BackoffLimitExceeded' },
      'fail',
      'tests-failed',
    ],
    ['malformed', '<testcase', {}, 'fail', 'junit-malformed'],
  ])('%s', async (_name, cases, more, verdict, reason) => {
    expect(await judgeXml(xml(cases), more)).toMatchObject({ verdict, reason });
  });

  it('has own reasons for what is missing, cut or only claimed', async () => {
    const base = {
      exit: 0,
      expectedMin: 1,
      serverVersionBefore: 'v1',
      serverVersionAfter: 'v1',
      digestBefore: 'd',
      digestAfter: 'd',
    };
    expect(judge({ ...base, junit: await extractJUnit('') })).toMatchObject({
      verdict: 'fail',
      reason: 'no-junit',
    });
    expect(judge({ ...base, exit: 137, junit: await extractJUnit('') })).toMatchObject({
      verdict: 'inconclusive',
      reason: 'no-junit',
    });
    const cut = frameJUnit('j.xml', xml(PASS)).slice(0, 60);
    expect(judge({ ...base, junit: await extractJUnit(cut) })).toMatchObject({
      verdict: 'inconclusive',
      reason: 'truncated-junit',
    });
    expect(await judgeXml(xml(PASS, 'failures="2"'))).toMatchObject({
      verdict: 'fail',
      reason: 'claimed-failures',
    });
    expect((await judgeXml(xml(FAIL), { exit: 1 })).failedTests).toEqual(['bad one', 'bad two']);
  });
});

describe('conformanceProgress', () => {
  it('reads what the runner prints', () => {
    expect(conformanceProgress('')).toBeUndefined();
    expect(conformanceProgress('Will run 402 of 7200 specs\n••S•\n[FAILED] x\n')).toEqual({
      done: 3,
      total: 402,
      failed: 1,
      unit: 'tests',
    });
    expect(conformanceProgress('Will run 4 of 9 specs\n••••\nRan 4 of 9 Specs in 3 seconds\n')).toMatchObject(
      { done: 4, total: 4 },
    );
    expect(
      conformanceProgress('{"msg":"PASSED x","total":402,"completed":17,"skipped":3,"failed":1}'),
    ).toEqual({ done: 17, total: 402, failed: 1, unit: 'tests' });
  });
});
