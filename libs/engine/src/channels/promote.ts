import type { Channel, ChannelRevision, FleetEvent, Promotion, Revision } from '#fleet';
import type { GateEvaluation } from '#promotion';
import type { EnginePorts } from '../engine-ports.js';
import type { LeaseKeeper } from '../pass/lease-keeper.js';
import { gatesFor } from './arrival.js';
import type { PolicyReader } from './policy-reader.js';

/** The gates of a channel behind this one, for the revision that stands here. */
export interface NextGate {
  readonly target: Channel;
  readonly evaluation: GateEvaluation;
}

export async function nextGates(
  ports: EnginePorts,
  policies: PolicyReader,
  channels: readonly Channel[],
  from: string,
  revision: Revision,
): Promise<readonly NextGate[]> {
  const gates: NextGate[] = [];
  for (const target of channels.filter((candidate) => candidate.from === from)) {
    const policy = policies.channelPolicy(await policies.policyOf(target), target);
    const evaluation = await gatesFor(ports, target, policy, revision);
    if (evaluation) gates.push({ target, evaluation });
  }
  return gates;
}

/** Moves the target's branch when every gate is open, asked once more right before. Returns whether it is there now. */
export async function promote(
  ports: EnginePorts,
  policies: PolicyReader,
  lease: LeaseKeeper,
  entry: ChannelRevision,
  revision: Revision,
  target: Channel,
): Promise<boolean> {
  const policy = policies.channelPolicy(await policies.policyOf(target), target);
  const evaluation = await gatesFor(ports, target, policy, revision);
  if (!evaluation?.eligible || evaluation.manual || evaluation.already) return false;
  const [open] = await ports.channels.promotions(1, { toChannel: target.name, state: 'intended' });
  if (open && open.revisionId !== revision.id) return false;
  const promotion = open ?? intended(ports, entry, target, evaluation);
  if (!open) await ports.channels.recordPromotion(await lease.current(), promotion);
  return settle(ports, lease, promotion, revision, target);
}

function intended(
  ports: EnginePorts,
  entry: ChannelRevision,
  target: Channel,
  evaluation: GateEvaluation,
): Promotion {
  return {
    id: ports.ids.next(),
    revisionId: entry.revisionId,
    fromChannel: entry.channel,
    toChannel: target.name,
    ...(target.headCommit !== undefined && { expectedCommit: target.headCommit }),
    state: 'intended',
    evidence: evaluation.reasons,
    createdAt: ports.clock.now(),
  };
}

/** Also finishes what a killed worker left: moving a ref to where it is already is success. */
export async function settle(
  ports: EnginePorts,
  lease: LeaseKeeper,
  promotion: Promotion,
  revision: Revision,
  target: Channel,
): Promise<boolean> {
  const result = await ports.git.advance(
    target.repository,
    target.branch,
    revision.commit,
    promotion.expectedCommit,
  );
  const moved = result === 'advanced' || result === 'already';
  const settledAt = ports.clock.now();
  const settled: Promotion = moved
    ? { ...promotion, state: 'done', settledAt }
    : { ...promotion, state: 'refused', reason: refusals[result], settledAt };
  await ports.channels.settlePromotion(await lease.current(), settled, [
    promotionEvent(settled, revision, target, moved),
  ]);
  if (moved) await ports.doorbell.ring(`repository/${target.repository}`).catch(() => undefined);
  return moved;
}

const refusals = {
  advanced: '',
  already: '',
  diverged:
    'the branch has commits that the revision does not have; merge it there by hand, or reset the branch',
  moved: 'the branch moved meanwhile; it is looked at again',
} as const;

function promotionEvent(
  promotion: Promotion,
  revision: Revision,
  target: Channel,
  moved: boolean,
): FleetEvent {
  const short = revision.commit.slice(0, 12);
  return {
    type: moved ? 'promotion.done' : 'promotion.refused',
    at: promotion.settledAt ?? promotion.createdAt,
    severity: moved ? 'info' : 'warning',
    subject: `channel/${target.name}`,
    channel: target.name,
    message: moved
      ? `${short} promoted from ${promotion.fromChannel} to ${target.name}: ${revision.subject}`
      : `${short} was not promoted to ${target.name}: ${promotion.reason}`,
    data: {
      commit: revision.commit,
      promotionId: promotion.id,
      from: promotion.fromChannel,
      evidence: promotion.evidence,
    },
    ...(!moved && { dedupeKey: `promotion|${promotion.revisionId}|${promotion.reason}` }),
  };
}
