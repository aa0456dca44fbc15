import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Post, Req } from '@nestjs/common';
import { z } from 'zod';
import { parseDuration, toIso } from '#kernel';
import { nearest } from '#config';
import { PATTERNS, type ClusterOverride } from '#fleet';
import { actorOf, type AuthenticatedRequest } from '../auth/token.guard.js';
import { API, type ApiRuntime } from '../api-runtime.js';
import { notFound } from '../errors/api-error.js';
import { checkPath, parseBody } from '../registry/parse-body.js';
import { ringCluster } from '../registry/ring-cluster.js';
import { findCluster } from './cluster-lookup.js';

const MASK = '***';
const ENCRYPTED = 'aws:kms:';

const overrideSchema = z.object({
  key: z
    .string({ error: 'name the config item' })
    .regex(PATTERNS.configKey, `must match ${PATTERNS.configKey.source}`),
  value: z.string({ error: 'must be text' }).max(65_536),
  reason: z.string({ error: 'say why' }).min(1, 'say why').max(1_000),
  expires_in: z
    .string({ error: 'say for how long, for example 4h' })
    .refine((text) => (parseDuration(text) ?? 0) > 0, 'is no duration; write for example 4h'),
});

/** Config items that somebody sets above everything else for a while. */
@Controller('api/v1/clusters')
export class OverridesController {
  constructor(@Inject(API) private readonly api: ApiRuntime) {}

  @Get(':cluster/overrides')
  async list(@Param('cluster') name: string) {
    const cluster = await findCluster(this.api, name);
    const overrides = await this.api.configs.overrides(cluster.id, this.api.clock.now());
    const sensitive = sensitiveKeys(await this.lastItems(cluster.id));
    return { items: overrides.map((one) => encodeOverride(one, sensitive)) };
  }

  /** Takes the place of the override that is in force for the key. */
  @Post(':cluster/overrides')
  @HttpCode(201)
  async set(@Param('cluster') name: string, @Body() body: unknown, @Req() request: AuthenticatedRequest) {
    const wish = parseBody(overrideSchema, body);
    checkPath('key', wish.key, PATTERNS.configKey);
    const cluster = await findCluster(this.api, name);
    const now = this.api.clock.now();
    const override: ClusterOverride = {
      id: this.api.ids.next(),
      clusterId: cluster.id,
      key: wish.key,
      value: wish.value,
      reason: wish.reason,
      createdBy: actorOf(request),
      createdAt: now,
      expiresAt: now + (parseDuration(wish.expires_in) ?? 0),
    };
    await this.api.configs.setOverride(override);
    await ringCluster(this.api, cluster);
    const items = await this.lastItems(cluster.id);
    const warning = strangeKey(items, wish.key);
    return {
      ...encodeOverride(override, sensitiveKeys(items)),
      ...(warning !== undefined && { warning }),
    };
  }

  @Delete(':cluster/overrides/:key')
  @HttpCode(204)
  async remove(
    @Param('cluster') name: string,
    @Param('key') key: string,
    @Req() request: AuthenticatedRequest,
  ): Promise<void> {
    const cluster = await findCluster(this.api, name);
    const now = this.api.clock.now();
    if (!(await this.api.configs.removeOverride(cluster.id, key, actorOf(request), now))) {
      throw notFound(`an override of ${key} in ${cluster.alias}`);
    }
    await ringCluster(this.api, cluster);
  }

  /** Of the last render; none before there was one. */
  private async lastItems(clusterId: string): Promise<Items> {
    return (await this.api.configs.effectiveConfig(clusterId))?.items ?? [];
  }
}

type Items = readonly { readonly key: string; readonly sensitive: boolean }[];

/**
 * A key that the last render did not have is taken (nothing lists all that templates and Fairway read), and said where it
 * looks like one that it had.
 */
function strangeKey(items: Items, key: string): string | undefined {
  const keys = items.map((item) => item.key);
  const near = keys.includes(key) ? undefined : nearest(key, keys);
  return near && `no other layer sets ${key}; did you mean ${near}?`;
}

/** By the schema of the last render. */
const sensitiveKeys = (items: Items): ReadonlySet<string> =>
  new Set(items.flatMap(({ key, sensitive }) => (sensitive ? [key] : [])));

const encodeOverride = (override: ClusterOverride, sensitive: ReadonlySet<string>) => ({
  id: override.id,
  key: override.key,
  value: sensitive.has(override.key) || override.value.startsWith(ENCRYPTED) ? MASK : override.value,
  reason: override.reason,
  created_by: override.createdBy,
  created_at: toIso(override.createdAt),
  expires_at: toIso(override.expiresAt),
});
