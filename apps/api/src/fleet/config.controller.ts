import { Controller, Get, Inject, Param } from '@nestjs/common';
import { toIso } from '#kernel';
import { nearest } from '#config';
import type { EffectiveItemRecord } from '#ports';
import { API, type ApiRuntime } from '../api-runtime.js';
import { notFound } from '../errors/api-error.js';
import { findCluster } from './cluster-lookup.js';

/** Effective config items with where they come from, as the worker's last render had them. Sensitive ones are masked. */
@Controller('api/v1/clusters')
export class ConfigController {
  constructor(@Inject(API) private readonly api: ApiRuntime) {}

  @Get(':cluster/config')
  async list(@Param('cluster') name: string) {
    const { cluster, config } = await this.config(name);
    return {
      cluster: cluster.id,
      commit: config.commit,
      rendered_at: toIso(config.renderedAt),
      items: config.items.map(encodeItem),
    };
  }

  @Get(':cluster/config/:key')
  async get(@Param('cluster') name: string, @Param('key') key: string) {
    const { cluster, config } = await this.config(name);
    const item = config.items.find((one) => one.key === key);
    if (!item) {
      const near = nearest(
        key,
        config.items.map((one) => one.key),
      );
      throw notFound(`config item ${key} of ${cluster.alias}`, near && `Did you mean ${near}?`);
    }
    return { cluster: cluster.id, rendered_at: toIso(config.renderedAt), ...encodeItem(item) };
  }

  private async config(name: string) {
    const cluster = await findCluster(this.api, name);
    const config = await this.api.configs.effectiveConfig(cluster.id);
    if (!config)
      throw notFound(
        `a render of ${cluster.alias}`,
        'Its first update makes one; fairway clusters get says where that stands.',
      );
    return { cluster, config };
  }
}

const encodeItem = ({ layers, ...item }: EffectiveItemRecord) => ({
  ...item,
  layers: layers.map(({ expiresAt, ...layer }) => ({
    ...layer,
    ...(expiresAt !== undefined && { expires_at: toIso(expiresAt) }),
  })),
});
