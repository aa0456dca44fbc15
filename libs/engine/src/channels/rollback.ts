import type { Instant } from '#kernel';
import type { Channel, ChannelRequest, FleetEvent, Hold, Promotion, Revision } from '#fleet';
import type { MergeResult } from '#ports';
import type { Moved, Mover } from './promote.js';
import { requestEvent } from './promote.js';

/** Rollbacks that people asked for, of this channel or of single clusters in it. */
export async function runRollbacks(mover: Mover, channel: Channel): Promise<boolean> {
  const { ports, lease } = mover;
  const open = (await ports.decisions.openRequests(channel.name)).filter(({ kind }) => kind !== 'promote');
  for (const request of open) {
    const revision = await ports.channels.getRevision(request.revisionId);
    const moved: Moved = !revision
      ? { kind: 'refused', message: 'the revision is not known' }
      : request.kind === 'rollback'
        ? await rollBackChannel(mover, channel, request, revision)
        : await rollBackCluster(mover, channel, request, revision);
    const settled = { ...request, state: moved.kind, message: moved.message, settledAt: ports.clock.now() };
    await ports.decisions.settleRequest(await lease.current(), settled, [requestEvent(settled)]);
  }
  return open.length > 0;
}

/**
 * Brings an earlier content back by a new commit; the branch is never rewound. Order matters: the hold comes first, so
 * that no automation brings the bad revision in again, and the branch last.
 */
async function rollBackChannel(
  mover: Mover,
  channel: Channel,
  request: ChannelRequest,
  revision: Revision,
): Promise<Moved> {
  const { ports, lease } = mover;
  const [known] = (await ports.channels.promotions(20, { toChannel: channel.name })).filter(
    (one) => one.id === request.id,
  );
  const expected = known?.expectedCommit ?? channel.headCommit;
  if (expected === undefined) return { kind: 'refused', message: 'the channel has no revision yet' };
  if (!known && (await hasContentOf(mover, channel, revision)))
    return {
      kind: 'refused',
      message: `${channel.name} has the content of ${revision.commit.slice(0, 12)} now`,
    };
  await ensureHold(mover, request, { kind: 'channel', channel: channel.name });
  const promotion = known ?? intended(request, channel, expected);
  if (!known) await ports.channels.recordPromotion(await lease.current(), promotion);
  await markRolledBack(mover, channel, expected);
  const made = await ports.git.restore(channel.repository, channel.branch, revision.commit, expected, {
    message: `Roll ${channel.name} back to ${revision.commit.slice(0, 12)}\n\n${request.reason}\n\nFairway-Rollback: ${request.id}\nFairway-Revision: ${revision.commit}`,
    at: request.createdAt,
  });
  const settled = settledBy(made, promotion, ports.clock.now());
  await ports.channels.settlePromotion(await lease.current(), settled, [
    rollbackEvent(settled, request, revision),
  ]);
  await ports.doorbell.ring(`repository/${channel.repository}`).catch(() => undefined);
  return settled.state === 'done'
    ? { kind: 'done', message: `${channel.name} has the content of ${revision.commit.slice(0, 12)} again` }
    : { kind: 'refused', message: settled.reason ?? '' };
}

const settledBy = (made: MergeResult, promotion: Promotion, settledAt: Instant): Promotion =>
  made.kind === 'advanced' || made.kind === 'already'
    ? { ...promotion, state: 'done', resultCommit: made.commit, settledAt }
    : {
        ...promotion,
        state: 'refused',
        reason: 'the branch moved meanwhile; look at it, and ask again',
        settledAt,
      };

/** Nothing would be brought back, and what runs well would be marked as rolled back. */
async function hasContentOf({ ports }: Mover, channel: Channel, revision: Revision): Promise<boolean> {
  const [entry] = await ports.channels.channelRevisions(channel.name, 1);
  const present = entry?.admitted === true ? await ports.channels.getRevision(entry.revisionId) : undefined;
  return present?.treeDigest === revision.treeDigest;
}

const intended = (request: ChannelRequest, channel: Channel, expectedCommit: string): Promotion => ({
  id: request.id,
  revisionId: request.revisionId,
  fromChannel: channel.name,
  toChannel: channel.name,
  expectedCommit,
  kind: 'rollback',
  requestedBy: request.by,
  state: 'intended',
  evidence: [],
  createdAt: request.createdAt,
});

/** What stood there is over, and whatever paused the channel was about it. */
async function markRolledBack({ ports, lease }: Mover, channel: Channel, expected: string): Promise<void> {
  const [entry] = await ports.channels.channelRevisions(channel.name, 1);
  const current = entry && (await ports.channels.getRevision(entry.revisionId));
  if (!entry || current?.commit !== expected) return;
  await ports.channels.commitChannel(await lease.current(), {
    channel: channel.name,
    current: { ...entry, phase: 'rolled-back', reasons: [] },
    admit: [],
    runs: [],
    pausedReason: null,
    events: [],
  });
}

/** One cluster goes back to what it ran before, and stays there until its hold is released. */
async function rollBackCluster(
  mover: Mover,
  channel: Channel,
  request: ChannelRequest,
  revision: Revision,
): Promise<Moved> {
  const { ports, lease } = mover;
  const { clusterId } = request;
  if (clusterId === undefined) return { kind: 'refused', message: 'no cluster was named' };
  await ensureHold(mover, request, { kind: 'cluster', clusterId });
  await ports.channels.commitChannel(await lease.current(), {
    channel: channel.name,
    admit: [{ clusterId, revisionId: revision.id }],
    runs: [],
    events: [],
  });
  await ports.doorbell.ring(`cluster/${clusterId}`).catch(() => undefined);
  return { kind: 'done', message: `${clusterId} goes back to ${revision.commit.slice(0, 12)}` };
}

/** The request's id is the hold's as well: a repeated request finds it. */
async function ensureHold({ ports }: Mover, request: ChannelRequest, scope: Hold['scope']): Promise<void> {
  const id = `rollback-${request.id}`;
  if ((await ports.channels.holds()).some((hold) => hold.id === id)) return;
  const hold: Hold = {
    id,
    scope,
    reason: `rolled back: ${request.reason}`,
    owner: request.by,
    blocks: 'promotion',
    createdAt: ports.clock.now(),
  };
  await ports.channels.addHold(hold, request.by);
}

function rollbackEvent(promotion: Promotion, request: ChannelRequest, revision: Revision): FleetEvent {
  const done = promotion.state === 'done';
  const short = revision.commit.slice(0, 12);
  return {
    type: done ? 'rollback.done' : 'rollback.refused',
    at: promotion.settledAt ?? promotion.createdAt,
    severity: 'warning',
    subject: `channel/${promotion.toChannel}`,
    channel: promotion.toChannel,
    message: done
      ? `${promotion.toChannel}: ${request.by} rolled back to ${short}: ${request.reason}. Promotion is on hold until the hold is released`
      : `${promotion.toChannel}: the rollback to ${short} was refused: ${promotion.reason}`,
    data: {
      commit: revision.commit,
      resultCommit: promotion.resultCommit,
      requestId: request.id,
      by: request.by,
    },
  };
}
