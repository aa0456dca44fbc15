import { days, hours, minutes, seconds, toIso } from '#kernel';
import { DOCTOR_CHECKS, type Finding } from '#fleet';
import { describe, expect, it } from 'vitest';
import { FINDINGS, type FindingCode } from './catalogue.js';
import { examine } from './examine.js';
import { component, group, healthy, instance, master, member, node, NOW, pdb } from './healthy.fixture.js';
import { none, read, unknown, type DoctorObservation } from './observation.js';

type Change = Partial<DoctorObservation>;
const workers = group('workers', [instance('i-w1', 'a'), instance('i-w2', 'b')]);
const masters = (...instances: Parameters<typeof group>[1]): Change => ({
  groups: read([group('masters', instances), workers]),
});
const nodes = (...changed: ReturnType<typeof node>[]): Change => ({
  nodes: read(
    ['m1', 'm2', 'm3', 'w1', 'w2'].map((name) => changed.find((one) => one.name === name) ?? node(name)),
  ),
});
const etcd = (
  members: ReturnType<typeof member>[],
  alarms: { member: string; kind: string }[] = [],
): Change => ({
  etcd: read({ members, alarms }),
});
const lease = (name: string, more: object = {}) => ({
  name,
  holder: 'm1_4711',
  renewedAt: NOW - seconds(2),
  ...more,
});
const leases = (more: object): Change => ({
  leases: read([lease('kube-controller-manager', more), lease('kube-scheduler')]),
});
const backup = { provider: 'etcd', lastAt: NOW - minutes(40), maxAge: hours(2) };

