import { describe, expect, it } from 'vitest';
import type { Cluster, ClusterStatus, Revision, Update } from '#fleet';
import type { ClusterRuntime, PassCommit } from '#ports';
import { FailureError } from '#kernel';
import type { PassParts } from '../reconcile-cluster.js';
import { contentDigest, contentOf } from '../render/content-digest.js';
import { carryOver } from './carry-over.js';
import type { LeaseKeeper } from './lease-keeper.js';
import { SETTLED, type Settled } from './settled.js';

const revision: Revision = {
  id: 'repo@new',
  repository: 'repo',
  commit: 'new',
  treeDigest: 'sha256:tree',
  author: 'Dana',
  subject: 'Words only',
  committedAt: '2026-01-01T00:00:00Z',
};
const settled: Settled = {
  revisionId: 'repo@old',
  treeDigest: 'sha256:tree',
  contentDigest: contentDigest('sha256:tree', undefined),
  recordDigest: 'sha256:record',
  desiredDigest: 'sha256:desired',
  verifiedAt: 1_000,
};
const status: ClusterStatus = {
  clusterId: 'c',
  phase: 'ready',
  message: 'at its desired state',
  currentVersion: 'old',
  nextVersion: 'new',
  problems: [],
  steps: [],
  nodes: [],
  since: 500,
  consecutiveFailures: 0,
  updatedAt: 1_000,
};
const runtime: ClusterRuntime = {
  clusterId: 'c',
  status,
  admittedRevisionId: revision.id,
  doorbell: 7,
  memory: {
    [SETTLED]: settled,
    other: 1,
    'update/basis': { revisionId: 'repo@old', recordDigest: 'sha256:record' },
    'manifests/progress': { key: `u-1|${settled.desiredDigest}`, applied: { classes: 5 }, doneAt: 6 },
  },
};
const cluster = { id: 'c', alias: 'one' } as Cluster;
const lease = {
  current: () => Promise.resolve({ name: 'cluster/c', token: 1, expiresAt: 0 }),
} as unknown as LeaseKeeper;

/** The two writes of a carried-over pass, on a store that remembers them. */
function parts(contentFor: () => Promise<{ revision: Revision; contentDigest: string }>): {
  readonly parts: PassParts;
  readonly started: Update[];
  readonly committed: PassCommit[];
} {
  const started: Update[] = [];
  const committed: PassCommit[] = [];
  const updates = {
    startUpdate: (_lease: unknown, update: Update) => Promise.resolve(void started.push(update)),
    commitPass: (_lease: unknown, commit: PassCommit) => Promise.resolve(void committed.push(commit)),
  };
  const ports = { updates, clock: { now: () => 9_000 }, ids: { next: () => 'u-2' } };
  const made = { ports, settings: { resyncInterval: 60_000 }, rendering: { contentFor } };
  return { parts: made as unknown as PassParts, started, committed };
}

describe('a commit that changes nothing for a settled cluster', () => {
  it('is recorded as the version it runs, and the next verification comes as it would have', async () => {
    const world = parts(() => Promise.resolve({ revision, contentDigest: settled.contentDigest as string }));
    expect(await carryOver(world.parts, lease, cluster, runtime, settled)).toBe(true);
    expect(world.started).toMatchObject([
      { id: 'u-2', state: 'succeeded', revisionId: 'repo@new', commit: 'new' },
    ]);
    const [commit] = world.committed;
    expect(commit?.status).toMatchObject({
      currentVersion: 'new',
      lastVersion: 'old',
      since: 500,
      updateId: 'u-2',
    });
    expect(commit?.status.nextVersion).toBeUndefined();
    expect(commit?.memory).toMatchObject({
      other: 1,
      [SETTLED]: { revisionId: 'repo@new', verifiedAt: 1_000 },
      // The look that follows takes a hand edit for drift, and not for an update that is to be applied.
      'update/basis': { revisionId: 'repo@new', recordDigest: 'sha256:record' },
      'manifests/progress': { key: `u-2|${settled.desiredDigest}`, applied: { classes: 5 }, doneAt: 6 },
    });
    expect(commit?.doorbellSeen).toBe(7);
    expect(commit?.nextDueAt).toBeLessThan(1_000 + 60_000 * 1.2);
  });

  it('is left to a pass when the content differs, the source is away, or an older version settled it', async () => {
    const other = parts(() =>
      Promise.resolve({ revision, contentDigest: contentDigest('sha256:tree', 'own: file') }),
    );
    expect(await carryOver(other.parts, lease, cluster, runtime, settled)).toBe(false);
    const away = parts(() =>
      Promise.reject(new FailureError({ class: 'transient', code: 'git-unreachable', message: 'no' })),
    );
    expect(await carryOver(away.parts, lease, cluster, runtime, settled)).toBe(false);
    const { contentDigest: _none, ...older } = settled;
    expect(await carryOver(away.parts, lease, cluster, runtime, older)).toBe(false);
    expect([...other.committed, ...away.committed]).toEqual([]);
  });

  it("tells apart commits that differ in the cluster's own file only", () => {
    const tree = (own?: string) => ({
      commit: 'x',
      treeDigest: 'sha256:tree' as const,
      files: new Map(own === undefined ? [] : [['clusters/one.yaml', own]]),
    });
    expect(contentOf(tree(), 'one')).toBe(settled.contentDigest);
    expect(contentOf(tree('a: b'), 'one')).not.toBe(settled.contentDigest);
    expect(contentOf(tree('a: b'), 'two')).toBe(settled.contentDigest);
  });
});
