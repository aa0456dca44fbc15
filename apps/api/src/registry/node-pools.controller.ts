import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Patch, Put, Req } from '@nestjs/common';
import type { Cluster } from '#fleet';
import { PATTERNS, decodePool, decodePoolUpdate, encodePool, poolSchema, poolUpdateSchema } from '#fleet';
import { type AuthenticatedRequest } from '../auth/token.guard.js';
import { API, type ApiRuntime } from '../api-runtime.js';
import { badRequest, notFound } from '../errors/api-error.js';
import { changeOf, ifMatch, mergedAnew } from './if-match.js';
import { checkPath, parseBody, parsePatch } from './parse-body.js';
import { ringCluster } from './ring-cluster.js';

/** `/kubernetes-clusters/{cluster_id}/node-pools` of the registry contract. */
@Controller('kubernetes-clusters/:cluster/node-pools')
export class NodePoolsController {
  constructor(@Inject(API) private readonly api: ApiRuntime) {}

  @Get()
  async list(@Param('cluster') id: string) {
    return { items: (await this.cluster(id)).nodePools.map(encodePool) };
  }

  @Put(':pool')
  @HttpCode(200)
  async put(
    @Param('cluster') id: string,
    @Param('pool') name: string,
    @Body() body: unknown,
    @Req() request: AuthenticatedRequest,
  ) {
    const cluster = await this.cluster(id);
    const pool = decodePool(parseBody(poolSchema, body));
    this.checkName(name, pool.name);
    const stored = await this.api.registry.putNodePool(id, pool, changeOf(request));
    await ringCluster(this.api, cluster);
    return encodePool(stored);
  }

  @Patch(':pool')
  async update(
    @Param('cluster') id: string,
    @Param('pool') name: string,
    @Body() body: unknown,
    @Req() request: AuthenticatedRequest,
  ) {
    const update = parsePatch(poolUpdateSchema, body);
    this.checkName(name, update.name ?? name);
    const seen = changeOf(request);
    return mergedAnew(id, ifMatch(request), async () => {
      const cluster = await this.cluster(id);
      const present = cluster.nodePools.find((pool) => pool.name === name);
      if (!present) throw notFound(`node pool ${name} of cluster ${id}`);
      const patch = decodePoolUpdate(update, present);
      if ((patch.minSize ?? present.minSize) > (patch.maxSize ?? present.maxSize))
        throw badRequest([{ field: 'min_size', message: 'min_size is greater than max_size' }]);
      // Sizes were compared, and items merged, with what was read: nobody else may have written in between.
      const change = { expectedVersion: cluster.recordVersion, ...seen };
      const stored = await this.api.registry.updateNodePool(id, name, patch, change);
      await ringCluster(this.api, cluster);
      return encodePool(stored);
    });
  }

  @Delete(':pool')
  @HttpCode(204)
  async remove(
    @Param('cluster') id: string,
    @Param('pool') name: string,
    @Req() request: AuthenticatedRequest,
  ): Promise<void> {
    const cluster = await this.cluster(id);
    this.checkName(name, name);
    await this.api.registry.deleteNodePool(id, name, changeOf(request));
    await ringCluster(this.api, cluster);
  }

  private checkName(path: string, body: string): void {
    checkPath('node_pool_name', path, PATTERNS.poolName);
    if (body !== path)
      throw badRequest([{ field: 'name', message: `is "${body}", the path says "${path}"` }]);
  }

  private async cluster(id: string): Promise<Cluster> {
    const cluster = await this.api.registry.getCluster(checkPath('cluster_id', id, PATTERNS.id));
    if (!cluster) throw notFound(`cluster ${id}`);
    return cluster;
  }
}
