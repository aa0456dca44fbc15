import type { ClusterFacts } from './cluster-facts.js';
import { isConverged, livingClusters, nameSome } from './cluster-facts.js';
import type { ConvergedGate } from './policy.js';

export const EVERY_CLUSTER: ConvergedGate = { coverage: 100 };

export interface Convergence {
  readonly reached: boolean;
  readonly converged: readonly ClusterFacts[];
  readonly missing: readonly ClusterFacts[];
  readonly offline: readonly ClusterFacts[];
  /** For people, with names. */
  readonly message: string;
}

/**
 * Whether a channel runs its revision. Unreachable clusters are neither success nor in the way, up to `maxOffline`;
 * but a channel of which nobody can be reached has shown nothing.
 */
export function convergenceOf(clusters: readonly ClusterFacts[], gate: ConvergedGate): Convergence {
  const living = livingClusters(clusters).filter((cluster) => cluster.newcomer !== true);
  const offline = living.filter((cluster) => cluster.unreachable);
  const converged = living.filter(isConverged);
  const missing = living.filter((cluster) => !cluster.unreachable && !isConverged(cluster));
  const reachable = converged.length + missing.length;
  const covered = reachable > 0 && converged.length * 100 >= gate.coverage * reachable;
  const tooManyOffline = gate.maxOffline !== undefined && offline.length > gate.maxOffline;
  const parts = [`${converged.length} of ${reachable} reachable clusters run it in health`];
  if (living.length === 0) parts.splice(0, 1, 'no cluster is in the channel');
  if (missing.length > 0) parts.push(`missing: ${nameSome(missing)}`);
  if (offline.length > 0) {
    const limit = gate.maxOffline === undefined ? '' : ` (at most ${gate.maxOffline} allowed)`;
    parts.push(`${offline.length} offline${limit}: ${nameSome(offline)}`);
  }
  return { reached: covered && !tooManyOffline, converged, missing, offline, message: parts.join('; ') };
}
