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
import type { ClusterFilter } from '#ports';
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
import { ApiError, badRequest, notFound, type FieldFault } from '../errors/api-error.js';
import { channelNames } from './channel-names.js';
import { changeOf, etagOf, ifMatch, mergedAnew } from './if-match.js';
import { ringCluster } from './ring-cluster.js';
import { checkPath, parseBody, parsePatch } from './parse-body.js';
import { checkSamePools } from './same-pools.js';
import { clusterQuerySchema, verboseSchema } from './query.schemas.js';

/** `/kubernetes-clusters` of the registry contract. */
@Controller('kubernetes-clusters')
export class ClustersController {
  constructor(@Inject(API) private readonly api: ApiRuntime) {}

  @Get()
  async list(@Query() query: unknown) {
    const { verbose, ...filter } = parseBody(clusterQuerySchema, query);
    const clusters = await this.api.registry.listClusters(filterOf(filter));
    const ids = clusters.map(({ id }) => id);
    const { registry } = this.api;
    const [statuses, reported] = await Promise.all([registry.statuses(ids), registry.reportedStatuses(ids)]);
    return {
      items: clusters.map((cluster) =>
        encodeCluster(cluster, statuses.get(cluster.id), verbose, reported.get(cluster.id)),
      ),
    };
  }

  @Post()
  @HttpCode(201)
  async create(
    @Body() body: unknown,
    @Req() request: AuthenticatedRequest,
    @Res({ passthrough: true }) response: Response,
  ) {
    const parsed = parseBody(clusterSchema, body);
    const record = decodeCluster(parsed);
    await this.checkReferences(record);
    const cluster = await this.api.registry.createCluster(record, { actor: actorOf(request) });
    if (parsed.status) await this.api.registry.reportStatus(cluster.id, parsed.status);
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
    const update = parsePatch(clusterUpdateSchema, body);
    if (update.id !== undefined && update.id !== id)
      throw badRequest([{ field: 'id', message: 'an id never changes' }]);
    const seen = ifMatch(request);
    return mergedAnew(id, seen, async () => {
      const present = await this.cluster(id);
      checkSamePools(present, body);
      const patch = decodeClusterUpdate(update, present);
      await this.checkLifecycle(present, patch.lifecycleStatus);
      await this.checkReferences(patch);
      // Config items are merged into what was just read: nobody else may have written in between.
      const expectedVersion = seen?.expectedVersion ?? present.recordVersion;
      const cluster = await this.api.registry.updateCluster(id, patch, {
        actor: actorOf(request),
        expectedVersion,
      });
      if (update.status) await this.api.registry.reportStatus(id, update.status);
      await ringCluster(this.api, cluster);
      return this.answer(cluster, response);
    });
  }

  @Delete(':cluster')
  @HttpCode(204)
  async remove(@Param('cluster') id: string, @Req() request: AuthenticatedRequest): Promise<void> {
    await this.cluster(id);
    await this.api.registry.deleteCluster(id, changeOf(request));
  }

  /** Saying "decommissioned" of a cluster whose machines we run would only make us forget them. */
  private async checkLifecycle(
    present: Cluster,
    wanted: Cluster['lifecycleStatus'] | undefined,
  ): Promise<void> {
    if (wanted !== 'decommissioned' || present.lifecycleStatus === 'decommissioned') return;
    if ((await this.api.updates.listUpdates(present.id, 1)).length === 0) return;
    throw new ApiError(
      403,
      'lifecycle-of-fairway',
      'Fairway sets "decommissioned" when everything is gone',
      'Ask for it with lifecycle_status "decommission-requested".',
    );
  }

  private async cluster(id: string): Promise<Cluster> {
    const cluster = await this.api.registry.getCluster(checkPath('cluster_id', id, PATTERNS.id));
    if (!cluster) throw notFound(`cluster ${id}`);
    return cluster;
  }

  private async answer(cluster: Cluster, response: Response, verbose = true) {
    const { registry } = this.api;
    const status = (await registry.statuses([cluster.id])).get(cluster.id);
    // Read only where it counts: a cluster that Fairway has never looked at.
    const reported = status ? undefined : (await registry.reportedStatuses([cluster.id])).get(cluster.id);
    response.setHeader('ETag', etagOf(cluster, status));
    return encodeCluster(cluster, status, verbose, reported);
  }

  /** A channel that is not configured would leave the cluster waiting for ever. */
  private async checkReferences(record: { channel?: string; infrastructureAccount?: string }): Promise<void> {
    const { channel, infrastructureAccount: account } = record;
    const faults: FieldFault[] = [];
    const channels = channel === undefined ? [] : await channelNames(this.api);
    if (channel !== undefined && !channels.includes(channel)) {
      faults.push({
        field: 'channel',
        message: `unknown channel "${channel}"; channels are ${channels.join(', ')}`,
      });
    }
    if (account !== undefined && !(await this.api.registry.getAccount(account))) {
      faults.push({
        field: 'infrastructure_account',
        message: `unknown infrastructure account "${account}"; register it first`,
      });
    }
    if (faults.length > 0) throw badRequest(faults);
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
