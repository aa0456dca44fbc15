import { Body, Controller, Delete, HttpCode, Inject, Param, Put, Req } from '@nestjs/common';
import type { Cluster } from '#fleet';
import { PATTERNS, configValueSchema } from '#fleet';
import { type AuthenticatedRequest } from '../auth/token.guard.js';
import { API, type ApiRuntime } from '../api-runtime.js';
import { notFound } from '../errors/api-error.js';
import { changeOf } from './if-match.js';
import { checkPath, parseBody } from './parse-body.js';
import { ringCluster } from './ring-cluster.js';

/** Config items of clusters and of their node pools. */
@Controller('kubernetes-clusters/:cluster')
export class ConfigItemsController {
  constructor(@Inject(API) private readonly api: ApiRuntime) {}

  @Put('config-items/:key')
  @HttpCode(200)
  async set(
    @Param('cluster') id: string,
    @Param('key') key: string,
    @Body() body: unknown,
    @Req() request: AuthenticatedRequest,
  ) {
    const cluster = await this.check(id, key);
    const { value } = parseBody(configValueSchema, body);
    await this.api.registry.setConfigItem(id, key, value, changeOf(request));
    await ringCluster(this.api, cluster);
    return { value };
  }

  @Delete('config-items/:key')
  @HttpCode(204)
  async remove(
    @Param('cluster') id: string,
    @Param('key') key: string,
    @Req() request: AuthenticatedRequest,
  ): Promise<void> {
    const cluster = await this.check(id, key);
    await this.api.registry.deleteConfigItem(id, key, changeOf(request));
    await ringCluster(this.api, cluster);
  }

  @Put('node-pools/:pool/config-items/:key')
  @HttpCode(200)
  async setOfPool(
    @Param('cluster') id: string,
    @Param('pool') pool: string,
    @Param('key') key: string,
    @Body() body: unknown,
    @Req() request: AuthenticatedRequest,
  ) {
    const cluster = await this.check(id, key);
    checkPath('node_pool_name', pool, PATTERNS.poolName);
    const { value } = parseBody(configValueSchema, body);
    await this.api.registry.setPoolConfigItem(id, pool, key, value, changeOf(request));
    await ringCluster(this.api, cluster);
    return { value };
  }

  @Delete('node-pools/:pool/config-items/:key')
  @HttpCode(204)
  async removeOfPool(
    @Param('cluster') id: string,
    @Param('pool') pool: string,
    @Param('key') key: string,
    @Req() request: AuthenticatedRequest,
  ): Promise<void> {
    const cluster = await this.check(id, key);
    checkPath('node_pool_name', pool, PATTERNS.poolName);
    await this.api.registry.deletePoolConfigItem(id, pool, key, changeOf(request));
    await ringCluster(this.api, cluster);
  }

  private async check(id: string, key: string): Promise<Cluster> {
    checkPath('config_key', key, PATTERNS.configKey);
    const cluster = await this.api.registry.getCluster(checkPath('cluster_id', id, PATTERNS.id));
    if (!cluster) throw notFound(`cluster ${id}`);
    return cluster;
  }
}
