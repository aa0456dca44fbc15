import { describe, expect, it } from 'vitest';
import { hours, minutes } from '#kernel';
import { requiredSuites } from './policy.js';
import { parsePolicy } from './policy.parser.js';
import { DEFAULT_POLICY } from './default-policy.js';

const FULL = `apiVersion: fairway.dev/v1
channels:
- { name: dev,    promotion: automatic, waves: [100%] }
- { name: alpha,  from: dev,   promotion: automatic, waves: [1, 100%],
    gates: { converged: {}, conformance: { suites: [quick, statefulset] }, soak: 2h } }
- { name: beta,   from: alpha, promotion: automatic, waves: [1, 10%, 50%, 100%], maxUnavailable: 5%, failureBudget: 2,
    gates: { converged: {}, conformance: { suites: [live, own] }, soak: 24h, windows: [{ days: Mon-Thu, start: "08:00", end: "16:00", tz: Europe/Berlin }] } }
- { name: stable, from: beta,  promotion: manual,
    gates: { converged: { coverage: 95%, maxOffline: 2 }, soak: 72h, approvals: { required: 1, roles: [approver] }, backup: { maxAge: 24h }, freeze: [{ from: 2026-12-20, to: 2027-01-04, reason: year end }] } }
suites: { quick: { focus: "Pods", timeout: 10m }, own: { job: e2e/own-tests.yaml } }
`;

const problemsOf = (text: string): readonly string[] => {
  const parsed = parsePolicy(text, 'fairway.yaml');
  if (parsed.ok) return [];
  return parsed.error.map(
    (one) => `${one.file}:${one.line ?? '?'} ${one.code} ${one.message}${one.hint ? ` (${one.hint})` : ''}`,
  );
};

