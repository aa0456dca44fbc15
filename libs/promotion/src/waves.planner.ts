import { sha256Hex } from '#kernel';
import type { ClusterFacts } from './cluster-facts.js';
import { livingClusters } from './cluster-facts.js';
import type { ChannelPolicy } from './policy.js';
import { amountOf } from './policy.js';

export interface Wave {
  /** Starts at 1. */
  readonly number: number;
  readonly clusterIds: readonly string[];
}

/** Who goes first: canaries, then the least critical, test before production, then a stable hash of the id. */
export function rolloutOrder(clusters: readonly ClusterFacts[]): readonly ClusterFacts[] {
  const keyed = clusters.map((cluster) => ({ cluster, hash: sha256Hex(cluster.id) }));
  keyed.sort(
    (a, b) =>
      Number(b.cluster.canary) - Number(a.cluster.canary) ||
      a.cluster.criticality - b.cluster.criticality ||
      environmentRank(a.cluster.environment) - environmentRank(b.cluster.environment) ||
      (a.hash < b.hash ? -1 : a.hash > b.hash ? 1 : 0),
  );
  return keyed.map(({ cluster }) => cluster);
}

const environmentRank = (environment: string): number => (/^prod/i.test(environment) ? 1 : 0);

/** Waves without empty ones; clusters that the policy's amounts leave over make a last wave. */
export function planWaves(
  policy: Pick<ChannelPolicy, 'waves'>,
  clusters: readonly ClusterFacts[],
): readonly Wave[] {
  const order = rolloutOrder(livingClusters(clusters));
  const waves: Wave[] = [];
  let placed = 0;
  for (const until of [...policy.waves.map((amount) => amountOf(amount, order.length)), order.length]) {
    if (until <= placed) continue;
    waves.push({
      number: waves.length + 1,
      clusterIds: order.slice(placed, until).map((cluster) => cluster.id),
    });
    placed = until;
  }
  return waves;
}
