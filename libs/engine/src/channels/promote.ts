import type { Channel, ChannelRequest, FleetEvent, GateReason, Problem, Promotion, Revision } from '#fleet';
import { problemType } from '#fleet';
import type { EnginePorts } from '../engine-ports.js';
import type { LeaseKeeper } from '../pass/lease-keeper.js';
import { gatesFor } from './gates.js';
import { channelPolicyOf, type PolicySource } from './policy-reader.js';

/** What moving a ref needs. */
export interface Mover {
  readonly ports: EnginePorts;
  readonly policies: PolicySource;
  readonly lease: LeaseKeeper;
}

export type Moved =
  | { readonly kind: 'done'; readonly message: string }
  | { readonly kind: 'refused'; readonly message: string };

/** Begins the reason of a refusal that the same two commits would meet again. */
const CONFLICT = 'merge conflict';

/**
 * Moves the target's branch when every gate is open. The wish is recorded first, then everything is asked once more, then
 * the ref moves: what changes in between is seen, and a process that dies leaves a record that the next one finishes.
 */
export async function promote(
  mover: Mover,
  from: string,
  revision: Revision,
  target: Channel,
  request?: ChannelRequest,
): Promise<Moved | undefined> {
  const { ports, policies, lease } = mover;
  const policy = channelPolicyOf(await policies.policyOf(target), target);
  const evaluation = await gatesFor(ports, target, policy, revision);
  if (!evaluation)
    return refusedNow(`${revision.commit.slice(0, 12)} was never in ${policy.from ?? 'a channel before'}`);
  if (!evaluation.eligible) return refusedNow(openReasons(evaluation.reasons));
  if (evaluation.manual && request === undefined) return undefined;
  if (evaluation.already) return { kind: 'done', message: `${target.name} has it already` };
  const [latest] = await ports.channels.promotions(1, { toChannel: target.name });
  const same = latest?.revisionId === revision.id && latest.expectedCommit === target.headCommit;
  if (request === undefined && same && latest.reason?.startsWith(CONFLICT) === true) return undefined;
  if (latest?.state === 'intended' && latest.revisionId !== revision.id) return undefined;
  const promotion: Promotion =
    latest?.state === 'intended'
      ? latest
      : {
          id: ports.ids.next(),
          revisionId: revision.id,
          fromChannel: from,
          toChannel: target.name,
          ...(target.headCommit !== undefined && { expectedCommit: target.headCommit }),
          kind: 'promote',
          ...(request !== undefined && { requestedBy: request.by }),
          state: 'intended',
          evidence: evaluation.reasons,
          createdAt: ports.clock.now(),
        };
  if (promotion !== latest) await ports.channels.recordPromotion(await lease.current(), promotion);
  return execute(mover, promotion, revision);
}

const refusedNow = (message: string): Moved => ({ kind: 'refused', message });

const openReasons = (reasons: readonly GateReason[]): string =>
  reasons
    .filter((one) => one.state !== 'pass')
    .map((one) => `${one.gate}: ${one.message}`)
    .join('; ');

/** Carries out what was recorded, whoever recorded it, after one more look at everything. */
async function execute(mover: Mover, promotion: Promotion, revision: Revision): Promise<Moved> {
  const { ports, policies } = mover;
  const target = (await ports.channels.listChannels()).find(({ name }) => name === promotion.toChannel);
  if (!target) return settle(mover, promotion, revision, { refused: 'the channel is gone' });
  const policy = channelPolicyOf(await policies.policyOf(target), target);
  const evaluation = await gatesFor(ports, target, policy, revision);
  if (evaluation?.eligible !== true && !(await isThere(ports, target, revision))) {
    const why =
      evaluation === undefined
        ? 'the content is no longer in the channel before'
        : openReasons(evaluation.reasons);
    return settle(mover, { ...promotion, evidence: evaluation?.reasons ?? [] }, revision, {
      refused: `a gate closed before the branch was moved: ${why}`,
    });
  }
  return settle(mover, promotion, revision, await moveBranch(ports, promotion, revision, target));
}

/** A process that died after the push: the gates may have closed since, the branch is where it was to go. */
const isThere = async (ports: EnginePorts, target: Channel, revision: Revision): Promise<boolean> =>
  (await ports.git.fetch(target.repository)).get(target.branch) === revision.commit;

type End = { readonly commit: string } | { readonly refused: string; readonly files?: readonly string[] };

async function moveBranch(
  { git }: EnginePorts,
  promotion: Promotion,
  revision: Revision,
  target: Channel,
): Promise<End> {
  const { repository, branch } = target;
  const expected = promotion.expectedCommit;
  const result = await git.advance(repository, branch, revision.commit, expected);
  if (result === 'advanced' || result === 'already') return { commit: revision.commit };
  if (expected === undefined) return { refused: MOVED };
  // A merge that an earlier try made has moved the branch away from what was expected: merging again finds it.
  if (result === 'diverged' && (await git.isAncestor(repository, revision.commit, expected))) {
    return { commit: expected };
  }
  const merged = await git.merge(repository, branch, revision.commit, expected, {
    message: `Promote ${promotion.fromChannel} to ${target.name}\n\n${revision.subject}\n\nFairway-Promotion: ${promotion.id}\nFairway-Revision: ${revision.commit}`,
    at: promotion.createdAt,
  });
  if (merged.kind === 'moved') return { refused: MOVED };
  if (merged.kind === 'conflict') {
    const files = merged.files.slice(0, 20).join(', ');
    return {
      refused: `${CONFLICT}: ${promotion.fromChannel} and ${target.name} both changed ${files}`,
      files: merged.files,
    };
  }
  return { commit: merged.commit };
}

