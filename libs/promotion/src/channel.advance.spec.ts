import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hours, minutes } from '#kernel';
import { advanceChannel, type Advance, type AdvanceInput } from './channel.advance.js';
import type { ClusterFacts } from './cluster-facts.js';
import { channelPolicy, converged, entry, facts, revision, run, T0 } from './testing.fixtures.js';
import { planWaves, rolloutOrder } from './waves.planner.js';

const input = (more: Partial<AdvanceInput>): AdvanceInput => ({
  policy: channelPolicy(),
  revision,
  entry: entry(),
  clusters: [],
  holds: [],
  runs: [],
  requiredSuites: [],
  now: T0,
  ...more,
});

const count = (value: number) => ({ kind: 'count', value }) as const;
const percent = (value: number) => ({ kind: 'percent', value }) as const;

describe('waves', () => {
  it('order canary, criticality, test before production, stable hash', () => {
    const clusters = [
      facts('prod-1'),
      facts('prod-critical', { criticality: 3 }),
      facts('test-1', { environment: 'test' }),
      facts('canary', { canary: true, criticality: 3 }),
    ];
    expect(rolloutOrder(clusters).map((one) => one.id)).toEqual([
      'canary',
      'test-1',
      'prod-1',
      'prod-critical',
    ]);
    expect(rolloutOrder([...clusters].reverse()).map((one) => one.id)).toEqual([
      'canary',
      'test-1',
      'prod-1',
      'prod-critical',
    ]);
  });

  it('are cumulative, drop empty ones and leave nobody out', () => {
    const many = Array.from({ length: 75 }, (_, index) => facts(`c${index}`));
    expect(
      planWaves({ waves: [count(1), percent(10), percent(50), percent(100)] }, many).map(
        (wave) => wave.clusterIds.length,
      ),
    ).toEqual([1, 7, 30, 37]);
    expect(
      planWaves({ waves: [count(1), percent(10), percent(50)] }, many.slice(0, 2)).map(
        (wave) => wave.clusterIds.length,
      ),
    ).toEqual([1, 1]);
    expect(planWaves({ waves: [count(1)] }, many.slice(0, 3)).map((wave) => wave.clusterIds.length)).toEqual([
      1, 2,
    ]);
    expect(planWaves({ waves: [count(1)] }, [facts('x', { phase: 'decommissioned' })])).toEqual([]);
  });
});

