import type { Channel, Cluster } from '#fleet';
import type { EnginePorts } from '../engine-ports.js';

/** Clusters of a channel that stand: neither asked for only, nor on their way out. */
export async function readyClusters(
  { registry }: Pick<EnginePorts, 'registry'>,
  { name }: Pick<Channel, 'name'>,
): Promise<readonly Cluster[]> {
  const all = await registry.listClusters({ channel: name });
  return all.filter(({ lifecycleStatus }) => lifecycleStatus === 'ready');
}
