import { arg, define } from '../template/functions/define.js';
import type { FunctionTable } from '../template/functions/define.js';
import { BOOL, mapOf, STRING } from '../template/types.js';
import type { GoValue } from '../template/types.js';
import { bytesValue, TRUE } from '../template/values.js';
import { NODE_POOLS, poolItem, poolProfile, poolsOf } from './node-pool.model.js';

const SPREAD_PROFILES: ReadonlySet<string> = new Set(['worker-splitaz', 'worker-karpenter']);
const PROVIDERS: ReadonlyMap<string, string> = new Map([
  ['worker-karpenter', 'karpenter'],
  ['worker-combined', 'zalando'],
  ['worker-splitaz', 'zalando'],
]);

function dedicatedLabel(pool: GoValue): string | undefined {
  const labels = (poolItem(pool, 'labels') ?? '').split(',');
  const pairs = new Map(
    labels
      .filter((label) => label.includes('='))
      .map((label) => {
        const at = label.indexOf('=');
        return [label.slice(0, at), label.slice(at + 1)] as const;
      }),
  );
  return pairs.get('dedicated');
}

/** Worker pools by the label `dedicated`; pools without label and taints are the group of the empty name. */
function groups(pools: GoValue): ReadonlyMap<string, readonly GoValue[]> {
  const found = new Map<string, GoValue[]>();
  for (const pool of poolsOf(pools)) {
    if (poolProfile(pool).startsWith('master')) continue;
    const label = dedicatedLabel(pool);
    const group = label ? label : poolItem(pool, 'taints') === undefined ? '' : undefined;
    if (group === undefined) continue;
    found.set(group, [...(found.get(group) ?? []), pool]);
  }
  return found;
}

const spread = (group: string, pools: readonly GoValue[]): boolean =>
  pools.every(
    (pool) =>
      (group === '' || poolItem(pool, 'taints') === `dedicated=${group}:NoSchedule`) &&
      poolItem(pool, 'availability_zones') === undefined &&
      SPREAD_PROFILES.has(poolProfile(pool)),
  );

/** Functions on `.Cluster.NodePools`. */
export const POOL_FUNCTIONS: FunctionTable = new Map([
  [
    'zoneDistributedNodePoolGroups',
    define([NODE_POOLS], (args) => ({
      t: mapOf(STRING, BOOL),
      v: new Map(
        [...groups(arg(args, 0))]
          .filter(([group, pools]) => spread(group, pools))
          .map(([group]) => [group, TRUE]),
      ),
    })),
  ],
  [
    'nodeLifeCycleProviderPerNodePoolGroup',
    define([NODE_POOLS], (args) => ({
      t: mapOf(STRING, STRING),
      v: new Map(
        [...groups(arg(args, 0))].map(([group, pools]) => {
          const profiles = new Set(pools.map(poolProfile));
          const provider = profiles.size === 1 ? PROVIDERS.get([...profiles][0] as string) : undefined;
          return [group || 'default', bytesValue(provider ?? '')];
        }),
      ),
    })),
  ],
]);
