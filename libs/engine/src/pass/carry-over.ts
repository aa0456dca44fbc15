import { toFailure, type Instant } from '#kernel';
import type { Cluster, ClusterStatus, Revision, Update } from '#fleet';
import type { ClusterRuntime } from '#ports';
import { spreadInterval } from '../backoff.js';
import { carriedProgress } from '../manifests/progress.js';
import type { PassParts } from '../reconcile-cluster.js';
import type { LeaseKeeper } from './lease-keeper.js';
import { carriedBasis } from './open-update.js';
import { soonest } from './override-expiry.js';
import { SETTLED, type Settled } from './settled.js';

/**
 * A settled cluster was admitted to a revision whose content, for it, is the one it runs: it is on that revision at
 * once, without a look outside. Most commits of a fleet's repository are of this kind for most clusters. The time of
 * its last verification stays, so the resync comes when it would have come, or when the first override expires (`expiry`).
 * False: a pass must find out.
 */
export async function carryOver(
  parts: PassParts,
  lease: LeaseKeeper,
  cluster: Cluster,
  runtime: ClusterRuntime,
  settled: Settled,
  expiry?: Instant,
): Promise<boolean> {
  const { ports, settings } = parts;
  const { admittedRevisionId: admitted, status } = runtime;
  if (admitted === undefined || status === undefined || settled.contentDigest === undefined) return false;
  const revision = await sameContent(parts, cluster, admitted, settled.contentDigest);
  if (!revision) return false;
  const now = ports.clock.now();
  const update: Update = {
    id: ports.ids.next(),
    clusterId: cluster.id,
    kind: 'update',
    revisionId: revision.id,
    commit: revision.commit,
    desiredDigest: settled.desiredDigest,
    state: 'succeeded',
    startedAt: now,
    finishedAt: now,
  };
  // No event: the channel tells of the revision, and for this cluster nothing happens.
  await ports.updates.startUpdate(await lease.current(), update, undefined, []);
  const carried: Settled = { ...settled, revisionId: revision.id, treeDigest: revision.treeDigest };
  await ports.updates.commitPass(await lease.current(), {
    status: carriedStatus(status, update, revision),
    doorbellSeen: runtime.doorbell,
    nextDueAt: soonest(spreadInterval(settled.verifiedAt, settings.resyncInterval, cluster.id), expiry),
    memory: carriedMemory(runtime, update, carried),
    events: [],
  });
  return true;
}

/** The look that follows goes on under the carried update: a hand edit is drift to it, not something to apply. */
const carriedMemory = (
  { memory }: ClusterRuntime,
  update: Update,
  settled: Settled,
): ClusterRuntime['memory'] => ({
  ...memory,
  ...carriedProgress(memory, update.id, settled.desiredDigest),
  ...carriedBasis(settled.revisionId, settled.recordDigest),
  [SETTLED]: settled,
});

/** The revision, if it holds for the cluster what `content` names. A source that cannot be read is the pass's to report. */
async function sameContent(
  parts: PassParts,
  cluster: Cluster,
  revisionId: string,
  content: string,
): Promise<Revision | undefined> {
  try {
    const found = await parts.rendering.contentFor(cluster, revisionId);
    return found.contentDigest === content ? found.revision : undefined;
  } catch (thrown) {
    if (toFailure(thrown).class === 'bug') throw thrown;
    return undefined;
  }
}

/** As the summary of the last pass said, at the new version; `since` goes on, because what soaks is the content. */
function carriedStatus(status: ClusterStatus, update: Update, revision: Revision): ClusterStatus {
  const { nextVersion: _next, ...rest } = status;
  return {
    ...rest,
    currentVersion: revision.commit,
    ...(status.currentVersion !== undefined && { lastVersion: status.currentVersion }),
    updateId: update.id,
    updatedAt: update.startedAt,
  };
}
