import { digestOfValue } from '#kernel';
import type { Cluster } from '#fleet';

/**
 * Identity of what a record asks for. The lifecycle is left out: it follows the engine's own progress, and a cluster that
 * became `ready` has not become another one.
 */
export function recordDigest(cluster: Cluster): string {
  const { lifecycleStatus: _lifecycle, recordVersion: _version, createdAt: _created, ...asked } = cluster;
  return digestOfValue(asked);
}