describe('advanceChannel', () => {
  const next = channelPolicy({
    name: 'stable',
    from: 'beta',
    gates: { converged: { coverage: 100 }, soak: hours(2) },
  });

  it('goes from seen to eligible', () => {
    const waves = channelPolicy({ waves: [count(1), percent(100)], wavePause: minutes(5) });
    const required = [{ suite: 'quick', clusters: 'all' as const }];
    const ids = rolloutOrder([facts('a'), facts('b')]).map((one) => one.id) as [string, string];
    const base = { policy: waves, next, requiredSuites: required };
    let state = advanceChannel(input({ ...base, clusters: ids.map((id) => facts(id)) }));
    expect(state).toMatchObject({ admit: [ids[0]], entry: { phase: 'deploying', wave: 1, waves: 2 } });
    const one = [converged(ids[0]), facts(ids[1])];
    state = advanceChannel(input({ ...base, entry: state.entry, clusters: one, now: T0 + minutes(1) }));
    expect(state).toMatchObject({ admit: [], recheckIn: 5_000 });
    state = advanceChannel(input({ ...base, entry: state.entry, clusters: one, now: T0 + minutes(5) }));
    expect(state).toMatchObject({ admit: [ids[1]], entry: { wave: 2 } });
    const both = ids.map((id) => converged(id, { since: T0 + minutes(9) }));
    state = advanceChannel(input({ ...base, entry: state.entry, clusters: both, now: T0 + minutes(10) }));
    expect(state.entry).toMatchObject({ phase: 'verifying', convergedAt: T0 + minutes(10) });
    expect(state.startRuns).toEqual(ids.map((clusterId) => ({ clusterId, suite: 'quick', attempt: 1 })));
    const runs = ids.map((id) => run(id, 'quick'));
    state = advanceChannel(
      input({ ...base, entry: state.entry, clusters: both, runs, now: T0 + minutes(20) }),
    );
    expect(state.entry).toMatchObject({
      phase: 'soaking',
      verifiedAt: T0 + minutes(20),
      soakingSince: T0 + minutes(20),
    });
    state = advanceChannel(
      input({ ...base, entry: state.entry, clusters: both, runs, now: T0 + minutes(20) + hours(2) - 1 }),
    );
    expect(state.entry.phase).toBe('soaking');
    state = advanceChannel(
      input({ ...base, entry: state.entry, clusters: both, runs, now: T0 + minutes(20) + hours(2) }),
    );
    expect(state.entry.phase).toBe('eligible');
    expect(state.notes.map((note) => note.type)).toEqual(['revision.eligible']);
  });

  it('starts soak again after degraded health, also when it was over between two looks', () => {
    const soaking = entry({
      phase: 'soaking',
      wave: 1,
      waves: 1,
      convergedAt: T0,
      verifiedAt: T0,
      soakingSince: T0,
    });
    const sick = advanceChannel(
      input({
        next,
        entry: soaking,
        clusters: [converged('a', { healthy: false, since: T0 + hours(1) })],
        now: T0 + hours(1),
      }),
    );
    expect(sick.entry).toMatchObject({ phase: 'soaking', verifiedAt: T0 });
    expect(sick.entry.soakingSince).toBeUndefined();
    expect(sick.notes.map((note) => note.type)).toEqual(['soak.reset']);
    const well = advanceChannel(
      input({
        next,
        entry: soaking,
        clusters: [converged('a', { since: T0 + hours(1) })],
        now: T0 + hours(2),
      }),
    );
    expect(well.entry).toMatchObject({ phase: 'soaking', soakingSince: T0 + hours(1) });
    const offline = advanceChannel(
      input({
        next,
        entry: soaking,
        clusters: [converged('a'), converged('b', { unreachable: true, since: T0 + hours(1) })],
        now: T0 + hours(2),
      }),
    );
    expect(offline.entry.phase).toBe('eligible');
  });

  it('retries inconclusive runs at most twice and never failed ones', () => {
    const at = entry({ phase: 'verifying', wave: 1, convergedAt: T0 });
    const required = [{ suite: 'quick', clusters: 'all' as const }];
    const look = (runs: AdvanceInput['runs']): Advance =>
      advanceChannel(input({ next, entry: at, clusters: [converged('a')], requiredSuites: required, runs }));
    const lost = (attempt: number) =>
      run('a', 'quick', { attempt, verdict: 'inconclusive', reason: 'node-lost', createdAt: T0 + attempt });
    expect(look([lost(1)]).startRuns).toEqual([{ clusterId: 'a', suite: 'quick', attempt: 2 }]);
    expect(look([lost(1), lost(2), lost(3)])).toMatchObject({ startRuns: [], entry: { phase: 'failed' } });
    const failed = look([
      run('a', 'quick', { verdict: 'fail', reason: 'tests-failed', failedTests: ['t1'] }),
    ]);
    expect(failed).toMatchObject({ startRuns: [], entry: { phase: 'failed' } });
    expect(failed.notes[0]?.message).toContain('quick on a: tests-failed (1): t1');
    const other = look([
      run('a', 'quick', { treeDigest: 'sha256:other' }),
      run('a', 'quick', { desiredDigest: 'sha256:other' }),
    ]);
    expect(other.startRuns).toHaveLength(1);
  });

  it('does not lose a failed run when its cluster goes away', () => {
    const required = [{ suite: 'quick', clusters: 'all' as const }];
    const runs = [run('a', 'quick', { verdict: 'fail' }), run('b', 'quick')];
    const clusters = [converged('a', { unreachable: true }), converged('b')];
    expect(
      advanceChannel(
        input({
          next,
          entry: entry({ phase: 'verifying', convergedAt: T0 }),
          clusters,
          requiredSuites: required,
          runs,
        }),
      ).entry.phase,
    ).toBe('failed');
  });

  it('sets offline and held clusters apart', () => {
    const policy = channelPolicy({ waves: [count(2), percent(100)] });
    const order = rolloutOrder(['a', 'b', 'c'].map((id) => facts(id))).map((one) => one.id) as [
      string,
      string,
      string,
    ];
    const clusters = [converged(order[0]), facts(order[1], { unreachable: true }), facts(order[2])];
    expect(advanceChannel(input({ policy, entry: entry({ wave: 1 }), clusters })).admit).toEqual([order[2]]);
    const hold = {
      id: 'h',
      scope: { kind: 'cluster', clusterId: order[2] },
      reason: 'sale',
      owner: 'ops',
      createdAt: T0,
    } as const;
    expect(
      advanceChannel(input({ policy, entry: entry({ wave: 1 }), clusters, holds: [hold] })).admit,
    ).toEqual([]);
    const fleet = { ...hold, scope: { kind: 'fleet' } } as const;
    expect(advanceChannel(input({ policy, clusters, holds: [fleet] })).entry.reasons[0]).toMatchObject({
      gate: 'held',
      message: 'held by ops: sale',
    });
    const dark = clusters.map((one) => ({ ...one, unreachable: true }));
    expect(advanceChannel(input({ policy, entry: entry({ wave: 1 }), clusters: dark })).entry).toMatchObject({
      phase: 'deploying',
      wave: 1,
    });
  });

  it('does not move what is held, and starts no cluster outside of the windows', () => {
    expect(
      advanceChannel(input({ entry: entry({ phase: 'held', admitted: false }), clusters: [facts('a')] }))
        .admit,
    ).toEqual([]);
    const night = channelPolicy({
      gates: { windows: [{ days: [1, 2, 3, 4, 5, 6, 7], start: 0, end: 60, tz: 'UTC' }] },
    });
    const waiting = advanceChannel(input({ policy: night, clusters: [facts('a')] }));
    expect(waiting).toMatchObject({ admit: [], entry: { phase: 'seen' } });
    expect(waiting.entry.reasons[0]).toMatchObject({
      gate: 'windows',
      nextChangeAt: Date.parse('2026-06-02T00:00:00Z'),
    });
  });

  it('never has more clusters broken or in flight than its limits, in any order of events', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 0, max: 4 }),
        fc.integer({ min: 1, max: 6 }),
        fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })),
        (size, failureBudget, maxUnavailable, chance) => {
          const policy = channelPolicy({
            waves: [count(1), percent(20), percent(100)],
            failureBudget,
            maxUnavailable: count(maxUnavailable),
          });
          let clusters: readonly ClusterFacts[] = Array.from({ length: size }, (_, index) =>
            facts(`c${index}`),
          );
          let current = entry();
          let paused: string | undefined;
          for (let step = 0; step < 120; step += 1) {
            const look = advanceChannel(
              input({ policy, entry: current, clusters, paused, now: T0 + step * 1000 }),
            );
            current = look.entry;
            paused ??= look.pause?.reason;
            clusters = clusters.map((one) => settle(one, look.admit, chance));
            const touched = clusters.filter((one) => one.admittedRevisionId !== undefined && !one.onRevision);
            expect(touched.length).toBeLessThanOrEqual(Math.max(1, failureBudget));
            expect(touched.length).toBeLessThanOrEqual(Math.max(1, maxUnavailable));
            if (paused !== undefined) expect(look.admit).toEqual([]);
          }
        },
      ),
      { numRuns: 60 },
    );
  });
});

function settle(one: ClusterFacts, admit: readonly string[], chance: Iterator<number>): ClusterFacts {
  const draw = (): number => Number(chance.next().value);
  if (admit.includes(one.id)) return { ...one, admittedRevisionId: revision.id, phase: 'updating' };
  if (one.phase !== 'updating' || draw() < 0.5) return one;
  return draw() < 0.2 ? { ...one, phase: 'failed' } : { ...one, phase: 'ready', onRevision: true, since: T0 };
}
