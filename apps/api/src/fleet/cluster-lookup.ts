import type { Cluster } from '#fleet';
import type { ApiRuntime } from '../api-runtime.js';
import { notFound } from '../errors/api-error.js';

/** A cluster by id or alias. */
export async function findCluster(api: ApiRuntime, name: string): Promise<Cluster> {
  const byId = await api.registry.getCluster(name);
  if (byId) return byId;
  const [byAlias] = await api.registry.listClusters({ alias: name });
  if (!byAlias) throw notFound(`cluster ${name}`);
  return byAlias;
}
