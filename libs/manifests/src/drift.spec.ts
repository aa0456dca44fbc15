import { describe, expect, it } from 'vitest';
import { minutes } from '#kernel';
import type { DriftFinding, KubernetesObject } from '#fleet';
import { decideDrift, type DriftedObject } from './drift.js';

const desired: KubernetesObject = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'c', namespace: 'default' },
};
const drifted = (before: string, basis = 'one'): DriftedObject => ({
  desired,
  live: desired,
  component: 'a',
  basis,
  lines: [{ path: 'data.a', segments: ['data', 'a'], change: 'change', before, after: '"git"' }],
});
const decide = (
  mode: 'detect' | 'correct',
  now: number,
  known: readonly DriftFinding[],
  objects: readonly DriftedObject[],
  wish?: 'accept' | 'correct',
) =>
  decideDrift({
    mode,
    now,
    known,
    drifted: objects,
    wishes: wish ? [{ kind: wish, refKey: 'ConfigMap default/c' }] : [],
  });

describe('decideDrift', () => {
  it('four changes within ten minutes are three corrections and a fight; slower ones are no fight', () => {
    const states = (every: number): readonly string[] => {
      let known: readonly DriftFinding[] = [];
      return [1, 2, 3, 4, 5].map((round) => {
        const decision = decide('correct', round * every, known, [drifted('"x"')]);
        known = decide('correct', round * every + 1, decision.findings, []).findings;
        if (decision.findings[0]?.state === 'fight') known = decision.findings;
        return decision.findings[0]?.state ?? '';
      });
    };
    expect(states(minutes(2))).toEqual(['corrected', 'corrected', 'corrected', 'fight', 'fight']);
    expect(states(minutes(6))).toEqual(Array.from({ length: 5 }, () => 'corrected'));
  });

  it('an acceptance holds for its value and for its content in Git', () => {
    const { findings } = decide('detect', 1, [], [drifted('"x"')], 'accept');
    expect(findings[0]?.state).toBe('accepted');
    expect(decide('correct', 2, findings, [drifted('"x"')]).correct.size).toBe(0);
    expect(decide('correct', 2, findings, [drifted('"y"')]).findings[0]?.state).toBe('corrected');
    expect(decide('detect', 2, findings, [drifted('"x"', 'two')]).findings[0]?.state).toBe('open');
  });

  it('a wish ends a fight', () => {
    const { findings } = decide('correct', 1, [], [drifted('"x"')]);
    const fight = findings.map((finding) => ({ ...finding, state: 'fight' as const }));
    expect(decide('detect', 2, fight, [drifted('"x"')]).findings[0]?.state).toBe('fight');
    expect(decide('detect', 2, fight, [drifted('"x"')], 'correct').correct.has('ConfigMap default/c')).toBe(
      true,
    );
  });
});
