import { days, hours, toFailure } from '#kernel';
import { RUN_LABEL, conformanceRefs } from '#promotion';
import type { Cluster } from '#fleet';
import type { KubernetesPort } from '#ports';
import type { EnginePorts } from '../engine-ports.js';

const EVERY = hours(1);
/** Logs of runs are for people who look into a failure, not for ever. */
const LOGS_KEPT = days(30);
const KINDS = [
  { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRoleBinding' },
  { apiVersion: 'v1', kind: 'Namespace' },
] as const;

/**
 * Removes what conformance runs left in the channel's clusters, once an hour over all replicas: the lease is taken for
 * the hour and not given back.
 */
export async function sweepConformance(ports: EnginePorts, channel: string): Promise<void> {
  if (!(await ports.leases.acquire(`schedule/conformance-sweep/${channel}`, EVERY))) return;
  await ports.channels.forgetConformanceLogs(ports.clock.now() - LOGS_KEPT);
  for (const cluster of await ports.registry.listClusters({ channel })) {
    if (cluster.lifecycleStatus !== 'ready') continue;
    try {
      await sweepCluster(ports, cluster);
    } catch (thrown) {
      const failure = toFailure(thrown);
      ports.log.debug('conformance leftovers could not be looked for', {
        clusterId: cluster.id,
        code: failure.code,
        reason: failure.message,
      });
    }
  }
}

async function sweepCluster(ports: EnginePorts, cluster: Cluster): Promise<void> {
  const kubernetes = await ports.kubernetes.connect(cluster);
  const runs = await ports.channels.unfinishedRuns(cluster.id);
  const removed = await removeLeftovers(
    kubernetes,
    runs.map((run) => run.id),
  );
  if (removed > 0)
    ports.log.info('removed what conformance runs had left', { clusterId: cluster.id, removed });
}

/** Deletes everything that carries the label and belongs to none of these runs. Returns how many objects. */
export async function removeLeftovers(
  kubernetes: KubernetesPort,
  runIds: readonly string[],
): Promise<number> {
  const own = new Set(runIds.flatMap((id) => conformanceRefs(id)).map((ref) => ref.name));
  let removed = 0;
  for (const kind of KINDS) {
    for (const object of await kubernetes.list(kind, { labelSelector: RUN_LABEL })) {
      const { name, uid, deletionTimestamp } = object.metadata as typeof object.metadata & {
        readonly deletionTimestamp?: string;
      };
      if (own.has(name) || deletionTimestamp !== undefined) continue;
      const ref = { ...kind, name };
      await kubernetes.delete(ref, { ...(uid !== undefined && { uid }), propagationPolicy: 'Background' });
      removed += 1;
    }
  }
  return removed;
}