/** What provokes a finding, and what it must say. What cures it is the healthy cluster. */
const PROVOKED: readonly (readonly [FindingCode, string, Change, RegExp, Finding['severity']?])[] = [
  [
    'api-not-ready',
    'no answer',
    { api: read({ url: 'https://kube-1', ready: false }) },
    /does not answer \/readyz/,
  ],
  [
    'api-without-load-balancer',
    'no target group',
    masters(...[1, 2, 3].map((number) => master(number, { targetHealth: {} }))),
    /no master is a target/,
  ],
  [
    'api-targets-few',
    'two sick',
    masters(master(1), ...[2, 3].map((number) => master(number, { targetHealth: { api: 'unhealthy' } }))),
    /1 target of 3 masters is healthy/,
  ],
  [
    'api-targets-few',
    'all sick',
    masters(...[1, 2, 3].map((number) => master(number, { targetHealth: { api: 'unhealthy' } }))),
    /0 targets of 3/,
    'critical',
  ],
  [
    'api-target-unhealthy',
    'one sick',
    masters(master(1), master(2), master(3, { targetHealth: { api: 'unhealthy' } })),
    /i-m3 is unhealthy/,
  ],
  ['few-masters', 'one', masters(master(1)), /has 1 master$/],
  ['few-masters', 'two', masters(master(1), master(2)), /has 2 masters/],
  [
    'masters-zone-majority',
    'two of three in a zone',
    masters(master(1), master(2, { zone: 'a' }), master(3)),
    /2 of 3 masters are in a/,
  ],
  [
    'control-plane-pod-unready',
    'scheduler',
    { components: read([component('kube-scheduler', 2, { ready: false }), component('kube-apiserver', 1)]) },
    /kube-scheduler on m2 is not Ready/,
  ],
  [
    'leader-missing',
    'no lease',
    { leases: read([lease('kube-scheduler')]) },
    /there is no lease of kube-controller-manager/,
  ],
  ['leader-missing', 'given up', leases({ holder: '' }), /kube-controller-manager has no leader/],
  ['leader-stale', 'dead', leases({ renewedAt: NOW - seconds(16) }), /renewed its lease 16s ago/],
  ['leader-stale', 'never renewed', leases({ renewedAt: undefined }), /never/],
  [
    'leader-on-dead-node',
    'm1 silent',
    nodes(node('m1', { ready: false, readySince: toIso(NOW - seconds(40)) })),
    /led from m1, which is not Ready/,
  ],
  [
    'etcd-no-quorum',
    'two down',
    etcd([member('e1'), member('e2', { healthy: false }), member('e3', { healthy: false })]),
    /1 of 3 members healthy, quorum is 2/,
  ],
  [
    'etcd-no-tolerance',
    'one down',
    etcd([member('e1'), member('e2'), member('e3', { healthy: false })]),
    /2 of 3 members healthy/,
  ],
  [
    'etcd-member-unhealthy',
    'one of five',
    etcd([
      ...['e1', 'e2', 'e3', 'e4'].map((name) => member(name)),
      member('e5', { healthy: false, reason: 'no answer' }),
    ]),
    /e5 is not healthy: no answer/,
  ],
  [
    'etcd-alarm',
    'NOSPACE',
    etcd(
      ['e1', 'e2', 'e3'].map((name) => member(name)),
      [{ member: 'e2', kind: 'NOSPACE' }],
    ),
    /alarm NOSPACE is raised by e2/,
  ],
  ['etcd-few-members', 'one', etcd([member('e1')]), /etcd has 1 member$/],
  [
    'etcd-even-size',
    'four',
    etcd(['e1', 'e2', 'e3', 'e4'].map((name) => member(name))),
    /etcd has 4 members/,
  ],
  [
    'etcd-learner',
    'a fourth that learns',
    etcd([...['e1', 'e2', 'e3'].map((name) => member(name)), member('e4', { learner: true })]),
    /e4 is a learner/,
  ],
  [
    'etcd-zone-majority',
    'two of three in a zone',
    etcd([member('e1', { zone: 'a' }), member('e2', { zone: 'a' }), member('e3', { zone: 'c' })]),
    /2 of 3 members are in a/,
  ],
  [
    'etcd-near-quota',
    '85 %',
    etcd([member('e1', { dbSizeBytes: 1.7e9 }), member('e2'), member('e3')]),
    /e1 takes 85 % of its quota/,
  ],
  [
    'etcd-near-quota',
    '97 %',
    etcd([member('e1', { dbSizeBytes: 1.94e9 }), member('e2'), member('e3')]),
    /97 %/,
    'error',
  ],
  [
    'etcd-slow-disk',
    '256 ms',
    etcd([member('e1', { walFsyncP99: 256 }), member('e2'), member('e3')]),
    /256 ms/,
  ],
  [
    'node-not-ready',
    'longer than the pod-eviction timeout',
    nodes(node('w2', { ready: false, readySince: toIso(NOW - minutes(5) - seconds(1)) })),
    /w2 is not Ready for 5m1s \(i-w2\)/,
  ],
  [
    'instance-without-node',
    'never joined',
    {
      groups: read([
        group('masters', [master(1), master(2), master(3)]),
        group('workers', [instance('i-w1', 'a'), instance('i-w2', 'b'), instance('i-lost', 'c')]),
      ]),
    },
    /i-lost is in service for 2d and has not joined/,
  ],
  [
    'version-skew',
    'kubelet four behind',
    nodes(node('w1', { kubeletVersion: 'v1.31.0' })),
    /kubelet of w1 runs 1.31/,
  ],
  [
    'version-skew',
    'kube-proxy ahead',
    { proxies: read([{ name: 'w1', version: 'v1.36.0' }]) },
    /kube-proxy of w1 runs 1.36, newer than the oldest API server/,
  ],
  [
    'version-skew',
    'scheduler two behind',
    { components: read([component('kube-scheduler', 1, { version: 'v1.33.0' })]) },
    /kube-scheduler-m1 runs 1.33/,
  ],
  [
    'version-unsupported',
    '1.33',
    {
      serverVersion: read('v1.33.9'),
      components: read([component('kube-apiserver', 1, { version: 'v1.33.9' })]),
      proxies: read([]),
      nodes: read([node('m1', { kubeletVersion: 'v1.33.9' })]),
      groups: read([group('masters', [master(1), master(2), master(3)])]),
    },
    /1.33 is 3 minors behind 1.36/,
  ],
  [
    'api-removed-in-target',
    'asked for',
    {
      removedApis: read([
        { apiVersion: 'example.io/v1beta1', what: 'things', removedIn: '1.36', source: 'requests' },
      ]),
    },
    /somebody asks for things as example.io\/v1beta1, which Kubernetes 1.36 removes/,
  ],
  [
    'api-deprecated',
    'gone later',
    {
      removedApis: read([
        {
          apiVersion: 'example.io/v1beta1',
          what: 'Thing default/a',
          removedIn: '1.38',
          source: 'object',
          manager: 'helm',
          replacement: 'example.io/v1',
        },
      ]),
    },
    /Thing default\/a is written as example.io\/v1beta1 by helm, which Kubernetes 1.38 removes/,
  ],
  [
    'certificate-expired',
    'yesterday',
    { certificates: read([{ name: 'API server', notAfter: NOW - days(1) }]) },
    /API server expired 1d ago/,
  ],
  [
    'certificate-expiring',
    'in three weeks',
    { certificates: read([{ name: 'API server', notAfter: NOW + days(21) }]) },
    /API server expires in 21d/,
  ],
  [
    'certificate-expiring',
    'in three days',
    { certificates: read([{ name: 'API server', notAfter: NOW + days(3) }]) },
    /expires in 3d/,
    'error',
  ],
  ['backup-missing', 'not configured', { backups: read([]) }, /no backup is configured/],
  [
    'backup-missing',
    'none was good',
    { backups: read([{ provider: 'etcd', maxAge: hours(2) }]) },
    /there is no good etcd backup/,
  ],
  [
    'backup-stale',
    'three hours',
    { backups: read([{ ...backup, lastAt: NOW - hours(3) }]) },
    /is 3h old .*at most 2h are allowed/,
  ],
  ['drill-stale', 'never', { backups: read([{ ...backup, drillEvery: days(7) }]) }, /was restored never/],
  [
    'pdb-blocks-always',
    'one of one',
    { pdbs: read([pdb({ expectedPods: 1, currentHealthy: 1, desiredHealthy: 1, disruptionsAllowed: 0 })]) },
    /default\/web wants 1 of 1 pod healthy: it can never allow/,
  ],
  [
    'single-replica',
    'Recreate',
    { workloads: read([{ name: 'Deployment default/one', replicas: 1, surges: false }]) },
    /1 workload has one replica and no surge: Deployment default\/one/,
  ],
  [
    'webhook-without-endpoints',
    'nobody there',
    { webhooks: read([{ name: 'Validating… a', closed: true, service: 'default/a', endpoints: 0 }]) },
    /service default\/a has no ready endpoint/,
  ],
  [
    'aggregated-api-down',
    'no endpoints',
    {
      aggregatedApis: read([
        { name: 'v1beta1.metrics.k8s.io', available: false, message: 'MissingEndpoints' },
      ]),
    },
    /v1beta1.metrics.k8s.io is not available: MissingEndpoints/,
  ],
  [
    'namespace-stuck',
    'eleven minutes',
    { terminating: read([{ name: 'old', since: NOW - minutes(11), because: 'finalizers remain' }]) },
    /old is terminating for 11m: finalizers remain/,
  ],
];

