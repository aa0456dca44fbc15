import { describe, expect, it } from 'vitest';
import type { FailureClass, Outcome } from '#kernel';
import { done, failed, waiting } from '#kernel';
import type { ClusterPhase, ClusterStatus, StepKind, Update } from '#fleet';
import { summarise, type StepRun, type SummaryInput } from './summarise.js';

const STEPS: readonly StepKind[] = ['validate', 'manifests', 'verify'];
const update: Update = { id: 'u1', clusterId: 'c1', kind: 'update', state: 'running', startedAt: 0 };
const decommission: Update = { ...update, kind: 'decommission' };

const run = (kind: StepKind, outcome: Outcome): StepRun => ({ kind, outcome });
const ALL_DONE = STEPS.map((kind) => run(kind, done('fine')));

const summary = (over: Partial<SummaryInput>) =>
  summarise({
    clusterId: 'c1',
    channel: 'dev',
    previous: undefined,
    update,
    steps: STEPS,
    runs: [],
    nodes: [],
    warnings: [],
    now: 1_000,
    ...over,
  });

const failure = (kind: FailureClass) =>
  failed({ class: kind, code: 'some-code', message: 'it broke', hint: 'mend it' });

const blocked = (by: string): Outcome => ({ kind: 'blocked', by, unblock: 'do this', recheckIn: 0 });

describe('the phase', () => {
  it.each<[string, readonly StepRun[], Update, ClusterPhase]>([
    ['nothing ran', [], update, 'pending'],
    ['some steps are done', [run('validate', done('fine'))], update, 'updating'],
    ['all steps are done', ALL_DONE, update, 'ready'],
    ['all steps of a decommission are done', ALL_DONE, decommission, 'decommissioned'],
    ['it waits', [run('validate', waiting('a stack', 1))], update, 'updating'],
    ['a decommission waits', [run('validate', waiting('a stack', 1))], decommission, 'decommissioning'],
    ['a budget blocks', [run('validate', blocked('PDB web'))], update, 'blocked'],
    ['a hold', [run('validate', blocked('hold'))], update, 'held'],
    ['transient', [run('validate', failure('transient'))], update, 'waiting'],
    ['throttled', [run('validate', failure('throttled'))], update, 'waiting'],
    ['conflict', [run('validate', failure('conflict'))], update, 'waiting'],
    ['blocked', [run('validate', failure('blocked'))], update, 'blocked'],
    ['invalid', [run('validate', failure('invalid'))], update, 'stalled'],
    ['denied', [run('validate', failure('denied'))], update, 'stalled'],
    ['terminal', [run('validate', failure('terminal'))], update, 'failed'],
    ['bug', [run('validate', failure('bug'))], update, 'halted'],
  ])('%s', (_what, runs, of, phase) => {
    expect(summary({ runs, update: of }).status.phase).toBe(phase);
  });
});

describe('versions', () => {
  const before = (over: Partial<ClusterStatus> = {}): ClusterStatus => ({
    ...summary({ runs: ALL_DONE, commit: 'a' }).status,
    ...over,
  });

  it('move on when the update is finished, and only then', () => {
    const runs = [run('validate', waiting('x', 1))];
    expect(summary({ previous: before(), runs, commit: 'b' }).status).toMatchObject({
      currentVersion: 'a',
      nextVersion: 'b',
    });
    const after = summary({ previous: before(), runs: ALL_DONE, commit: 'b' }).status;
    expect(after).toMatchObject({ currentVersion: 'b', lastVersion: 'a' });
    expect(after.nextVersion).toBeUndefined();
  });

  it('stay when the same commit is verified again', () => {
    const again = summary({ previous: before({ lastVersion: 'z' }), runs: ALL_DONE, commit: 'a' }).status;
    expect(again).toMatchObject({ currentVersion: 'a', lastVersion: 'z' });
  });
});

describe('problems and events', () => {
  const broken = [run('validate', failure('invalid'))];

  it('a problem is told once, keeps its first time, and is told again when it is gone', () => {
    const first = summary({ runs: broken, now: 1_000 });
    expect(first.events.map(({ type }) => type)).toEqual(['problem.raised', 'cluster.stalled']);
    const second = summary({ runs: broken, now: 2_000, previous: first.status });
    expect(second.events).toEqual([]);
    expect(second.status.problems[0]).toMatchObject({ firstSeen: 1_000, lastSeen: 2_000, hint: 'mend it' });
    expect(second.status.consecutiveFailures).toBe(2);
    const third = summary({ runs: ALL_DONE, now: 3_000, previous: second.status });
    expect(third.events.map(({ type }) => type)).toEqual(['problem.resolved', 'cluster.ready']);
    expect(third.status).toMatchObject({ problems: [], consecutiveFailures: 0, since: 3_000 });
  });

  it('gives the same words for the same pass', () => {
    expect(summary({ runs: broken })).toEqual(summary({ runs: broken }));
  });

  it('carries the time left and what it counts on, until the end', () => {
    const left = { etaMs: 7_000, etaIf: 'PDB default/shop lets worker-1 go' };
    expect(summary({ runs: [run('validate', waiting('nodes', 1))], ...left }).status).toMatchObject(left);
    const { status } = summary({ runs: ALL_DONE, ...left });
    expect([status.etaMs, status.etaIf]).toEqual([undefined, undefined]);
  });

  it('says of a block who could end it', () => {
    const { status } = summary({ runs: [run('validate', blocked('PDB web'))] });
    expect(status.message).toBe('validate: blocked by PDB web. do this');
    expect(status.problems[0]).toMatchObject({ detail: 'blocked by PDB web', hint: 'do this' });
  });
});

describe('steps', () => {
  it('keep their times within one update and begin again with the next', () => {
    const first = summary({ runs: [run('validate', done('fine'))], now: 1_000 }).status;
    const second = summary({ runs: ALL_DONE, now: 2_000, previous: first }).status;
    expect(second.steps[0]).toMatchObject({ state: 'done', startedAt: 1_000, finishedAt: 1_000 });
    const next = summary({ runs: ALL_DONE, now: 3_000, previous: second, update: { ...update, id: 'u2' } });
    expect(next.status.steps[0]).toMatchObject({ startedAt: 3_000, finishedAt: 3_000 });
    expect(first.steps.map(({ state }) => state)).toEqual(['done', 'pending', 'pending']);
  });
});
