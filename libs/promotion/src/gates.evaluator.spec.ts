import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hours } from '#kernel';
import { advanceChannel } from './channel.advance.js';
import { classifyArrival, enterChannel } from './arrival.js';
import { evaluateGates, withGates, type GateInput } from './gates.evaluator.js';
import { channelPolicy, converged, entry, facts, revision, run, T0 } from './testing.fixtures.js';

const target = channelPolicy({
  name: 'stable',
  from: 'beta',
  gates: {
    converged: { coverage: 95, maxOffline: 1 },
    conformance: { suites: ['live'], clusters: 'all' },
    soak: hours(2),
    approvals: { required: 2, roles: ['approver'], authorMayApprove: false },
    backup: { maxAge: hours(24) },
    windows: [{ days: [1, 2, 3, 4], start: 480, end: 960, tz: 'UTC' }],
  },
});
const source = entry({ phase: 'eligible', convergedAt: T0, verifiedAt: T0, soakingSince: T0 });
const approval = (by: string, more = {}) =>
  ({
    channel: 'stable',
    treeDigest: revision.treeDigest,
    decision: 'approve',
    by,
    roles: ['approver'],
    at: T0,
    ...more,
  }) as const;
const input = (more: Partial<GateInput> = {}): GateInput => ({
  target,
  revision,
  source,
  clusters: [converged('a'), converged('b')],
  runs: [run('a', 'live'), run('b', 'live')],
  holds: [],
  approvals: [approval('bob'), approval('eve')],
  outside: [{ gate: 'backup', name: 'etcd', state: 'pass', message: 'newest backup is 1h old' }],
  targetHead: 'b'.repeat(40),
  now: T0 + hours(2),
  ...more,
});
const failing = (more: Partial<GateInput>): readonly string[] =>
  evaluateGates(input(more))
    .reasons.filter((one) => one.state !== 'pass')
    .map((one) => `${one.gate} ${one.state}: ${one.message}`);

