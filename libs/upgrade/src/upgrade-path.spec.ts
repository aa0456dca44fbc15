import { describe, expect, it } from 'vitest';
import { checkSkew } from './skew.js';
import type { UpgradePath } from './types.js';
import { upgradePath } from './upgrade-path.js';

const words = (current: string, target: string, workers: readonly string[]): readonly string[] => {
  const path = upgradePath(current, target, workers);
  if (!path.ok) return [path.error.message];
  return path.value.steps.map((step) => `${step.kind === 'workers' ? 'workers' : 'plane'} ${step.to}`);
};

type Minors = readonly number[];

/** The skew policy once more, written as the table of kubernetes.io says it, so that the check is not proven by itself. */
const legal = (low: number, high: number, workers: Minors): boolean =>
  high - low <= 1 && workers.every((w) => w <= low && high - w <= (w >= 25 ? 3 : 2));

/** Fewest worker rolls over every order of legal moves: API servers minor by minor, each pool to anything it may run. */
function bruteForce(start: { low: number; high: number; workers: Minors }, target: number): number {
  const best = new Map<string, number>();
  let fewest = Number.POSITIVE_INFINITY;
  const visit = (low: number, high: number, workers: Minors, rolls: number): void => {
    const key = `${low} ${high} ${workers.join(' ')}`;
    if (!legal(low, high, workers) || rolls >= fewest || (best.get(key) ?? 99) <= rolls) return;
    best.set(key, rolls);
    if (low === target && high === target && workers.every((w) => w === target)) {
      fewest = rolls;
      return;
    }
    if (low < high) visit(high, high, workers, rolls);
    else if (high < target) visit(low, high + 1, workers, rolls);
    workers.forEach((w, index) => {
      for (let to = w + 1; to <= low; to += 1)
        visit(
          low,
          high,
          workers.map((old, i) => (i === index ? to : old)),
          rolls + 1,
        );
    });
  };
  visit(start.low, start.high, start.workers, 0);
  return fewest;
}

const minorIn = (text: string): number => Number(text.split('.')[1]);
const apiServers = (...minors: Minors): readonly string[] => minors.map((minor) => `1.${minor}.0`);

/** Walks the plan: every state during and after every step must be legal. Returns the last one. */
function walk(path: UpgradePath, start: { low: number; high: number; workers: Minors }) {
  let { low, high, workers } = start;
  let rolls = 0;
  for (const step of path.steps) {
    const to = minorIn(step.to);
    if (step.kind === 'control-plane') {
      expect(to - low, 'no minor is skipped').toBeLessThanOrEqual(1);
      high = Math.max(high, to);
      expect(legal(low, high, workers), `during ${step.from}→${step.to}`).toBe(true);
      low = to;
    } else {
      const from = step.from.map(minorIn);
      rolls += workers.filter((w) => from.includes(w)).length;
      expect(legal(low, high, [...workers, to]), `during workers →${step.to}`).toBe(true);
      workers = workers.map((w) => (from.includes(w) ? to : w));
    }
    expect(legal(low, high, workers), `after ${step.to}`).toBe(true);
    const kubelets = workers.map((w) => ({ name: `w${w}`, version: `1.${w}.0` }));
    expect(checkSkew({ apiServers: apiServers(low, high), kubelets })).toEqual([]);
    expect(step.proof.length).toBe(3);
  }
  return { low, high, workers, rolls };
}

