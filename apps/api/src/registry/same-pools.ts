import { isDeepStrictEqual } from 'node:util';
import { decodePool, poolSchema, type Cluster } from '#fleet';
import { badRequest } from '../errors/api-error.js';

/**
 * The contract's PATCH of a cluster has no node pools. Who sends back the whole record that was read is not in the way; who
 * changed a pool in it would be answered 200, and nothing would have changed.
 */
export function checkSamePools(present: Cluster, body: unknown): void {
  const sent = (body as Readonly<Record<string, unknown>> | null | undefined)?.['node_pools'];
  if (sent === undefined) return;
  const parsed = poolSchema.array().safeParse(sent);
  if (parsed.success && isDeepStrictEqual(byName(parsed.data.map(decodePool)), byName(present.nodePools)))
    return;
  throw badRequest([
    {
      field: 'node_pools',
      message: `not changed by this route; use PUT, PATCH or DELETE /kubernetes-clusters/${present.id}/node-pools/{node_pool_name}`,
    },
  ]);
}

const byName = <T extends { readonly name: string }>(pools: readonly T[]): readonly T[] =>
  [...pools].sort((a, b) => (a.name < b.name ? -1 : 1));
