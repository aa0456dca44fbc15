import { Body, Controller, Get, HttpCode, Inject, Param, Post, Query, Req } from '@nestjs/common';
import { z } from 'zod';
import { toIso } from '#kernel';
import { CLUSTER_PHASES, type Cluster, type ClusterStatus, type Update } from '#fleet';
import { actorOf, type AuthenticatedRequest } from '../auth/token.guard.js';
import { API, type ApiRuntime } from '../api-runtime.js';
import { ApiError, badRequest } from '../errors/api-error.js';
import { parseBody } from '../registry/parse-body.js';
import { ringCluster } from '../registry/ring-cluster.js';
import { findCluster } from './cluster-lookup.js';

const querySchema = z.object({ channel: z.string().optional(), phase: z.enum(CLUSTER_PHASES).optional() });
const decommissionSchema = z.object({
  confirm: z.string({ error: "must be the cluster's id" }),
  reason: z.string({ error: 'say why' }).min(1, 'say why').max(1_000),
});

/** What Fairway knows of clusters: phase, steps, nodes, plan, history. */
@Controller('api/v1/clusters')
export class ClusterStatusController {
  constructor(@Inject(API) private readonly api: ApiRuntime) {}

  @Get()
  async list(@Query() query: unknown) {
    const { channel, phase } = parseBody(querySchema, query);
    const clusters = await this.api.registry.listClusters(channel === undefined ? {} : { channel });
    if (channel !== undefined && clusters.length === 0) await this.requireChannel(channel);
    const statuses = await this.api.registry.statuses(clusters.map(({ id }) => id));
    const items = clusters.map((cluster) => encodeSummary(cluster, statuses.get(cluster.id)));
    return { items: phase === undefined ? items : items.filter((item) => item.phase === phase) };
  }

  /** An empty answer for a name that is written wrong would look like an empty channel. */
  private async requireChannel(name: string): Promise<void> {
    const known = (await this.api.channels.listChannels()).map((channel) => channel.name);
    if (!known.includes(name))
      throw badRequest([
        { field: 'channel', message: `unknown channel "${name}"; channels are ${known.join(', ')}` },
      ]);
  }

  /** By id or alias. */
  @Get(':cluster')
  async get(@Param('cluster') name: string) {
    const cluster = await findCluster(this.api, name);
    const status = (await this.api.registry.statuses([cluster.id])).get(cluster.id);
    return {
      ...encodeSummary(cluster, status),
      steps: status?.steps ?? [],
      nodes: status?.nodes ?? [],
      problems: status?.problems ?? [],
      update_id: status?.updateId,
      last_version: status?.lastVersion,
      server_version: status?.serverVersion,
    };
  }

  @Get(':cluster/updates')
  async updates(@Param('cluster') name: string) {
    const cluster = await findCluster(this.api, name);
    return { items: (await this.api.updates.listUpdates(cluster.id, 50)).map(encodeUpdate) };
  }

  /** The plan of the newest update: what it changes, in stacks, objects and nodes. */
  @Get(':cluster/plan')
  async plan(@Param('cluster') name: string) {
    const cluster = await findCluster(this.api, name);
    const [update] = await this.api.updates.listUpdates(cluster.id, 1);
    if (!update?.plan) {
      throw new ApiError(
        404,
        'no-plan',
        `no plan was made for ${cluster.alias} yet`,
        'A plan is made when its channel admits it to a revision.',
      );
    }
    return { ...encodeUpdate(update), plan: update.plan };
  }

  @Get(':cluster/updates/:update/intents')
  async intents(@Param('cluster') name: string, @Param('update') id: string) {
    await findCluster(this.api, name);
    const intents = await this.api.updates.listIntents(id);
    return {
      items: intents.map((intent) => ({
        step: intent.step,
        verb: intent.verb,
        target: intent.target,
        recorded_at: toIso(intent.recordedAt),
        settled_at: intent.settledAt === undefined ? undefined : toIso(intent.settledAt),
        result: intent.result,
      })),
    };
  }

  /** Looks at the cluster now instead of when it is due. */
  @Post(':cluster/reconcile')
  @HttpCode(202)
  async reconcile(@Param('cluster') name: string, @Req() request: AuthenticatedRequest) {
    const cluster = await findCluster(this.api, name);
    const { updates, clock, ids } = this.api;
    const now = clock.now();
    // A cluster that is well and was looked at lately would only be put off otherwise.
    if (!(await updates.openManifestRequests(cluster.id)).some(({ kind }) => kind === 'look')) {
      const about = { id: ids.next(), clusterId: cluster.id, actor: actorOf(request), requestedAt: now };
      await updates.requestManifests({ ...about, kind: 'look', reason: 'asked to be looked at now' });
    }
    await updates.markDue([cluster.id], now);
    await ringCluster(this.api, cluster);
    return { cluster: cluster.id };
  }

  /** Asks for the end of a cluster; the id in the body is the confirmation. Begins after the grace period. */
  @Post(':cluster/decommission')
  @HttpCode(202)
  async decommission(
    @Param('cluster') name: string,
    @Body() body: unknown,
    @Req() request: AuthenticatedRequest,
  ) {
    const cluster = await findCluster(this.api, name);
    const { confirm, reason } = parseBody(decommissionSchema, body);
    if (confirm !== cluster.id) {
      throw new ApiError(
        400,
        'confirmation-differs',
        `confirm is not the id of ${cluster.alias}`,
        `Send "confirm": "${cluster.id}".`,
      );
    }
    const changed = await this.api.registry.updateCluster(
      cluster.id,
      {
        lifecycleStatus: 'decommission-requested',
        configItems: { ...cluster.configItems, decommission_confirmation: cluster.id },
      },
      { actor: actorOf(request), reason, expectedVersion: cluster.recordVersion },
    );
    await ringCluster(this.api, changed);
    return { cluster: cluster.id, lifecycle_status: changed.lifecycleStatus };
  }
}

function encodeSummary(cluster: Cluster, status: ClusterStatus | undefined) {
  const step = status?.steps.find(({ state }) => state !== 'done' && state !== 'pending');
  return {
    id: cluster.id,
    alias: cluster.alias,
    channel: cluster.channel,
    environment: cluster.environment,
    lifecycle_status: cluster.lifecycleStatus,
    phase: status?.phase ?? 'pending',
    message: status?.message ?? 'waits for its channel',
    step: step?.kind,
    progress: step?.progress,
    current_version: status?.currentVersion,
    next_version: status?.nextVersion,
    eta_ms: status?.etaMs,
    eta_if: status?.etaIf,
    updated_at: status === undefined ? undefined : toIso(status.updatedAt),
  };
}

const encodeUpdate = (update: Update) => ({
  id: update.id,
  kind: update.kind,
  commit: update.commit,
  state: update.state,
  desired_digest: update.desiredDigest,
  plan_digest: update.plan?.digest,
  started_at: toIso(update.startedAt),
  finished_at: update.finishedAt === undefined ? undefined : toIso(update.finishedAt),
});