describe('upgradePath', () => {
  it('is the chain of the design for 1.29 → 1.33', () => {
    expect(words('1.29', '1.33', ['1.29'])).toEqual([
      'plane 1.30',
      'plane 1.31',
      'plane 1.32',
      'workers 1.32',
      'plane 1.33',
      'workers 1.33',
    ]);
  });

  it('does nothing where nothing is to be done', () =>
    expect(words('1.36.0', '1.36.0', ['1.36.0'])).toEqual([]));

  it('takes a patch in one step, and names no point of no return', () => {
    const path = upgradePath('v1.36.0', 'v1.36.4', ['v1.36.0']);
    expect(path).toMatchObject({
      ok: true,
      value: {
        steps: [
          { kind: 'control-plane', from: 'v1.36.0', to: 'v1.36.4', pointOfNoReturn: false },
          { kind: 'workers', from: ['v1.36.0'], to: 'v1.36.4' },
        ],
        workerRolls: 1,
      },
    });
    expect(path.ok && path.value.pointOfNoReturn).toBeUndefined();
  });

  const table = [];
  for (let low = 28; low <= 36; low += 1)
    for (let high = low; high <= Math.min(36, low + 1); high += 1)
      for (let behind = 0; behind <= 4; behind += 1) table.push({ low, high, worker: low - behind });

  it.each(table)(
    'API servers 1.$low and 1.$high with workers 1.$worker: legal at every moment, fewest rolls',
    ({ low, high, worker }) => {
      const start = { low, high, workers: [worker] };
      for (let target = high; target <= 36; target += 1) {
        const path = upgradePath(apiServers(low, high), `1.${target}.0`, [`1.${worker}.0`]);
        const named = `${low}/${high}→${target}, worker ${worker}`;
        expect(path.ok, named).toBe(legal(low, high, [worker]));
        if (!path.ok) {
          expect(path.error.details?.map(({ place }) => place?.field)).toContain('kubelet-too-old');
          continue;
        }
        const end = walk(path.value, start);
        expect(end, named).toMatchObject({ low: target, high: target, workers: [target] });
        expect(path.value.workerRolls, named).toBe(bruteForce(start, target));
        expect(end.rolls, named).toBe(path.value.workerRolls);
        expect(path.value.noReturnAlready ?? false).toBe(low !== high);
      }
    },
  );

  it('rolls each of two worker versions as rarely as if it were alone', () => {
    for (let plane = 28; plane <= 36; plane += 1)
      for (let a = Math.max(25, plane - 3); a <= plane; a += 1)
        for (let b = a + 1; b <= plane; b += 1) {
          const start = { low: plane, high: plane, workers: [a, b] };
          const path = upgradePath(`1.${plane}.0`, '1.36.0', [`1.${b}.0`, `1.${a}.0`]);
          if (!path.ok) throw new Error(path.error.message);
          const named = `${plane}, workers ${a} and ${b}`;
          expect(walk(path.value, start), named).toMatchObject({ low: 36, workers: [36, 36] });
          expect(path.value.workerRolls, named).toBe(bruteForce(start, 36));
        }
  });

  it('ends a half-done update first, and says that there is no way back', () => {
    const path = upgradePath(['1.35.2', '1.36.0', '1.35.2'], '1.36.0', ['1.35.2']);
    expect(path).toMatchObject({
      ok: true,
      value: {
        steps: [
          { kind: 'control-plane', from: '1.35.2', to: '1.36.0', finishes: true, pointOfNoReturn: true },
          { kind: 'workers', from: ['1.35.2'], to: '1.36.0' },
        ],
        pointOfNoReturn: 0,
        noReturnAlready: true,
      },
    });
    const back = upgradePath(['1.35.2', '1.36.0'], '1.35.2', ['1.35.2']);
    expect(back.ok ? [] : back.error.details?.map(({ place }) => place?.field)).toEqual([
      'control-plane-downgrade',
    ]);
  });

  it('names the first step that cannot be taken back', () => {
    const path = upgradePath('1.29.3', '1.33', ['1.29']);
    expect(path.ok && path.value.pointOfNoReturn).toBe(0);
    const late = upgradePath('1.29.3', '1.29.9', ['1.29']);
    expect(late.ok && late.value.pointOfNoReturn).toBeUndefined();
  });

  it.each<[string | string[], string, string[], string, string]>([
    ['1.36', '1.35', ['1.36'], 'control-plane-downgrade', 'cannot go back'],
    ['1.35', '1.36', ['1.36'], 'kubelet-ahead', 'newer than the oldest API server'],
    ['1.35', '1.36', ['1.31'], 'kubelet-too-old', 'at most 3 minors behind'],
    ['1.27', '1.28', ['1.24'], 'kubelet-too-old', 'at most 2 minors behind'],
    ['1.35', 'next', ['1.35'], 'unreadable-version', 'cannot be read'],
    ['1.35', '2.0', ['1.35'], 'other-major', 'another major version'],
    [['1.34', '1.36'], '1.36', ['1.34'], 'api-servers-apart', 'at most one minor'],
    [['1.35', '1.36'], '1.36', ['1.36'], 'kubelet-ahead', 'newer than the oldest API server'],
    [['1.35', '1.36'], '1.36', ['1.32'], 'kubelet-too-old', 'at most 3 minors behind'],
  ])('refuses %s → %s with workers %o by the rule %s', (current, target, workers, rule, text) => {
    const path = upgradePath(current, target, workers);
    if (path.ok) throw new Error('it was accepted');
    expect(path.error.details?.map(({ place }) => place?.field)).toEqual([rule]);
    expect(path.error.message).toContain(text);
  });
});
