import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Post, Req } from '@nestjs/common';
import { z } from 'zod';
import { parseDuration, toIso } from '#kernel';
import type { Cluster, Hold } from '#fleet';
import { actorOf, type AuthenticatedRequest } from '../auth/token.guard.js';
import { API, type ApiRuntime } from '../api-runtime.js';
import { badRequest } from '../errors/api-error.js';
import { channelNames } from '../registry/channel-names.js';
import { parseBody } from '../registry/parse-body.js';
import { lookUpCluster } from './cluster-lookup.js';

const scopeSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('fleet') }),
  z.object({ kind: z.literal('channel'), channel: z.string() }),
  z.object({ kind: z.literal('cluster'), cluster: z.string() }),
  z.object({ kind: z.literal('pool'), cluster: z.string(), pool: z.string() }),
]);

const holdSchema = z.object({
  scope: scopeSchema,
  reason: z.string({ error: 'say why' }).min(1, 'say why').max(1_000),
  expires_in: z
    .string()
    .refine((text) => parseDuration(text) !== undefined, 'is no duration; write for example 2h')
    .optional(),
});

/** Holds: somebody stops the fleet, a channel, a cluster or a pool, with a reason. */
@Controller('api/v1/holds')
export class HoldsController {
  constructor(@Inject(API) private readonly api: ApiRuntime) {}

  @Get()
  async list() {
    return { items: (await this.api.channels.holds()).map(encodeHold) };
  }

  @Post()
  @HttpCode(201)
  async add(@Body() body: unknown, @Req() request: AuthenticatedRequest) {
    const wish = parseBody(holdSchema, body);
    const scope = await this.scope(wish.scope);
    const now = this.api.clock.now();
    const expiresIn = wish.expires_in === undefined ? undefined : parseDuration(wish.expires_in);
    const hold: Hold = {
      id: this.api.ids.next(),
      scope,
      reason: wish.reason,
      owner: actorOf(request),
      createdAt: now,
      ...(expiresIn !== undefined && { expiresAt: now + expiresIn }),
    };
    await this.api.channels.addHold(hold, actorOf(request));
    return encodeHold(hold);
  }

  @Delete(':hold')
  @HttpCode(204)
  async release(@Param('hold') id: string, @Req() request: AuthenticatedRequest): Promise<void> {
    const now = this.api.clock.now();
    await this.api.channels.releaseHold(id, actorOf(request), now);
    const clusters = await this.api.registry.listClusters({});
    await this.api.updates.markDue(
      clusters.map((cluster) => cluster.id),
      now,
    );
  }

  /** A hold on what is not there would hold nothing, and nobody would know. */
  private async scope(wish: z.infer<typeof scopeSchema>): Promise<Hold['scope']> {
    switch (wish.kind) {
      case 'fleet':
        return wish;
      case 'channel': {
        const names = await channelNames(this.api);
        if (names.includes(wish.channel)) return wish;
        throw badRequest([
          {
            field: 'scope.channel',
            message: `unknown channel "${wish.channel}"; channels are ${names.join(', ')}`,
          },
        ]);
      }
      case 'cluster':
        return { kind: 'cluster', clusterId: (await this.cluster(wish.cluster)).id };
      case 'pool': {
        const cluster = await this.cluster(wish.cluster);
        if (cluster.nodePools.some((pool) => pool.name === wish.pool))
          return { kind: 'pool', clusterId: cluster.id, pool: wish.pool };
        throw badRequest([
          {
            field: 'scope.pool',
            message: `${cluster.alias} has no node pool "${wish.pool}"; it has ${cluster.nodePools.map(({ name }) => name).join(', ')}`,
          },
        ]);
      }
    }
  }

  private async cluster(name: string): Promise<Cluster> {
    const cluster = await lookUpCluster(this.api, name);
    if (cluster) return cluster;
    throw badRequest([
      { field: 'scope.cluster', message: `unknown cluster "${name}"; give an id or an alias` },
    ]);
  }
}

const encodeHold = (hold: Hold) => ({
  id: hold.id,
  scope: hold.scope,
  reason: hold.reason,
  owner: hold.owner,
  created_at: toIso(hold.createdAt),
  expires_at: hold.expiresAt === undefined ? undefined : toIso(hold.expiresAt),
});
