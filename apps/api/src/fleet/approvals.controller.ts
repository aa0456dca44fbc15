import { Body, Controller, Get, HttpCode, Inject, Param, Post, Query, Req } from '@nestjs/common';
import { z } from 'zod';
import { days, hours, parseDuration, toIso } from '#kernel';
import type { ApprovalRecord, BrokenGlass, FleetEvent, GateReason, Revision } from '#fleet';
import type { Role } from '#ports';
import { API, type ApiRuntime } from '../api-runtime.js';
import { NeedsRole } from '../auth/needs.decorator.js';
import { actorOf, type AuthenticatedRequest } from '../auth/token.guard.js';
import { ApiError } from '../errors/api-error.js';
import { parseBody } from '../registry/parse-body.js';
import { commitSchema, reasonSchema } from './gates.controller.js';
import { encodeCandidate, PromotionView, type Candidate } from './promotion-view.js';

const decisionSchema = z.strictObject({
  decision: z.enum(['approve', 'reject']),
  commit: commitSchema.optional(),
  reason: z.string().trim().max(1_000).optional(),
  /** What the person saw; refused where the evidence is another one by now. */
  evidence_digest: z.string().max(200).optional(),
});

const LONGEST_GLASS = days(7);
const glassSchema = z.strictObject({
  commit: commitSchema.optional(),
  reason: reasonSchema,
  expires_in: z
    .string()
    .default('24h')
    .refine(
      (text) => (parseDuration(text) ?? Infinity) <= LONGEST_GLASS,
      'is no duration of at most 7d, e.g. 2h',
    ),
});
const querySchema = z.object({ commit: commitSchema.optional() });

/** The roles that a token's holder speaks with. Admins may do what operators and approvers may. */
const rolesOf = (role: Role | undefined): readonly string[] =>
  role === undefined ? [] : role === 'admin' ? ['admin', 'approver', 'operator'] : [role];

/** People's words about a content that wants into a channel. */
@Controller('api/v1/channels')
export class ApprovalsController {
  constructor(
    @Inject(API) private readonly api: ApiRuntime,
    @Inject(PromotionView) private readonly view: PromotionView,
  ) {}

  @Get(':channel/approvals')
  async list(@Param('channel') name: string, @Query() query: unknown) {
    const { commit } = parseBody(querySchema, query);
    const { revision } = await this.view.candidate(name, commit);
    const approvals = await this.api.decisions.approvals(name, revision.treeDigest);
    return { items: approvals.map(encodeApproval) };
  }

  @Post(':channel/approvals')
  @NeedsRole('approver')
  @HttpCode(201)
  async decide(@Param('channel') name: string, @Body() body: unknown, @Req() request: AuthenticatedRequest) {
    const wish = parseBody(decisionSchema, body);
    const candidate = await this.view.candidate(name, wish.commit);
    const { revision, policy, evaluation } = candidate;
    const seen = evaluation?.evidenceDigest;
    if (wish.evidence_digest !== undefined && wish.evidence_digest !== seen) {
      throw new ApiError(
        409,
        'evidence-changed',
        'the evidence is another one by now',
        'Look at the gates again.',
      );
    }
    const approval = this.approval(candidate, wish, request);
    await this.api.decisions.addApproval(approval, this.approvalEvent(approval, candidate));
    await this.api.doorbell.ring(`channel/${policy.from ?? name}`).catch(() => undefined);
    return {
      ...encodeApproval(approval),
      gates: encodeCandidate(await this.view.candidate(name, revision.commit)),
    };
  }

  private approval(
    { channel, revision, evaluation }: Candidate,
    wish: z.infer<typeof decisionSchema>,
    request: AuthenticatedRequest,
  ): ApprovalRecord {
    const seen = evaluation?.evidenceDigest;
    return {
      id: this.api.ids.next(),
      channel: channel.name,
      revisionId: revision.id,
      treeDigest: revision.treeDigest,
      ...(seen !== undefined && { evidenceDigest: seen }),
      decision: wish.decision,
      by: actorOf(request),
      roles: rolesOf(request.principal?.role),
      ...(wish.reason !== undefined && wish.reason !== '' && { reason: wish.reason }),
      at: this.api.clock.now(),
    };
  }

  private approvalEvent(approval: ApprovalRecord, { revision, evaluation }: Candidate): FleetEvent {
    const { by, at, channel } = approval;
    const approved = approval.decision === 'approve';
    const verb = approved ? 'approved' : 'rejected';
    const why = approval.reason === undefined ? '' : `: ${approval.reason}`;
    return this.view.event(channel, `approval.${verb}`, approved ? 'info' : 'warning', {
      at,
      message: `${channel}: ${by} ${verb} ${revision.commit.slice(0, 12)}${why}`,
      data: {
        commit: revision.commit,
        revisionId: revision.id,
        by,
        evidence: evaluation?.reasons ?? [],
      },
    });
  }

  /** Lets what is held on the channel roll out without its evidence. Loud, audited, and over at its expiry. */
  @Post(':channel/break-glass')
  @NeedsRole('admin')
  @HttpCode(201)
  async breakGlass(
    @Param('channel') name: string,
    @Body() body: unknown,
    @Req() request: AuthenticatedRequest,
  ) {
    const wish = parseBody(glassSchema, body);
    await this.view.channel(name);
    const revision = await this.view.revisionIn([name], wish.commit);
    const [entry] = await this.api.channels.channelRevisions(name, 1);
    if (entry?.revisionId !== revision.id || entry.phase !== 'held') {
      throw new ApiError(
        409,
        'not-held',
        `${revision.commit.slice(0, 12)} is not held on ${name}`,
        'Glass is broken for what is held; merge it to the branch first.',
      );
    }
    const glass = this.glass(revision, name, wish, request);
    await this.api.decisions.addBrokenGlass(glass, this.glassEvent(glass, revision, entry.reasons));
    await this.api.doorbell.ring(`channel/${name}`).catch(() => undefined);
    return {
      id: glass.id,
      channel: name,
      commit: revision.commit,
      by: glass.by,
      reason: glass.reason,
      expires_at: toIso(glass.expiresAt),
    };
  }

  private glass(
    revision: Revision,
    channel: string,
    wish: z.infer<typeof glassSchema>,
    request: AuthenticatedRequest,
  ): BrokenGlass {
    const createdAt = this.api.clock.now();
    return {
      id: this.api.ids.next(),
      channel,
      revisionId: revision.id,
      treeDigest: revision.treeDigest,
      by: actorOf(request),
      reason: wish.reason,
      createdAt,
      expiresAt: createdAt + (parseDuration(wish.expires_in) ?? hours(24)),
    };
  }

  private glassEvent(glass: BrokenGlass, revision: Revision, evidence: readonly GateReason[]): FleetEvent {
    const { channel, by, reason, createdAt } = glass;
    return this.view.event(channel, 'glass.broken', 'critical', {
      at: createdAt,
      message: `${channel}: ${by} BROKE THE GLASS for ${revision.commit.slice(0, 12)} (${revision.subject}): ${reason}`,
      data: { commit: revision.commit, revisionId: revision.id, by, reason, evidence },
    });
  }
}

const encodeApproval = (approval: ApprovalRecord) => ({
  id: approval.id,
  channel: approval.channel,
  decision: approval.decision,
  by: approval.by,
  reason: approval.reason,
  at: toIso(approval.at),
});
