import { describe, expect, it } from 'vitest';
import { checkSkew } from './skew.js';
import { upgradePath } from './upgrade-path.js';

const words = (current: string, target: string, workers: readonly string[]): readonly string[] => {
  const path = upgradePath(current, target, workers);
  if (!path.ok) return [path.error.message];
  return path.value.steps.map((step) => `${step.kind === 'workers' ? 'workers' : 'plane'} ${step.to}`);
};

/** Fewest worker rolls by trying everything: state (plane, worker) in minors, steps that the skew check allows. */
function bruteForce(plane: number, target: number, worker: number): number {
  let best = Number.POSITIVE_INFINITY;
  const legal = (p: number, w: number): boolean =>
    checkSkew({ apiServers: [`1.${p}.0`], kubelets: [{ name: 'w', version: `1.${w}.0` }] }).length === 0;
  const search = (p: number, w: number, rolls: number): void => {
    if (rolls >= best) return;
    if (p === target && w === target) {
      best = rolls;
      return;
    }
    if (p < target && legal(p + 1, w)) search(p + 1, w, rolls);
    for (let next = w + 1; next <= p; next += 1) if (legal(p, next)) search(p, next, rolls + 1);
  };
  search(plane, worker, 0);
  return best;
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
    expect(path).toEqual({
      ok: true,
      value: {
        steps: [
          { kind: 'control-plane', from: 'v1.36.0', to: 'v1.36.4', pointOfNoReturn: false },
          { kind: 'workers', from: ['v1.36.0'], to: 'v1.36.4' },
        ],
        workerRolls: 1,
      },
    });
  });

  it('is legal after every step and has the fewest worker rolls, compared with brute force', () => {
    for (let plane = 28; plane <= 36; plane += 1) {
      for (let target = plane; target <= 36; target += 1) {
        for (let behind = 0; behind <= 4; behind += 1) {
          const worker = plane - behind;
          const path = upgradePath(`1.${plane}.0`, `1.${target}.0`, [`1.${worker}.0`]);
          expect(path.ok, `${plane}→${target}, ${worker}`).toBe(behind <= (worker >= 25 ? 3 : 2));
          if (!path.ok) continue;
          let [p, w] = [plane, worker];
          for (const step of path.value.steps) {
            const minor = Number(step.to.split('.')[1]);
            if (step.kind === 'workers') w = minor;
            else {
              expect(minor - p).toBe(1);
              p = minor;
            }
            expect(
              checkSkew({ apiServers: [`1.${p}.0`], kubelets: [{ name: 'w', version: `1.${w}.0` }] }),
            ).toEqual([]);
          }
          expect([p, w]).toEqual([target, target]);
          expect(path.value.workerRolls).toBe(bruteForce(plane, target, worker));
        }
      }
    }
  });

  it.each([
    ['1.36', '1.35', ['1.36'], 'cannot go back'],
    ['1.35', '1.36', ['1.36'], 'newer than the oldest API server'],
    ['1.35', 'next', ['1.35'], 'cannot be read'],
    ['1.35', '2.0', ['1.35'], 'another major version'],
  ])('refuses %s → %s with workers %o', (current, target, workers, text) => {
    expect(words(current, target, workers)[0]).toContain(text);
  });
});