describe('parsePolicy', { timeout: 60_000 }, () => {
  it('reads the whole policy of the design', () => {
    const parsed = parsePolicy(FULL, 'fairway.yaml');
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.error));
    const [dev, alpha, beta, stable] = parsed.value.channels;
    expect(dev).toEqual({
      name: 'dev',
      branch: 'dev',
      promotion: 'automatic',
      waves: [{ kind: 'percent', value: 100 }],
      wavePause: minutes(1),
      gates: {},
    });
    expect(alpha?.gates).toEqual({
      converged: { coverage: 100 },
      conformance: { suites: ['quick', 'statefulset'], clusters: 'all' },
      soak: hours(2),
    });
    expect(beta).toMatchObject({ maxUnavailable: { kind: 'percent', value: 5 }, failureBudget: 2 });
    expect(beta?.gates.windows).toEqual([{ days: [1, 2, 3, 4], start: 480, end: 960, tz: 'Europe/Berlin' }]);
    expect(stable?.gates.freeze).toEqual([
      { from: '2026-12-20', to: '2027-01-04', tz: 'UTC', reason: 'year end' },
    ]);
    expect(parsed.value.suites['quick']).toMatchObject({
      focus: 'Pods',
      timeout: minutes(10),
      expectedMin: 1,
    });
    expect(requiredSuites(parsed.value, 'alpha').map((one) => one.suite)).toEqual(['live', 'own']);
    expect(requiredSuites(DEFAULT_POLICY, 'beta')).toEqual([]);
  });

  it.each([
    [
      'unknown key with the nearest one',
      FULL.replace('failureBudget', 'failureBuget'),
      'fairway.yaml:6 unknown-key unknown key "failureBuget" (did you mean "failureBudget"?)',
    ],
    [
      'unknown gate',
      FULL.replace('soak: 2h', 'soack: 2h'),
      'fairway.yaml:5 unknown-key unknown key "soack" (did you mean "soak"?)',
    ],
    [
      'unknown suite',
      FULL.replace('statefulset]', 'statefulsets]'),
      'fairway.yaml:5 unknown-suite unknown suite "statefulsets" (did you mean "statefulset"?)',
    ],
    [
      'bad duration',
      FULL.replace('soak: 2h', 'soak: 2 hours'),
      'fairway.yaml:5 invalid-policy channels[1].gates.soak is no duration: write 90s, 30m, 2h or 3d',
    ],
    [
      'bad share',
      FULL.replace('[1, 100%]', '[1, 110%]'),
      'fairway.yaml:4 invalid-policy channels[1].waves[1] must be a whole number of clusters above 0, or a share such as 10%',
    ],
    [
      'unknown zone',
      FULL.replace('Europe/Berlin', 'Europe/Berln'),
      'fairway.yaml:7 invalid-policy channels[2].gates.windows[0].tz is no IANA time zone such as Europe/Berlin',
    ],
    [
      'unknown channel',
      FULL.replace('from: alpha', 'from: alfa'),
      'fairway.yaml:6 unknown-channel "alfa" is no channel above "beta" (list channels in the order of promotion)',
    ],
    [
      'channel twice',
      FULL.replace('name: beta', 'name: alpha').replace('from: beta', 'from: alpha'),
      'fairway.yaml:6 duplicate-channel channel "alpha" is there twice',
    ],
    ['broken YAML', 'channels: [\n  {', 'fairway.yaml:2 yaml-error'],
    ['duplicate key', 'apiVersion: fairway.dev/v1\napiVersion: b', 'fairway.yaml:2 yaml-error'],
    [
      'path out of the repository',
      FULL.replace('e2e/own', '../own'),
      'fairway.yaml:10 invalid-policy suites.own.job must be the path of a YAML file inside the repository',
    ],
    [
      'lookaround',
      FULL.replace('"Pods"', '"(?=x)"'),
      'fairway.yaml:10 invalid-policy suites.quick.focus uses lookaround or a back-reference, which RE2 does not have',
    ],
    [
      'option as branch',
      FULL.replace('name: dev,', 'name: dev, branch: --force,'),
      'fairway.yaml:3 invalid-policy channels[0].branch is no branch name',
    ],
  ])('names the line of: %s', (_name, text, expected) => {
    expect(
      problemsOf(text).some((one) => one.startsWith(expected)),
      problemsOf(text).join('\n'),
    ).toBe(true);
  });

  it('reports all faults together', () => {
    expect(
      problemsOf(
        FULL.replace('soak: 2h', 'soak: x')
          .replace('soak: 24h', 'soak: y')
          .replace('failureBudget: 2', 'failureBudget: -1'),
      ),
    ).toHaveLength(3);
  });

  it('survives hostile YAML', () => {
    const bomb = [
      'a: &a [x,x,x,x,x,x,x,x,x]',
      ...Array.from(
        'bcdefghij',
        (letter, index) => `${letter}: &${letter} [${Array(9).fill(`*${'abcdefghij'[index]}`).join(',')}]`,
      ),
    ].join('\n');
    expect(problemsOf(bomb)[0]).toContain('yaml-error');
    expect(problemsOf('')[0]).toContain('invalid-policy');
    expect(problemsOf('a: &a [*a]')[0]).toMatch(/yaml-error|invalid-policy|unknown-key/);
    expect(
      problemsOf('{__proto__: {x: 1}, apiVersion: fairway.dev/v1, channels: [{name: dev}]}'),
    ).toBeDefined();
  });

  it.each([
    ['a flow of 200,000 brackets', '['.repeat(200_000), 'policy-too-large'],
    ['100,000 dashes in a line', '- '.repeat(100_000), 'policy-too-large'],
    ['300 KB of comment', '#'.repeat(300_000), 'policy-too-large'],
    [
      '20,000 unknown keys',
      Array.from({ length: 20_000 }, (_, n) => `k${n}: 1`).join('\n'),
      'invalid-policy',
    ],
    ['a repeated key', 'channels: []\nchannels: []\n', 'yaml-error'],
  ])('refuses %s at once and shortly', (_, text, code) => {
    const parsed = parsePolicy(text, 'fairway.yaml');
    const problems = parsed.ok ? [] : parsed.error;
    expect(problems[0]?.code).toBe(code);
    expect(problems.length).toBeLessThanOrEqual(50);
  });
});