describe('evaluateGates', () => {
  it('is eligible when all gates pass, and shows each', () => {
    const evaluation = evaluateGates(input());
    expect(evaluation).toMatchObject({ eligible: true, already: false, manual: false });
    expect(evaluation.reasons.map((one) => one.gate)).toEqual([
      'source',
      'converged',
      'conformance',
      'conformance',
      'soak',
      'backup',
      'windows',
      'approvals',
    ]);
    expect(evaluateGates(input({ targetHead: revision.commit })).already).toBe(true);
  });

  it.each<[string, Partial<GateInput>, string]>([
    ['never seen', { source: undefined }, 'source fail: this content was never seen in beta'],
    ['held', { source: entry({ phase: 'held', admitted: false }) }, 'source fail: it is held in beta'],
    ['superseded', { source: { ...source, phase: 'superseded' } }, 'source fail: it is superseded in beta'],
    [
      'not converged',
      { clusters: [converged('a'), facts('b')] },
      'converged pending: 1 of 2 reachable clusters run it in health; missing: b',
    ],
    [
      'too many offline',
      { clusters: [converged('a'), facts('b', { unreachable: true }), facts('c', { unreachable: true })] },
      'converged pending: 1 of 1 reachable clusters run it in health; 2 offline (at most 1 allowed): b, c',
    ],
    ['nobody there', { clusters: [] }, 'converged pending: no cluster is in the channel'],
    ['no run', { runs: [run('a', 'live')] }, 'conformance pending: live on b: not run yet'],
    [
      'failed run',
      { runs: [run('a', 'live'), run('b', 'live', { verdict: 'fail', reason: 'no-tests' })] },
      'conformance fail: live on b: no-tests',
    ],
    [
      'evidence of another content',
      { runs: [run('a', 'live'), run('b', 'live', { treeDigest: 'sha256:x' })] },
      'conformance pending: live on b: not run yet',
    ],
    [
      'another Kubernetes version',
      {
        clusters: [converged('a'), converged('b', { serverVersion: 'v2' })],
        runs: [run('a', 'live'), run('b', 'live', { serverVersion: 'v1' })],
      },
      'conformance pending: live on b: not run yet',
    ],
    ['soak', { now: T0 + hours(1) }, 'soak pending: 1h of 2h left'],
    [
      'soak interrupted',
      { clusters: [converged('a'), converged('b', { since: T0 + hours(1) })] },
      'soak pending: 1h of 2h left',
    ],
    [
      'clock behind',
      {
        now: T0 - hours(1),
        target: channelPolicy({ name: 'stable', from: 'beta', gates: { soak: hours(2) } }),
      },
      'soak pending: 2h of 2h left',
    ],
    [
      'no backup data',
      { outside: [] },
      'backup pending: no backup of the clusters of stable is known: none is configured (config item backup_providers), and none was reported',
    ],
    [
      'window',
      { now: T0 + hours(9) },
      'windows pending: outside of the windows Mon,Tue,Wed,Thu 08:00-16:00 UTC',
    ],
    [
      'one approver twice',
      { approvals: [approval('bob'), approval('bob')] },
      'approvals pending: 1 of 2 approvals (bob): a person with role approver must approve',
    ],
    [
      'author',
      { approvals: [approval('bob'), approval(revision.author)] },
      'approvals pending: 1 of 2 approvals (bob): a person with role approver must approve',
    ],
    [
      'wrong role',
      { approvals: [approval('bob'), approval('eve', { roles: ['viewer'] })] },
      'approvals pending: 1 of 2 approvals (bob): a person with role approver must approve',
    ],
    [
      'rejection',
      { approvals: [approval('bob'), approval('eve'), approval('max', { decision: 'reject' })] },
      'approvals fail: rejected by max',
    ],
    [
      'approval of other content',
      { approvals: [approval('bob'), approval('eve', { treeDigest: 'x' })] },
      'approvals pending: 1 of 2 approvals (bob): a person with role approver must approve',
    ],
    [
      'approval on other evidence',
      { approvals: [approval('bob'), approval('eve', { evidenceDigest: 'x' })] },
      'approvals pending: 1 of 2 approvals (bob): a person with role approver must approve',
    ],
    [
      'target paused',
      { targetPaused: 'history-rewritten' },
      'paused fail: stable is paused: history-rewritten',
    ],
    [
      'hold',
      {
        holds: [
          {
            id: 'h',
            scope: { kind: 'channel', channel: 'stable' },
            reason: 'incident',
            owner: 'ops',
            createdAt: T0,
          },
        ],
      },
      'held fail: held by ops: incident',
    ],
  ])('stops: %s', (_name, more, expected) => {
    expect(failing(more)).toContain(expected);
    expect(evaluateGates(input(more)).eligible).toBe(false);
  });

  it('returns all reasons at once and the first time that something can change', () => {
    const evaluation = evaluateGates(input({ now: T0 + hours(1), approvals: [], outside: [] }));
    expect(evaluation.reasons.filter((one) => one.state !== 'pass').map((one) => one.gate)).toEqual([
      'soak',
      'backup',
      'approvals',
    ]);
    expect(evaluation.nextChangeAt).toBe(T0 + hours(2));
    expect(evaluateGates(input({ approvals: [] })).awaitingApproval).toBe(true);
    expect(withGates(source, evaluateGates(input({ approvals: [] }))).phase).toBe('awaiting-approval');
  });

  it('agrees with the channel about soak for any history of health', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.record({
            since: fc.integer({ min: -hours(3), max: hours(5) }),
            healthy: fc.boolean(),
            unreachable: fc.boolean(),
          }),
          { minLength: 1, maxLength: 6 },
        ),
        fc.integer({ min: 0, max: hours(6) }),
        (states, later) => {
          const clusters = states.map((state, index) =>
            converged(`c${index}`, { ...state, since: T0 + state.since }),
          );
          const soakOnly = channelPolicy({ name: 'stable', from: 'beta', gates: { soak: hours(2) } });
          const now = T0 + later;
          const looked = advanceChannel({
            policy: channelPolicy(),
            next: soakOnly,
            revision,
            entry: source,
            clusters,
            holds: [],
            runs: [],
            requiredSuites: [],
            now,
          });
          const evaluation = evaluateGates(input({ target: soakOnly, clusters, runs: [], now }));
          expect(looked.entry.phase === 'eligible').toBe(evaluation.eligible);
          if (evaluation.eligible) {
            const well = clusters.filter((one) => !one.unreachable);
            expect(well.every((one) => one.healthy && now - one.since >= hours(2))).toBe(true);
            expect(later).toBeGreaterThanOrEqual(hours(2));
          }
        },
      ),
    );
  });
});

describe('classifyArrival', () => {
  const base = { policy: target, revision, promotedByUs: false, earlierHere: [], now: T0 + hours(2) };
  it('lets in what has its evidence and holds the rest with reasons', () => {
    expect(
      classifyArrival({ ...base, policy: channelPolicy({ name: 'dev', from: undefined as never }) }).kind,
    ).toBe('admitted');
    expect(classifyArrival({ ...base, promotedByUs: true }).kind).toBe('admitted');
    expect(classifyArrival({ ...base, evaluation: evaluateGates(input()) }).kind).toBe('admitted');
    expect(
      classifyArrival({ ...base, earlierHere: [{ admitted: true, phase: 'promoted', convergedAt: T0 }] })
        .kind,
    ).toBe('admitted');
    const early = classifyArrival({ ...base, evaluation: evaluateGates(input({ now: T0 + hours(1) })) });
    expect(early).toMatchObject({ kind: 'held', reasons: [{ gate: 'soak', nextChangeAt: T0 + hours(2) }] });
    const unseen = classifyArrival(base);
    expect(unseen).toMatchObject({ kind: 'held' });
    expect(enterChannel(revision, 'stable', unseen, T0)).toMatchObject({ phase: 'held', admitted: false });
  });

  it('lets the glass be broken, loudly, until it expires', () => {
    const brokenGlass = { by: 'eve', reason: 'outage', expiresAt: T0 + hours(3) };
    expect(classifyArrival({ ...base, brokenGlass })).toMatchObject({
      kind: 'admitted',
      note: { type: 'glass.used', severity: 'critical' },
    });
    expect(classifyArrival({ ...base, brokenGlass: { ...brokenGlass, expiresAt: T0 } }).kind).toBe('held');
  });
});
