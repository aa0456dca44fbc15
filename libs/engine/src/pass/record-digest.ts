import { digestOfValue } from '#kernel';
import type { Cluster } from '#fleet';
import type { ConfigStanding } from '#ports';

/**
 * Identity of what a record asks for, with the overrides above it and the inputs it is rendered with. The lifecycle is
 * left out: it follows the engine's own progress, and a cluster that became `ready` has not become another one.
 */
export function recordDigest(
  cluster: Cluster,
  standing: Pick<ConfigStanding, 'lock' | 'overrides'> = { overrides: [] },
): string {
  const { lifecycleStatus: _lifecycle, recordVersion: _version, createdAt: _created, ...asked } = cluster;
  const overrides = standing.overrides.map(({ key, value }) => [key, value]);
  return digestOfValue({
    ...asked,
    lockedInputs: standing.lock?.digest,
    overrides: overrides.length === 0 ? undefined : overrides,
  });
}
