import { describe, expect, it } from 'vitest';
import { FailureError, minutes } from '#kernel';
import type { ConformanceRun } from '#fleet';
import type { KubernetesPort } from '#ports';
import type { ConformanceSuite } from '#promotion';
import { outcomeOfRun } from './conformance-outcome.js';

const ENDED = Date.UTC(2026, 0, 1);
const NO_KUBELET = new FailureError({
  class: 'transient',
  code: 'api-error',
  message: 'read the log of a/b results: dial tcp: no such host',
});

/** A run whose Job has ended on a node whose kubelet does not answer. */
function lookAt(now: number, condition: object) {
  const lastTransitionTime = new Date(ENDED).toISOString();
  const kubernetes = {
    get: async () => ({ status: { conditions: [{ status: 'True', lastTransitionTime, ...condition }] } }),
    list: async () => [{ metadata: { name: 'b' } }],
    podLog: async () => Promise.reject(NO_KUBELET),
    serverVersion: async () => 'v1.36.2',
  } as unknown as KubernetesPort;
  const run = { id: 'r', serverVersion: 'v1.36.2', desiredDigest: 'd', startedAt: ENDED - minutes(3) };
  return outcomeOfRun(
    kubernetes,
    run as unknown as ConformanceRun,
    { expectedMin: 1 } as unknown as ConformanceSuite,
    'd',
    now,
  );
}

describe('a run that is over and whose results cannot be read', () => {
  it('waits for them, and says so', async () => {
    expect(await lookAt(ENDED + minutes(4), { type: 'Complete' })).toMatchObject({
      kind: 'running',
      message: expect.stringMatching(/^its Job has ended; its results cannot be read: .*no such host$/),
    });
  });

  it('is inconclusive after a while: it does not hold its cluster for ever', async () => {
    expect(await lookAt(ENDED + minutes(5), { type: 'Complete' })).toMatchObject({
      kind: 'ended',
      judgement: { verdict: 'inconclusive', reason: 'results-unreadable' },
    });
  });

  it('is told at once where the Job says why it was cut off', async () => {
    expect(await lookAt(ENDED + 1, { type: 'Failed', reason: 'DeadlineExceeded' })).toMatchObject({
      kind: 'ended',
      judgement: { verdict: 'inconclusive', reason: 'deadline' },
    });
  });
});
