import { Body, Controller, Get, HttpCode, Inject, Param, Post, Req } from '@nestjs/common';
import { z } from 'zod';
import { seconds, toIso } from '#kernel';
import type { Channel, ChannelRevision, GateReason, Promotion } from '#fleet';
import { actorOf, type AuthenticatedRequest } from '../auth/token.guard.js';
import { API, type ApiRuntime } from '../api-runtime.js';
import { ApiError, notFound } from '../errors/api-error.js';
import { parseBody } from '../registry/parse-body.js';
import { encodeRun } from './conformance.controller.js';

const acknowledgeSchema = z.object({ reason: z.string({ error: 'say why' }).min(1, 'say why').max(1_000) });

/** Channels: where each revision stands, and why not further. */
@Controller('api/v1/channels')
export class ChannelsController {
  constructor(@Inject(API) private readonly api: ApiRuntime) {}

  @Get()
  async list() {
    const channels = await this.api.channels.listChannels();
    return { items: await Promise.all(channels.map((channel) => this.encode(channel))) };
  }

  @Get(':channel')
  async get(@Param('channel') name: string) {
    return this.encode(await this.channel(name));
  }

  @Get(':channel/revisions')
  async revisions(@Param('channel') name: string) {
    await this.channel(name);
    const entries = await this.api.channels.channelRevisions(name, 50);
    return { items: await Promise.all(entries.map((entry) => this.encodeEntry(entry))) };
  }

  @Get(':channel/conformance')
  async conformance(@Param('channel') name: string) {
    await this.channel(name);
    return { items: (await this.api.channels.runsFor({ channel: name }, 50)).map(encodeRun) };
  }

  @Get(':channel/promotions')
  async promotions(@Param('channel') name: string) {
    await this.channel(name);
    return { items: (await this.api.channels.promotions(50, { toChannel: name })).map(encodePromotion) };
  }

  /** Somebody has looked at what paused the channel, e.g. `history-rewritten`. */
  @Post(':channel/acknowledge')
  @HttpCode(200)
  async acknowledge(
    @Param('channel') name: string,
    @Body() body: unknown,
    @Req() request: AuthenticatedRequest,
  ) {
    const channel = await this.channel(name);
    const { reason } = parseBody(acknowledgeSchema, body);
    if (channel.pausedReason === undefined)
      throw new ApiError(409, 'not-paused', `channel ${name} is not paused`);
    await this.resume(channel, actorOf(request), reason);
    await this.api.doorbell.ring(`channel/${name}`).catch(() => undefined);
    return this.encode(await this.channel(name));
  }

  private async resume(channel: Channel, actor: string, reason: string): Promise<void> {
    const { name, pausedReason: was } = channel;
    const lease = await this.api.leases.acquire(`channel/${name}`, seconds(10));
    if (!lease) {
      throw new ApiError(503, 'channel-busy', `channel ${name} is being worked on`, 'Try again in a second.');
    }
    const at = this.api.clock.now();
    const subject = `channel/${name}`;
    const message = `${name}: ${actor} acknowledged "${was}": ${reason}`;
    const data = { actor, reason, was };
    const event = {
      type: 'channel.resumed',
      at,
      severity: 'info',
      subject,
      channel: name,
      message,
      data,
    } as const;
    await this.api.channels.commitChannel(lease, {
      channel: name,
      admit: [],
      runs: [],
      pausedReason: null,
      events: [event],
    });
    await this.api.leases.release(lease);
    await this.api.audit.append({ at, actor, action: 'channel.acknowledge', subject, reason, data: { was } });
  }

  private async channel(name: string): Promise<Channel> {
    const all = await this.api.channels.listChannels();
    const channel = all.find((candidate) => candidate.name === name);
    if (!channel) throw notFound(`channel ${name}`, `Channels: ${all.map((one) => one.name).join(', ')}.`);
    return channel;
  }

  private async encode(channel: Channel) {
    const [entry] = await this.api.channels.channelRevisions(channel.name, 1);
    const repository = (await this.api.channels.repositories()).find(({ url }) => url === channel.repository);
    const policy = (await this.api.decisions.policies()).find((one) => one.channel === channel.name);
    return {
      name: channel.name,
      repository: channel.repository,
      branch: channel.branch,
      from: channel.from,
      paused_reason: channel.pausedReason,
      head: entry && (await this.encodeEntry(entry)),
      policy_problem: policy?.commit === channel.headCommit ? policy?.problem : undefined,
      git: {
        last_success_at:
          repository?.lastSuccessAt === undefined ? undefined : toIso(repository.lastSuccessAt),
        problem: repository?.problem,
      },
    };
  }

  private async encodeEntry(entry: ChannelRevision) {
    const revision = await this.api.channels.getRevision(entry.revisionId);
    const time = (instant: number | undefined) => (instant === undefined ? undefined : toIso(instant));
    return {
      commit: revision?.commit,
      subject: revision?.subject,
      author: revision?.author,
      tree_digest: revision?.treeDigest,
      phase: entry.phase,
      wave: entry.wave,
      waves: entry.waves,
      entered_at: toIso(entry.enteredAt),
      converged_at: time(entry.convergedAt),
      verified_at: time(entry.verifiedAt),
      soaking_since: time(entry.soakingSince),
      promoted_at: time(entry.promotedAt),
      why_not_yet: entry.reasons.map(encodeReason),
    };
  }
}

const encodeReason = (reason: GateReason) => ({
  gate: reason.gate,
  state: reason.state,
  message: reason.message,
  ...(reason.nextChangeAt !== undefined && { next_change_at: toIso(reason.nextChangeAt) }),
});

const encodePromotion = (promotion: Promotion) => ({
  id: promotion.id,
  kind: promotion.kind ?? 'promote',
  revision: promotion.revisionId,
  from: promotion.fromChannel,
  to: promotion.toChannel,
  state: promotion.state,
  expected_commit: promotion.expectedCommit,
  result_commit: promotion.resultCommit,
  requested_by: promotion.requestedBy,
  reason: promotion.reason,
  evidence: promotion.evidence.map(encodeReason),
  created_at: toIso(promotion.createdAt),
  settled_at: promotion.settledAt === undefined ? undefined : toIso(promotion.settledAt),
});
