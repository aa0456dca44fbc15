import { Body, Controller, Get, HttpCode, Inject, Param, Post, Req } from '@nestjs/common';
import { z } from 'zod';
import { toIso } from '#kernel';
import { refKey } from '#fleet';
import { NeedsRole } from '../auth/needs.decorator.js';
import { actorOf, type AuthenticatedRequest } from '../auth/token.guard.js';
import { API, type ApiRuntime } from '../api-runtime.js';
import { ApiError } from '../errors/api-error.js';
import { parseBody } from '../registry/parse-body.js';
import { ringCluster } from '../registry/ring-cluster.js';
import { findCluster } from './cluster-lookup.js';

const confirmSchema = z.object({
  digest: z.string({ error: 'is the digest that prune list shows' }).min(1),
  reason: z.string({ error: 'say why' }).min(1, 'say why').max(1_000),
});

/** Objects that left Git and are kept, and the confirmation that lets them go. */
@Controller('api/v1/clusters')
export class PruneController {
  constructor(@Inject(API) private readonly api: ApiRuntime) {}

  @Get(':cluster/prune')
  async list(@Param('cluster') name: string) {
    const cluster = await findCluster(this.api, name);
    const state = await this.api.updates.pruneState(cluster.id);
    return {
      digest: state?.digest,
      decided_at: state && toIso(state.decidedAt),
      confirmable: state?.confirmable ?? 0,
      items: (state?.kept ?? []).map(({ ref, component, code, reason, remedy }) => ({
        object: refKey(ref),
        component,
        code,
        reason,
        remedy,
      })),
    };
  }

  /** Counts for exactly the set of objects that the digest names; another set needs another confirmation. */
  @Post(':cluster/prune/confirm')
  @NeedsRole('approver')
  @HttpCode(202)
  async confirm(@Param('cluster') name: string, @Body() body: unknown, @Req() request: AuthenticatedRequest) {
    const cluster = await findCluster(this.api, name);
    const { digest, reason } = parseBody(confirmSchema, body);
    const state = await this.api.updates.pruneState(cluster.id);
    if (!state || state.digest !== digest || state.confirmable === 0) {
      throw new ApiError(
        409,
        'prune-changed',
        `no prune of ${cluster.alias} waits under this digest`,
        'Look at fairway prune list again; the set of objects may have changed.',
      );
    }
    const id = this.api.ids.next();
    await this.api.updates.requestManifests({
      id,
      clusterId: cluster.id,
      kind: 'confirm-prune',
      digest,
      actor: actorOf(request),
      reason,
      requestedAt: this.api.clock.now(),
    });
    await ringCluster(this.api, cluster);
    return { id, cluster: cluster.id, objects: state.confirmable };
  }
}