describe('examine', () => {
  const well = examine('c', healthy);

  it('finds nothing in a healthy cluster, and says of every check what it saw', () => {
    expect(well.findings).toEqual([]);
    expect(well.verdict).toBe('ok');
    expect(well.checks.map(({ check }) => check)).toEqual(DOCTOR_CHECKS);
    for (const check of well.checks) expect(check).toMatchObject({ state: 'ok', summary: /./ });
  });

  const cases = PROVOKED.map(([code, when, change, text, severity]) => ({
    code,
    when,
    change,
    text,
    severity,
  }));
  it.each(cases)('$code ($when) is found, and gone when cured', ({ code, change, text, severity }) => {
    const sick = examine('c', { ...healthy, ...change });
    const found = sick.findings.filter((one) => one.code === code);
    expect(found.map(({ message }) => message).join('\n')).toMatch(text);
    const { check, reason, severity: usual } = FINDINGS[code];
    for (const one of found) {
      expect(one).toMatchObject({ check, reason, severity: severity ?? usual });
      expect(one.subject).not.toBe('');
      expect(one.remedy).not.toBe('');
    }
    expect(sick.checks.find((one) => one.check === check)?.state).toBe('findings');
    const expected = { critical: 'errors', error: 'errors', warning: 'warnings', info: 'ok' }[
      severity ?? usual
    ];
    if (sick.findings.every((one) => one.code === code)) expect(sick.verdict).toBe(expected);
    expect(well.findings).toEqual([]);
  });

  it('provokes every finding of the catalogue', () => {
    const provoked = new Set(PROVOKED.map(([code]) => code));
    expect(Object.keys(FINDINGS).filter((code) => !provoked.has(code as FindingCode))).toEqual([]);
  });

  it.each<[string, Change]>([
    [
      'a node that is silent for five minutes sharp',
      nodes(node('w2', { ready: false, readySince: toIso(NOW - minutes(5)) })),
    ],
    [
      'a target that is on its way out',
      masters(
        master(1),
        master(2),
        master(3),
        master(4, { targetHealth: { api: 'draining' }, lifecycleState: 'Terminating' }),
      ),
    ],
    ['a budget that is not whole', { pdbs: read([pdb({ currentHealthy: 1, disruptionsAllowed: 0 })]) }],
    ['a budget that was not observed yet', { pdbs: read([pdb({ generation: 2, disruptionsAllowed: 0 })]) }],
    [
      'a machine that boots',
      {
        groups: read([
          group('masters', [master(1), master(2), master(3)]),
          group('workers', [
            instance('i-w1', 'a'),
            instance('i-new', 'b', { launchedAt: toIso(NOW - minutes(6)) }),
          ]),
        ]),
      },
    ],
    [
      'a namespace that has just begun to go',
      { terminating: read([{ name: 'old', since: NOW - minutes(9), because: 'x' }]) },
    ],
    [
      'a master in the middle of an update',
      {
        ...nodes(node('m1', { kubeletVersion: 'v1.36.0' })),
        components: read([
          component('kube-apiserver', 1, { version: 'v1.36.0' }),
          component('kube-apiserver', 2),
        ]),
      },
    ],
    ['a leader whose host is no node', leases({ holder: 'somewhere_1' })],
  ])('takes no offence at %s', (_, change) => {
    expect(examine('c', { ...healthy, ...change }).findings).toEqual([]);
  });

  const PARTS = Object.keys(healthy).filter((key) => !['now', 'masterPools', 'target'].includes(key));
  it.each(PARTS)('says "unknown" and why where %s cannot be read, never "ok"', (part) => {
    const why = `nobody lets us read ${part}`;
    const blind = examine('c', { ...healthy, [part]: unknown(why) });
    const checks = blind.checks.filter(({ state }) => state === 'unknown');
    expect(checks.length).toBeGreaterThan(0);
    for (const check of checks) expect(check.summary).toContain(why);
    expect(blind.verdict).toBe('unknown');
  });

  it('keeps what it found elsewhere above what it does not know', () => {
    const report = examine('c', {
      ...healthy,
      etcd: unknown('no endpoints'),
      api: read({ url: 'x', ready: false }),
    });
    expect(report.verdict).toBe('errors');
    expect(report.checks.find(({ check }) => check === 'etcd')).toMatchObject({ state: 'unknown' });
  });

  it('does not judge what is not there, nor a control plane that somebody else runs', () => {
    const report = examine('c', {
      ...healthy,
      masterPools: [],
      leases: none('hosted'),
      etcd: none('hosted'),
      components: none('hosted'),
    });
    const states = Object.fromEntries(report.checks.map(({ check, state }) => [check, state]));
    expect(states).toMatchObject({
      masters: 'not-applicable',
      leaders: 'not-applicable',
      etcd: 'not-applicable',
    });
    expect(report.verdict).toBe('ok');
  });

  it('puts the worst first', () => {
    const report = examine('c', {
      ...healthy,
      ...leases({ holder: '' }),
      workloads: read([{ name: 'Deployment a/b', replicas: 1, surges: false }]),
      backups: read([]),
    });
    expect(report.findings.map(({ severity }) => severity)).toEqual(['critical', 'error', 'info']);
  });
});
