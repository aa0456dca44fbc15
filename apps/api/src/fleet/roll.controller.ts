import { Body, Controller, Get, HttpCode, Inject, Param, Post, Req } from '@nestjs/common';
import { z } from 'zod';
import { toIso } from '#kernel';
import type { Cluster, Hold } from '#fleet';
import type { RollRequest } from '#ports';
import { actorOf, type AuthenticatedRequest } from '../auth/token.guard.js';
import { API, type ApiRuntime } from '../api-runtime.js';
import { ApiError, badRequest } from '../errors/api-error.js';
import { parseBody } from '../registry/parse-body.js';
import { ringCluster } from '../registry/ring-cluster.js';
import { findCluster } from './cluster-lookup.js';

const reasonSchema = z.string({ error: 'say why' }).min(1, 'say why').max(1_000);
const wishSchema = z.strictObject({ reason: reasonSchema });
const pauseSchema = z.strictObject({ reason: reasonSchema, pool: z.string().optional() });

/** Holds that `pause` makes and `resume` releases; others' holds are theirs to release. */
const PAUSED = 'roll paused: ';

/** The roll of a cluster: how it goes, what it would do, and pause, resume and abort. */
@Controller('api/v1/clusters/:cluster/roll')
export class RollController {
  constructor(@Inject(API) private readonly api: ApiRuntime) {}

  @Get()
  async status(@Param('cluster') name: string) {
    const cluster = await findCluster(this.api, name);
    const status = (await this.api.updates.runtime(cluster.id))?.status;
    const [holds, requests] = await Promise.all([
      this.holds(cluster),
      this.api.updates.openRollRequests(cluster.id),
    ]);
    return {
      cluster: cluster.id,
      alias: cluster.alias,
      phase: status?.phase ?? 'pending',
      message: status?.message ?? '',
      steps: status?.steps ?? [],
      eta_ms: status?.etaMs,
      eta_if: status?.etaIf,
      nodes: status?.nodes ?? [],
      pools: status?.rolls ?? [],
      paused: holds.map(encodeHold),
      requests: requests.map(encodeRequest),
    };
  }

  /** From the plan of the newest update: nodes per pool with the reason, foreseen blockers, what is not known, and the estimate. */
  @Get('plan')
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
    const { nodes: pools, blockers, unknown, estimate: estimate_ms } = update.plan;
    return { update_id: update.id, commit: update.commit, pools, blockers, unknown, estimate_ms };
  }

  /** No further node is started; the one in flight finishes. */
  @Post('pause')
  @HttpCode(201)
  async pause(@Param('cluster') name: string, @Body() body: unknown, @Req() request: AuthenticatedRequest) {
    const cluster = await findCluster(this.api, name);
    const { reason, pool } = parseBody(pauseSchema, body);
    const names = cluster.nodePools.map((each) => each.name);
    if (pool !== undefined && !names.includes(pool)) {
      throw badRequest([
        { field: 'pool', message: `${cluster.alias} has no node pool "${pool}"; it has ${names.join(', ')}` },
      ]);
    }
    const held = (await this.holds(cluster)).map((hold) => poolOf(hold));
    const wanted = (pool === undefined ? names : [pool]).filter((each) => !held.includes(each));
    for (const each of wanted) {
      const hold: Hold = {
        id: this.api.ids.next(),
        scope: { kind: 'pool', clusterId: cluster.id, pool: each },
        reason: `${PAUSED}${reason}`,
        owner: actorOf(request),
        createdAt: this.api.clock.now(),
      };
      await this.api.channels.addHold(hold, actorOf(request));
    }
    await this.wake(cluster);
    return { paused: (await this.holds(cluster)).map(encodeHold) };
  }

  /** Releases what `pause` held, and lets a halted or aborted roll go on. */
  @Post('resume')
  @HttpCode(202)
  async resume(@Param('cluster') name: string, @Body() body: unknown, @Req() request: AuthenticatedRequest) {
    const cluster = await findCluster(this.api, name);
    const { reason } = parseBody(wishSchema, body);
    const holds = await this.holds(cluster);
    for (const hold of holds)
      await this.api.channels.releaseHold(hold.id, actorOf(request), this.api.clock.now());
    const asked = await this.ask(cluster, 'resume', reason, request);
    return { released: holds.map(encodeHold), request: encodeRequest(asked) };
  }

  /** Ends the roll: undrained nodes go back to work, drained ones are finished, sizes and marks are as before. */
  @Post('abort')
  @HttpCode(202)
  async abort(@Param('cluster') name: string, @Body() body: unknown, @Req() request: AuthenticatedRequest) {
    const cluster = await findCluster(this.api, name);
    const { reason } = parseBody(wishSchema, body);
    return { request: encodeRequest(await this.ask(cluster, 'abort', reason, request)) };
  }

  private async ask(
    cluster: Cluster,
    kind: RollRequest['kind'],
    reason: string,
    request: AuthenticatedRequest,
  ): Promise<RollRequest> {
    const status = (await this.api.updates.runtime(cluster.id))?.status;
    if (status?.updateId === undefined) {
      throw new ApiError(409, 'no-roll', `${cluster.alias} has no update yet`, 'There is nothing to act on.');
    }
    if (kind === 'abort' && status.phase === 'ready') {
      throw new ApiError(
        409,
        'no-roll',
        `no roll is under way in ${cluster.alias}`,
        'It is at its desired state.',
      );
    }
    const wish: RollRequest = {
      id: this.api.ids.next(),
      clusterId: cluster.id,
      kind,
      updateId: status.updateId,
      actor: actorOf(request),
      reason,
      requestedAt: this.api.clock.now(),
    };
    await this.api.updates.requestRoll(wish);
    await ringCluster(this.api, cluster);
    return wish;
  }

  private async wake(cluster: Cluster): Promise<void> {
    await this.api.updates.markDue([cluster.id], this.api.clock.now());
    await ringCluster(this.api, cluster);
  }

  private async holds(cluster: Cluster): Promise<readonly Hold[]> {
    const all = await this.api.channels.holds();
    return all.filter(
      (hold) =>
        hold.scope.kind === 'pool' && hold.scope.clusterId === cluster.id && hold.reason.startsWith(PAUSED),
    );
  }
}

const poolOf = (hold: Hold): string => (hold.scope.kind === 'pool' ? hold.scope.pool : '');

const encodeHold = (hold: Hold) => ({
  id: hold.id,
  pool: poolOf(hold),
  reason: hold.reason.slice(PAUSED.length),
  owner: hold.owner,
  since: toIso(hold.createdAt),
});

const encodeRequest = (request: RollRequest) => ({
  id: request.id,
  kind: request.kind,
  update_id: request.updateId,
  actor: request.actor,
  reason: request.reason,
  requested_at: toIso(request.requestedAt),
});
