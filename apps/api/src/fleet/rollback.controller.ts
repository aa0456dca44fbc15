import { Body, Controller, HttpCode, Inject, Param, Post, Req } from '@nestjs/common';
import { z } from 'zod';
import type { Revision } from '#fleet';
import { API, type ApiRuntime } from '../api-runtime.js';
import type { AuthenticatedRequest } from '../auth/token.guard.js';
import { ApiError } from '../errors/api-error.js';
import { parseBody } from '../registry/parse-body.js';
import { commitSchema, reasonSchema } from './gates.controller.js';
import { encodeRequest, PromotionView } from './promotion-view.js';
import { findCluster } from './cluster-lookup.js';

const rollbackSchema = z.strictObject({ to: commitSchema.optional(), reason: reasonSchema });

/** Back to a content that ran well before. Branches are never rewound; promotion is on hold afterwards. */
@Controller('api/v1')
export class RollbackController {
  constructor(
    @Inject(API) private readonly api: ApiRuntime,
    @Inject(PromotionView) private readonly view: PromotionView,
  ) {}

  @Post('channels/:channel/rollback')
  @HttpCode(202)
  async channel(@Param('channel') name: string, @Body() body: unknown, @Req() request: AuthenticatedRequest) {
    const { to, reason } = parseBody(rollbackSchema, body);
    await this.view.channel(name);
    const revision = to === undefined ? await this.lastGood(name) : await this.view.revisionIn([name], to);
    await this.requireOther(name, revision);
    return encodeRequest(
      await this.view.ask(
        request,
        { kind: 'rollback', channel: name, revisionId: revision.id, reason },
        name,
      ),
    );
  }

  @Post('clusters/:cluster/rollback')
  @HttpCode(202)
  async cluster(@Param('cluster') id: string, @Body() body: unknown, @Req() request: AuthenticatedRequest) {
    const { to, reason } = parseBody(rollbackSchema, body);
    const cluster = await findCluster(this.api, id);
    const last = to ?? (await this.api.updates.runtime(cluster.id))?.status?.lastVersion;
    if (last === undefined)
      throw new ApiError(409, 'no-last-version', `cluster ${cluster.alias} had nothing before`);
    const revision = await this.view.revisionIn([cluster.channel], last);
    const wish = {
      kind: 'rollback-cluster',
      channel: cluster.channel,
      revisionId: revision.id,
      clusterId: cluster.id,
      reason,
    } as const;
    return encodeRequest(await this.view.ask(request, wish, cluster.channel));
  }

  private async requireOther(name: string, revision: Revision): Promise<void> {
    const [head] = await this.api.channels.channelRevisions(name, 1);
    const present =
      head?.admitted === true ? await this.api.channels.getRevision(head.revisionId) : undefined;
    if (present?.treeDigest !== revision.treeDigest) return;
    throw new ApiError(
      409,
      'already-there',
      `${name} has the content of ${revision.commit.slice(0, 12)} now: there is nothing to roll back`,
    );
  }

  /** The newest content other than the present one that all clusters ran in health. */
  private async lastGood(name: string): Promise<Revision> {
    const [head, ...older] = await this.api.channels.channelRevisions(name, 100);
    const present = head && (await this.api.channels.getRevision(head.revisionId));
    for (const entry of older) {
      if (entry.convergedAt === undefined || entry.phase === 'failed' || entry.phase === 'rolled-back')
        continue;
      const revision = await this.api.channels.getRevision(entry.revisionId);
      if (revision && revision.treeDigest !== present?.treeDigest) return revision;
    }
    throw new ApiError(
      409,
      'nothing-to-roll-back-to',
      `${name} has no earlier content that ran well`,
      'Name a commit with "to".',
    );
  }
}
