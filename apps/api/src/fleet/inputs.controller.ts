import { Body, Controller, Get, HttpCode, Inject, Param, Post, Req } from '@nestjs/common';
import { z } from 'zod';
import { toIso } from '#kernel';
import { actorOf, type AuthenticatedRequest } from '../auth/token.guard.js';
import { API, type ApiRuntime } from '../api-runtime.js';
import { notFound } from '../errors/api-error.js';
import { parseBody } from '../registry/parse-body.js';
import { ringCluster } from '../registry/ring-cluster.js';
import { findCluster } from './cluster-lookup.js';

const VERSIONS_SHOWN = 20;

const refreshSchema = z.object({
  reason: z.string({ error: 'say why' }).min(1, 'say why').max(1_000),
});

/** The facts of AWS that a cluster is rendered with. The API stores wishes; a worker looks things up. */
@Controller('api/v1/clusters')
export class InputsController {
  constructor(@Inject(API) private readonly api: ApiRuntime) {}

  @Get(':cluster/inputs')
  async show(@Param('cluster') name: string) {
    const cluster = await findCluster(this.api, name);
    const [locks, runtime, open] = await Promise.all([
      this.api.configs.inputsLocks(cluster.id, VERSIONS_SHOWN),
      this.api.updates.runtime(cluster.id),
      this.api.configs.openRefreshes(cluster.id),
    ]);
    const [lock] = locks;
    if (!lock) throw notFound(`an inputs lock of ${cluster.alias} (its first render makes one)`);
    const { decrypted: _secret, ...inputs } = lock.inputs;
    return {
      cluster: cluster.id,
      version: lock.version,
      digest: inputs.digest,
      reason: lock.reason,
      created_at: toIso(lock.createdAt),
      refresh_requested: open.length > 0,
      inputs,
      // Not locked: they follow the stack.
      observed: { clusterStackOutputs: runtime?.inputs?.clusterStackOutputs },
      versions: locks.map(({ version, reason, createdAt, inputs: { digest } }) => ({
        version,
        digest,
        reason,
        created_at: toIso(createdAt),
      })),
    };
  }

  /** Looked up at the worker's next look, which is now. What differs is planned as any change. */
  @Post(':cluster/inputs/refresh')
  @HttpCode(202)
  async refresh(@Param('cluster') name: string, @Body() body: unknown, @Req() request: AuthenticatedRequest) {
    const cluster = await findCluster(this.api, name);
    const { reason } = parseBody(refreshSchema, body);
    const id = this.api.ids.next();
    await this.api.configs.requestRefresh({
      id,
      clusterId: cluster.id,
      actor: actorOf(request),
      reason,
      requestedAt: this.api.clock.now(),
    });
    await ringCluster(this.api, cluster);
    return { id, cluster: cluster.id };
  }
}
