import { describe, expect, it } from 'vitest';
import { outsideGates, QUOTA_CHECK, RENDER_CHECK, SKEW_CHECK, type OutsideInput } from './outside.gates.js';
import { channelPolicy, converged, facts } from './testing.fixtures.js';

const trouble = (code: string, severity: 'warning' | 'error' | 'critical' = 'error') => ({
  troubles: [{ code, severity, message: `${code} is there` }],
});
const check = { name: 'errors', promql: 'sum(errors)', max: 1 } as const;

const said = (gates: object, more: Partial<OutsideInput> = {}): readonly string[] =>
  outsideGates({
    target: channelPolicy({ gates }),
    clusters: [converged('a'), converged('b')],
    outside: [],
    ...more,
  }).map((one) => `${one.gate} ${one.state}: ${one.message}`);

describe('health', () => {
  it.each<[string, Partial<OutsideInput>, string]>([
    ['well', {}, 'health pass: 2 clusters of alpha are well'],
    [
      'warnings do not count',
      { clusters: [converged('a', trouble('x', 'warning'))] },
      'health pass: 1 cluster of',
    ],
    [
      'one in trouble',
      { clusters: [converged('a'), converged('b', trouble('stack-failed'))] },
      'health fail: 1 of 2 clusters of alpha are in trouble: b (stack-failed is there)',
    ],
    [
      'one unhealthy',
      { clusters: [converged('a'), converged('b', { healthy: false, phase: 'blocked' })] },
      'health fail: 1 of 2 clusters of alpha are in trouble: b (blocked)',
    ],
    [
      'nobody in reach',
      { clusters: [converged('a', { unreachable: true })] },
      'health pending: no data: no cluster of alpha can be reached',
    ],
  ])('%s', (_name, more, expected) => {
    expect(said({ health: { checks: [] } }, more)[0]).toContain(expected);
  });

  it('leaves out what coverage leaves out', () => {
    const clusters = [
      ...Array.from({ length: 19 }, (_, index) => converged(`c${index}`)),
      facts('bad', trouble('y')),
    ];
    const gates = { health: { checks: [] }, converged: { coverage: 95 } };
    expect(said(gates, { clusters })).toEqual([
      'health pass: 19 clusters of alpha are well, bad left out by coverage',
    ]);
  });

  it('asks every check of the policy; silence is no pass', () => {
    const gates = { health: { checks: [check, { name: 'probe', url: 'https://x.example' }] } };
    const outside = [
      { gate: 'health', name: 'errors', state: 'fail', message: '7 (at most 1 is well)' },
    ] as const;
    expect(said(gates, { outside })).toEqual([
      'health pass: 2 clusters of alpha are well',
      'health fail: errors: 7 (at most 1 is well)',
      'health pending: probe: no answer yet',
    ]);
  });
});

describe('preflight', () => {
  const skew = { gate: 'preflight', name: SKEW_CHECK, state: 'pass', message: 'ok' } as const;
  const renders = { gate: 'preflight', name: RENDER_CHECK, state: 'pass', message: 'ok' } as const;
  const told = (targetClusters: OutsideInput['targetClusters']) =>
    said({ preflight: {} }, { targetClusters, outside: [skew, renders] })[0];

  it('is about the clusters that would get it', () => {
    expect(told([facts('t1'), facts('t2', { unreachable: true })])).toBe(
      'preflight pass: 1 cluster of beta can take an update, 1 out of reach',
    );
    expect(told([facts('t1', { unreachable: true })])).toContain('preflight pending: no data');
    expect(told([facts('t1'), facts('t2', trouble('pdb-never-allows', 'warning'))])).toBe(
      'preflight fail: 1 of 2 clusters of beta cannot take an update: t2 (pdb-never-allows is there)',
    );
    // What a cluster is in trouble with otherwise, an update may be the cure of.
    expect(told([facts('t1', trouble('component-unhealthy'))])).toContain('preflight pass');
    expect(said({ preflight: {} }, { targetClusters: [facts('t1')] })).toContain(
      'preflight pending: version-skew: not looked at yet',
    );
    expect(said({ preflight: {} }, { targetClusters: [facts('t1')], outside: [skew] })).toContain(
      'preflight pending: render: not looked at yet',
    );
    expect(said({ preflight: {} }, { targetClusters: [facts('t1')], outside: [skew, renders] })).toContain(
      `preflight pending: ${QUOTA_CHECK}: not looked at yet`,
    );
    const short = {
      gate: 'preflight',
      name: QUOTA_CHECK,
      state: 'fail',
      message: 't1: not one more',
    } as const;
    expect(
      said({ preflight: {} }, { targetClusters: [facts('t1')], outside: [skew, renders, short] }),
    ).toContain('preflight fail: quota: t1: not one more');
  });
});

describe('backup', () => {
  const gates = { backup: { maxAge: 1 } };
  const fact = (alias: string, configured: boolean, fresh: boolean) => ({
    alias,
    configured,
    fresh,
    message: 'why',
  });
  const reported = { gate: 'backup', name: 'velero', state: 'pass', message: 'done' } as const;

  it('needs a fresh one of every cluster, ours or reported', () => {
    expect(said(gates)[0]).toContain('backup pending: no backup of the clusters of beta is known');
    expect(said(gates, { outside: [reported] })).toEqual(['backup pass: velero: done']);
    expect(said(gates, { backups: [fact('s1', true, true)] })).toEqual([
      'backup pass: 1 cluster of beta has a fresh backup',
    ]);
    expect(
      said(gates, { backups: [fact('s1', true, false), fact('s2', true, true)], outside: [reported] }),
    ).toEqual([
      'backup pass: velero: done',
      'backup pending: 1 of 2 clusters of beta have no fresh backup: s1 (why)',
    ]);
    expect(said(gates, { backups: [fact('s1', true, true), fact('s2', false, false)] })[1]).toContain(
      'backup pending: no backup of 1 cluster of beta is known',
    );
  });
});
