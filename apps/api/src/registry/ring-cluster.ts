import type { Cluster } from '#fleet';
import type { ApiRuntime } from '../api-runtime.js';

/** The record is due in the database already; the rings only save the time until the next sweep. */
export async function ringCluster(api: ApiRuntime, cluster: Pick<Cluster, 'id' | 'channel'>): Promise<void> {
  const rings = [`channel/${cluster.channel}`, `cluster/${cluster.id}`].map((key) => api.doorbell.ring(key));
  for (const ring of await Promise.allSettled(rings)) {
    if (ring.status === 'rejected')
      api.log.warn('doorbell is out of order; the sweep finds what is due', { reason: String(ring.reason) });
  }
}
