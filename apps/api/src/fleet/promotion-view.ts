import { Inject, Injectable } from '@nestjs/common';
import { sha256Hex, toIso, type Instant } from '#kernel';
import type { Channel, ChannelRequest, FleetEvent, GateReason, Revision } from '#fleet';
import { channelPolicyOf, gatesFor, StoredPolicies } from '#engine';
import type { ChannelPolicy, GateEvaluation } from '#promotion';
import { API, type ApiRuntime } from '../api-runtime.js';
import { actorOf, type AuthenticatedRequest } from '../auth/token.guard.js';
import { ApiError, notFound } from '../errors/api-error.js';

/** A revision before the gates of a channel. */
export interface Candidate {
  readonly channel: Channel;
  readonly policy: ChannelPolicy;
  readonly revision: Revision;
  /** Undefined for a channel that people push to, or a content that never was in the channel before. */
  readonly evaluation: GateEvaluation | undefined;
}

/** What the controllers of promotion share: the same judge as the worker's, on the policy that a worker stored. */
@Injectable()
export class PromotionView {
  constructor(@Inject(API) private readonly api: ApiRuntime) {}

  async channel(name: string): Promise<Channel> {
    const all = await this.api.channels.listChannels();
    const channel = all.find((candidate) => candidate.name === name);
    if (!channel) throw notFound(`channel ${name}`, `Channels: ${all.map((one) => one.name).join(', ')}.`);
    return channel;
  }

  /** By commit (or the beginning of one); without it what stands in the channel before. */
  async candidate(name: string, commit: string | undefined): Promise<Candidate> {
    const channel = await this.channel(name);
    const policy = channelPolicyOf(await new StoredPolicies(this.api.decisions).policyOf(channel), channel);
    if (policy.from === undefined)
      throw new ApiError(
        409,
        'no-channel-before',
        `people push to ${name} directly: nothing is promoted into it`,
      );
    const revision = await this.revisionIn([policy.from, name], commit);
    return { channel, policy, revision, evaluation: await gatesFor(this.api, channel, policy, revision) };
  }

  /** The newest revision of the channels, or the one whose commit begins so. */
  async revisionIn(channels: readonly string[], commit: string | undefined): Promise<Revision> {
    for (const name of channels) {
      for (const entry of await this.api.channels.channelRevisions(name, commit === undefined ? 1 : 100)) {
        const revision = await this.api.channels.getRevision(entry.revisionId);
        if (revision && (commit === undefined || revision.commit.startsWith(commit))) return revision;
      }
      if (commit === undefined) break;
    }
    throw notFound(
      commit === undefined
        ? `a revision in ${channels[0]}`
        : `revision ${commit} in ${channels.join(' or ')}`,
    );
  }

  /** Records the wish once per Idempotency-Key, and wakes who does it. */
  async ask(
    request: AuthenticatedRequest,
    wish: Pick<ChannelRequest, 'kind' | 'channel' | 'revisionId' | 'reason'> & {
      readonly clusterId?: string;
    },
    ring: string,
    data: Readonly<Record<string, unknown>> = {},
  ): Promise<ChannelRequest> {
    const by = actorOf(request);
    const given = request.headers['idempotency-key'];
    const id =
      typeof given === 'string' && given !== ''
        ? sha256Hex(`${by}|${wish.kind}|${given}`).slice(0, 32)
        : this.api.ids.next();
    const known = await this.api.decisions.getRequest(id);
    if (known) return known;
    const createdAt = this.api.clock.now();
    const asked: ChannelRequest = { ...wish, id, by, state: 'open', createdAt };
    await this.api.decisions.addRequest(
      asked,
      this.event(asked.channel, `${asked.kind}.requested`, 'warning', {
        at: createdAt,
        message: `${asked.channel}: ${by} asks for ${asked.kind}: ${asked.reason}`,
        data: { requestId: id, revisionId: asked.revisionId, by, reason: asked.reason, ...data },
      }),
    );
    await this.api.doorbell.ring(`channel/${ring}`).catch(() => undefined);
    return asked;
  }

  event(
    channel: string,
    type: string,
    severity: FleetEvent['severity'],
    rest: { readonly at: Instant; readonly message: string; readonly data: FleetEvent['data'] },
  ): FleetEvent {
    return { type, severity, subject: `channel/${channel}`, channel, ...rest };
  }
}

export const encodeRequest = (request: ChannelRequest) => ({
  id: request.id,
  kind: request.kind,
  channel: request.channel,
  cluster: request.clusterId,
  revision: request.revisionId,
  by: request.by,
  reason: request.reason,
  state: request.state,
  message: request.message,
  created_at: toIso(request.createdAt),
  settled_at: request.settledAt === undefined ? undefined : toIso(request.settledAt),
});

const encodeReason = (reason: GateReason) => ({
  gate: reason.gate,
  state: reason.state,
  message: reason.message,
  ...(reason.nextChangeAt !== undefined && { next_change_at: toIso(reason.nextChangeAt) }),
});

export const encodeCandidate = ({ channel, policy, revision, evaluation }: Candidate) => ({
  channel: channel.name,
  from: policy.from,
  commit: revision.commit,
  subject: revision.subject,
  author: revision.author,
  tree_digest: revision.treeDigest,
  promotion: policy.promotion,
  eligible: evaluation?.eligible ?? false,
  already: evaluation?.already ?? false,
  awaiting_approval: evaluation?.awaitingApproval ?? false,
  evidence_digest: evaluation?.evidenceDigest,
  ...(evaluation?.nextChangeAt !== undefined && { next_change_at: toIso(evaluation.nextChangeAt) }),
  gates: evaluation?.reasons.map(encodeReason) ?? [
    { gate: 'source', state: 'fail', message: `this content was never seen in ${policy.from}` },
  ],
});

/** 409 with every reason. */
export function notEligible({ channel, revision, evaluation }: Candidate): ApiError {
  const open = (evaluation?.reasons ?? []).filter((one) => one.state !== 'pass');
  const why =
    open.length === 0
      ? 'its content was never in the channel before'
      : open.map((one) => `${one.gate}: ${one.message}`).join('; ');
  return new ApiError(
    409,
    'gates-closed',
    `${revision.commit.slice(0, 12)} may not enter ${channel.name}: ${why}`,
    'Wait for the gates, approve what waits for approval, or let an admin break the glass.',
  );
}
