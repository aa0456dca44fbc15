import { nearest } from '#config';
import type { Cluster } from '#fleet';
import type { ApiRuntime } from '../api-runtime.js';
import { notFound } from '../errors/api-error.js';

/** A cluster by id or alias, where there is one. */
export async function lookUpCluster(
  { registry }: Pick<ApiRuntime, 'registry'>,
  name: string,
): Promise<Cluster | undefined> {
  return (await registry.getCluster(name)) ?? (await registry.listClusters({ alias: name }))[0];
}

/** A cluster by id or alias. */
export async function findCluster(api: Pick<ApiRuntime, 'registry'>, name: string): Promise<Cluster> {
  const found = await lookUpCluster(api, name);
  if (!found) {
    const near = nearest(
      name,
      (await api.registry.listClusters({})).map(({ alias }) => alias),
    );
    throw notFound(
      `cluster ${name}`,
      near ? `Did you mean ${near}?` : 'fairway clusters list shows all of them.',
    );
  }
  return found;
}
