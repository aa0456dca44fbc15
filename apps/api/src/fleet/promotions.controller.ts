import { Body, Controller, Get, HttpCode, Inject, Param, Post, Req } from '@nestjs/common';
import { z } from 'zod';
import { API, type ApiRuntime } from '../api-runtime.js';
import type { AuthenticatedRequest } from '../auth/token.guard.js';
import { ApiError, notFound } from '../errors/api-error.js';
import { parseBody } from '../registry/parse-body.js';
import { commitSchema, reasonSchema } from './gates.controller.js';
import { encodeRequest, notEligible, PromotionView } from './promotion-view.js';

const promoteSchema = z.strictObject({ commit: commitSchema.optional(), reason: reasonSchema });

/** People ask for a promotion; a worker carries it out after one more look at the gates. */
@Controller('api/v1')
export class PromotionsController {
  constructor(
    @Inject(API) private readonly api: ApiRuntime,
    @Inject(PromotionView) private readonly view: PromotionView,
  ) {}

  @Post('channels/:channel/promotions')
  @HttpCode(202)
  async promote(@Param('channel') name: string, @Body() body: unknown, @Req() request: AuthenticatedRequest) {
    const { commit, reason } = parseBody(promoteSchema, body);
    const candidate = await this.view.candidate(name, commit);
    if (candidate.evaluation?.already === true)
      throw new ApiError(
        409,
        'already-there',
        `${name} has ${candidate.revision.commit.slice(0, 12)} already`,
      );
    if (candidate.evaluation?.eligible !== true) throw notEligible(candidate);
    const asked = await this.view.ask(
      request,
      { kind: 'promote', channel: name, revisionId: candidate.revision.id, reason },
      candidate.policy.from ?? name,
      { evidence: candidate.evaluation.reasons },
    );
    return encodeRequest(asked);
  }

  @Get('channels/:channel/requests')
  async requests(@Param('channel') name: string) {
    await this.view.channel(name);
    return { items: (await this.api.decisions.requests(name, 50)).map(encodeRequest) };
  }

  /** How something that was asked for goes on: `open`, `done` or `refused` with the reason. */
  @Get('requests/:request')
  async request(@Param('request') id: string) {
    const request = await this.api.decisions.getRequest(id);
    if (!request) throw notFound(`request ${id}`);
    return encodeRequest(request);
  }
}