const MOVED = 'the branch moved meanwhile; it is looked at again';

async function settle(mover: Mover, promotion: Promotion, revision: Revision, end: End): Promise<Moved> {
  const { ports, lease } = mover;
  const settledAt = ports.clock.now();
  const settled: Promotion =
    'commit' in end
      ? { ...promotion, state: 'done', resultCommit: end.commit, settledAt }
      : { ...promotion, state: 'refused', reason: end.refused, settledAt };
  const event = promotionEvent(settled, revision);
  await ports.channels.settlePromotion(await lease.current(), settled, [event]);
  const problems = 'files' in end ? [conflictProblem(settled, end.files ?? [])] : [];
  await ports.decisions.saveProblems(await lease.current(), `promotion/${settled.toChannel}`, problems, []);
  const target = (await ports.channels.listChannels()).find(({ name }) => name === settled.toChannel);
  if (target) await ports.doorbell.ring(`repository/${target.repository}`).catch(() => undefined);
  return { kind: settled.state === 'done' ? 'done' : 'refused', message: event.message };
}

const conflictProblem = (promotion: Promotion, files: readonly string[]): Problem => ({
  type: problemType('merge-conflict'),
  title: 'merge conflict',
  detail: `${promotion.fromChannel} → ${promotion.toChannel}: both sides changed ${files.join(', ')}`,
  instance: `channel/${promotion.toChannel}`,
  hint: `Merge ${promotion.fromChannel} into ${promotion.toChannel} by hand and push; equal content keeps its evidence.`,
  severity: 'error',
});

function promotionEvent(promotion: Promotion, revision: Revision): FleetEvent {
  const { toChannel, fromChannel, requestedBy } = promotion;
  const moved = promotion.state === 'done';
  const short = revision.commit.slice(0, 12);
  const who = requestedBy === undefined ? '' : ` (asked for by ${requestedBy})`;
  const merged =
    promotion.resultCommit !== undefined && promotion.resultCommit !== revision.commit ? ' by a merge' : '';
  return {
    type: moved ? 'promotion.done' : 'promotion.refused',
    at: promotion.settledAt ?? promotion.createdAt,
    severity: moved ? 'info' : 'warning',
    subject: `channel/${toChannel}`,
    channel: toChannel,
    message: moved
      ? `${short} promoted from ${fromChannel} to ${toChannel}${merged}${who}: ${revision.subject}`
      : `${short} was not promoted to ${toChannel}${who}: ${promotion.reason}`,
    data: {
      commit: revision.commit,
      revisionId: revision.id,
      promotionId: promotion.id,
      resultCommit: promotion.resultCommit,
      from: fromChannel,
      evidence: promotion.evidence,
    },
    ...(!moved && { dedupeKey: `promotion|${promotion.revisionId}|${promotion.reason}` }),
  };
}

/** Promotions that a killed worker recorded and did not settle. */
export async function finishPromotions(
  mover: Mover,
  channels: readonly Channel[],
  from: string,
): Promise<void> {
  const { ports } = mover;
  for (const target of channels.filter((candidate) => candidate.from === from)) {
    const open = await ports.channels.promotions(10, { toChannel: target.name, state: 'intended' });
    for (const promotion of open.filter((one) => one.kind !== 'rollback')) {
      const revision = await ports.channels.getRevision(promotion.revisionId);
      if (revision) await execute(mover, promotion, revision);
    }
  }
}

/** Promotions that people asked for. Each is settled, with the reason where it cannot be. */
export async function runPromoteRequests(
  mover: Mover,
  channels: readonly Channel[],
  from: string,
): Promise<void> {
  const { ports, lease } = mover;
  for (const target of channels.filter((candidate) => candidate.from === from)) {
    for (const request of await ports.decisions.openRequests(target.name)) {
      if (request.kind !== 'promote') continue;
      const revision = await ports.channels.getRevision(request.revisionId);
      const moved = revision
        ? await promote(mover, from, revision, target, request)
        : refusedNow('the revision is not known');
      if (!moved) continue;
      const settled = { ...request, state: moved.kind, message: moved.message, settledAt: ports.clock.now() };
      await ports.decisions.settleRequest(await lease.current(), settled, [requestEvent(settled)]);
    }
  }
}

export function requestEvent(request: ChannelRequest): FleetEvent {
  const subject = `channel/${request.channel}`;
  return {
    type: `request.${request.state}`,
    at: request.settledAt ?? request.createdAt,
    severity: request.state === 'refused' ? 'warning' : 'info',
    subject,
    channel: request.channel,
    ...(request.clusterId !== undefined && { clusterId: request.clusterId }),
    message: `${request.channel}: ${request.kind} asked for by ${request.by}: ${request.message ?? request.reason}`,
    data: { requestId: request.id, kind: request.kind, by: request.by, reason: request.reason },
  };
}
