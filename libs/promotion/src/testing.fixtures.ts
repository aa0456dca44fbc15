import type { ChannelRevision, ConformanceRun, Revision } from '#fleet';
import type { ClusterFacts } from './cluster-facts.js';
import type { ChannelPolicy } from './policy.js';

/** Values for the tests of this room. */
export const T0 = Date.parse('2026-06-01T08:00:00Z');

export const revision: Revision = {
  id: 'rev-1',
  repository: 'https://git.example/config.git',
  commit: 'a'.repeat(40),
  treeDigest: 'sha256:tree',
  author: 'Ada <ada@example.org>',
  subject: 'new image',
  committedAt: '2026-06-01T07:59:00Z',
};

export const channelPolicy = (more: Partial<ChannelPolicy> = {}): ChannelPolicy => ({
  name: 'beta',
  branch: 'beta',
  from: 'alpha',
  promotion: 'automatic',
  waves: [{ kind: 'percent', value: 100 }],
  wavePause: 0,
  gates: {},
  ...more,
});

export const facts = (id: string, more: Partial<ClusterFacts> = {}): ClusterFacts => ({
  id,
  alias: id,
  environment: 'production',
  criticality: 1,
  canary: false,
  phase: 'ready',
  currentVersion: 'old',
  onRevision: false,
  healthy: true,
  since: T0,
  unreachable: false,
  desiredDigest: 'sha256:desired',
  ...more,
});

export const converged = (id: string, more: Partial<ClusterFacts> = {}): ClusterFacts =>
  facts(id, { admittedRevisionId: revision.id, onRevision: true, ...more });

export const entry = (more: Partial<ChannelRevision> = {}): ChannelRevision => ({
  channel: 'beta',
  revisionId: revision.id,
  phase: 'seen',
  wave: 0,
  waves: 0,
  enteredAt: T0,
  admitted: true,
  reasons: [],
  ...more,
});

export const run = (
  clusterId: string,
  suite: string,
  more: Partial<ConformanceRun> = {},
): ConformanceRun => ({
  id: `${clusterId}-${suite}-${more.attempt ?? 1}`,
  channel: 'beta',
  clusterId,
  suite,
  revisionId: revision.id,
  commit: revision.commit,
  treeDigest: revision.treeDigest,
  desiredDigest: 'sha256:desired',
  attempt: 1,
  state: 'finished',
  verdict: 'pass',
  reason: 'passed',
  executed: 7,
  failedTests: [],
  createdAt: T0,
  ...more,
});
