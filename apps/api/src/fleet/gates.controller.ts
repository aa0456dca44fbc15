import { Body, Controller, Get, HttpCode, Inject, Param, Post, Query, Req } from '@nestjs/common';
import { z } from 'zod';
import { parseDuration, toIso } from '#kernel';
import type { GateAnswer } from '#fleet';
import { API, type ApiRuntime } from '../api-runtime.js';
import { actorOf, type AuthenticatedRequest } from '../auth/token.guard.js';
import { parseBody } from '../registry/parse-body.js';
import { encodeCandidate, PromotionView } from './promotion-view.js';

export const commitSchema = z.string().regex(/^[0-9a-f]{6,64}$/, 'is no commit id');
export const reasonSchema = z.string({ error: 'say why' }).trim().min(1, 'say why').max(1_000);
const querySchema = z.object({ commit: commitSchema.optional() });

const answerSchema = z.strictObject({
  gate: z.enum(['health', 'preflight', 'backup']),
  name: z.string().min(1).max(200),
  state: z.enum(['pass', 'fail', 'pending', 'error']),
  message: z.string().min(1).max(1_000),
  expires_in: z
    .string()
    .refine((text) => parseDuration(text) !== undefined, 'is no duration; write for example 2h')
    .optional(),
});

/** The gates of a channel: what is shown about a revision that wants in, and why not yet. */
@Controller('api/v1/channels')
export class GatesController {
  constructor(
    @Inject(API) private readonly api: ApiRuntime,
    @Inject(PromotionView) private readonly view: PromotionView,
  ) {}

  @Get(':channel/gates')
  async gates(@Param('channel') name: string, @Query() query: unknown) {
    const { commit } = parseBody(querySchema, query);
    return encodeCandidate(await this.view.candidate(name, commit));
  }

  /** What judges outside answered: backups, health, preflight. */
  @Get(':channel/gate-answers')
  async answers(@Param('channel') name: string) {
    await this.view.channel(name);
    const answers = await this.api.decisions.answers(name);
    return { items: answers.map(encodeAnswer) };
  }

  /** A backup system, a prober or a person reports; the newest answer of each name counts. */
  @Post(':channel/gate-answers')
  @HttpCode(201)
  async answer(@Param('channel') name: string, @Body() body: unknown, @Req() request: AuthenticatedRequest) {
    await this.view.channel(name);
    const { expires_in, ...said } = parseBody(answerSchema, body);
    const at = this.api.clock.now();
    const lasts = expires_in === undefined ? undefined : parseDuration(expires_in);
    const answer: GateAnswer = {
      channel: name,
      ...said,
      by: actorOf(request),
      at,
      ...(lasts !== undefined && { expiresAt: at + lasts }),
    };
    await this.api.decisions.saveAnswers([answer]);
    const subject = `channel/${name}`;
    await this.api.audit.append({
      at,
      actor: answer.by,
      action: 'gate.answered',
      subject,
      data: { ...answer },
    });
    await this.api.doorbell.ring(`channel/${name}`).catch(() => undefined);
    return encodeAnswer(answer);
  }
}

const encodeAnswer = ({ at, expiresAt, treeDigest, ...answer }: GateAnswer) => ({
  ...answer,
  tree_digest: treeDigest,
  at: toIso(at),
  expires_at: expiresAt === undefined ? undefined : toIso(expiresAt),
});
