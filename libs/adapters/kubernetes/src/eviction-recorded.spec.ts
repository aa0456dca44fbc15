import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { FailureError } from '#kernel';
import { classifyEviction } from './eviction.js';

/**
 * Answers of the Eviction API of a kube-apiserver v1.36.2 with controllers, recorded whole (generated names and UIDs
 * made stable): one of each that could be brought about.
 */
const RECORDED = JSON.parse(
  readFileSync(new URL('./recorded-evictions.json', import.meta.url), 'utf8'),
) as Readonly<
  Record<string, { readonly status: number; readonly headers: Record<string, string>; readonly body: string }>
>;

/** What each stands for; `denied` and `bug` halt the roll. */
const MEANS: Readonly<Record<string, string>> = {
  '201 accepted': 'accepted',
  '201 accepted again while it terminates': 'accepted',
  '429 PodDisruptionBudget': 'blocked-by-pdb',
  '500 two PodDisruptionBudgets': 'several-pdbs',
  '404 no such pod': 'gone',
  '409 another UID': 'gone',
  'webhook denies': 'webhook-denied',
  'webhook away': 'transient',
  'admission policy denies': 'webhook-denied',
  '403 without permission': 'denied',
  '429 by priority and fairness': 'throttled',
  'namespace terminating, pod there': 'namespace-terminating',
  'namespace terminating, pod gone': 'namespace-terminating',
  '400 another name in the body': 'bug',
  '422 bad option': 'bug',
  '401 anonymous': 'denied',
  '429 budget not processed yet': 'blocked-by-pdb',
};

function meaning(name: string): string {
  const answer = RECORDED[name];
  if (!answer) throw new Error(`no record of ${name}`);
  try {
    return classifyEviction(answer, { action: 'evict pod rec/web', verb: 'delete' }).kind;
  } catch (thrown) {
    if (thrown instanceof FailureError) return thrown.failure.class;
    throw thrown;
  }
}

describe('recorded answers of a real API server', () => {
  it.each(Object.keys(RECORDED))('%s', (name) => {
    expect(meaning(name)).toBe(MEANS[name]);
  });

  it('tell which budget, what it needs and has, and how long to wait', () => {
    const ask = { action: 'evict pod rec/web', verb: 'delete' } as const;
    const [budget, fairness] = ['429 PodDisruptionBudget', '429 by priority and fairness'].map(
      (name) => RECORDED[name],
    );
    expect(budget && classifyEviction(budget, ask)).toMatchObject({
      message: 'The disruption budget web needs 2 healthy pods and has 2 currently',
    });
    expect(fairness && classifyEviction(fairness, ask)).toEqual({ kind: 'throttled', retryAfterMs: 1_000 });
  });
});
