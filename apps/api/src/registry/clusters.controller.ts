import {
  Body,
  Controller,
  Delete,
  Get,
  HttpCode,
  Inject,
  Param,
  Patch,
  Post,
  Query,
  Req,
  Res,
} from '@nestjs/common';
import type { Response } from 'express';
import type { Cluster } from '#fleet';
import type { Change, ClusterFilter } from '#ports';
import {
  PATTERNS,
  clusterSchema,
  clusterUpdateSchema,
  decodeCluster,
  decodeClusterUpdate,
  encodeCluster,
} from '#fleet';
import { actorOf, type AuthenticatedRequest } from '../auth/token.guard.js';
import { API, type ApiRuntime } from '../api-runtime.js';
import { badRequest, notFound } from '../errors/api-error.js';
import { ringCluster } from './ring-cluster.js';
import { checkPath, parseBody } from './parse-body.js';
import { clusterQuerySchema, verboseSchema } from './query.schemas.js';

/** `/kubernetes-clusters` of the registry contract. */
@Controller('kubernetes-clusters')
export class ClustersController {
  constructor(@Inject(API) private readonly api: ApiRuntime) {}

  @Get()
  async list(@Query() query: unknown) {
    const { verbose, ...filter } = parseBody(clusterQuerySchema, query);
    const clusters = await this.api.registry.listClusters(filterOf(filter));
    const statuses = await this.api.registry.statuses(clusters.map((cluster) => cluster.id));
    return { items: clusters.map((cluster) => encodeCluster(cluster, statuses.get(cluster.id), verbose)) };
  }

  @Post()
  @HttpCode(201)
  async create(
    @Body() body: unknown,
    @Req() request: AuthenticatedRequest,
    @Res({ passthrough: true }) response: Response,
  ) {
    const record = decodeCluster(parseBody(clusterSchema, body));
    await this.checkReferences(record);
    const cluster = await this.api.registry.createCluster(record, { actor: actorOf(request) });
    await ringCluster(this.api, cluster);
    return this.answer(cluster, response);
  }

  @Get(':cluster')
  async get(
    @Param('cluster') id: string,
    @Query() query: unknown,
    @Res({ passthrough: true }) response: Response,
  ) {
    const { verbose } = parseBody(verboseSchema, query);
    return this.answer(await this.cluster(id), response, verbose);
  }

  @Patch(':cluster')
  async update(
    @Param('cluster') id: string,
    @Body() body: unknown,
    @Req() request: AuthenticatedRequest,
    @Res({ passthrough: true }) response: Response,
  ) {
    const present = await this.cluster(id);
    const update = parseBody(clusterUpdateSchema, body);
    if (update.id !== undefined && update.id !== id)
      throw badRequest([{ field: 'id', message: 'an id never changes' }]);
    const patch = decodeClusterUpdate(update, present);
    await this.checkReferences(patch);
    // Config items were merged into what was read: nobody else may have written in between.
    const merged = patch.configItems !== undefined;
    const change: Change = {
      actor: actorOf(request),
      ...(ifMatch(request) ?? (merged ? { expectedVersion: present.recordVersion } : {})),
    };
    const cluster = await this.api.registry.updateCluster(id, patch, change);
    await ringCluster(this.api, cluster);
    return this.answer(cluster, response);
  }

  @Delete(':cluster')
  @HttpCode(204)
  async remove(@Param('cluster') id: string, @Req() request: AuthenticatedRequest): Promise<void> {
    await this.cluster(id);
    await this.api.registry.deleteCluster(id, { actor: actorOf(request), ...ifMatch(request) });
  }

  private async cluster(id: string): Promise<Cluster> {
    const cluster = await this.api.registry.getCluster(checkPath('cluster_id', id, PATTERNS.id));
    if (!cluster) throw notFound(`cluster ${id}`);
    return cluster;
  }

  private async answer(cluster: Cluster, response: Response, verbose = true) {
    response.setHeader('ETag', `"${cluster.recordVersion}"`);
    const status = (await this.api.registry.statuses([cluster.id])).get(cluster.id);
    return encodeCluster(cluster, status, verbose);
  }

  /** A channel that is not configured would leave the cluster waiting for ever. */
  private async checkReferences(record: { channel?: string; infrastructureAccount?: string }): Promise<void> {
    const { channel, infrastructureAccount: account } = record;
    if (channel !== undefined) {
      const names = (await this.api.channels.listChannels()).map((known) => known.name);
      if (names.length > 0 && !names.includes(channel)) {
        throw badRequest([
          { field: 'channel', message: `unknown channel "${channel}"; channels are ${names.join(', ')}` },
        ]);
      }
    }
    if (account !== undefined && !(await this.api.registry.getAccount(account))) {
      throw badRequest([
        {
          field: 'infrastructure_account',
          message: `unknown infrastructure account "${account}"; register it first`,
        },
      ]);
    }
  }
}

function filterOf(query: Record<string, string | number | undefined>): ClusterFilter {
  const names: Readonly<Record<string, keyof ClusterFilter>> = {
    alias: 'alias',
    api_server_url: 'apiServerUrl',
    channel: 'channel',
    criticality_level: 'criticalityLevel',
    environment: 'environment',
    infrastructure_account: 'infrastructureAccount',
    lifecycle_status: 'lifecycleStatus',
    local_id: 'localId',
    provider: 'provider',
    region: 'region',
    cost_center: 'costCenter',
  };
  const entries = Object.entries(query).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries.map(([key, value]) => [names[key], value])) as ClusterFilter;
}

function ifMatch(request: AuthenticatedRequest): { expectedVersion: number } | undefined {
  const header = request.headers['if-match'];
  if (header === undefined || header === '*') return undefined;
  const version = /^(?:W\/)?"(\d+)"$/.exec(header)?.[1];
  if (version === undefined)
    throw badRequest([{ field: 'If-Match', message: 'must be an ETag of this record' }]);
  return { expectedVersion: Number(version) };
}
