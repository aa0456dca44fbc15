import { fail, type Instant, seconds } from '#kernel';
import type { Channel, ChannelRevision, Cluster, ConformanceRun, Hold, Revision } from '#fleet';
import { problemType } from '#fleet';
import type { ClusterRuntime } from '#ports';
import type { ChannelPolicy, ClusterFacts, FleetPolicy } from '#promotion';
import type { EnginePorts } from '../engine-ports.js';
import { SETTLED, settledBasis } from '../pass/settled.js';
import { channelPolicyOf, type PolicySource } from './policy-reader.js';

/** Everything that decisions about one revision in one channel look at, read once. */
export interface ChannelView {
  readonly channel: Channel;
  readonly policy: FleetPolicy;
  readonly channelPolicy: ChannelPolicy;
  readonly revision: Revision;
  readonly entry: ChannelRevision;
  readonly clusters: readonly Cluster[];
  readonly facts: readonly ClusterFacts[];
  readonly runs: readonly ConformanceRun[];
  readonly holds: readonly Hold[];
  readonly now: Instant;
}

/** Undefined while the channel has no revision. */
export async function viewChannel(
  ports: EnginePorts,
  policies: PolicySource,
  channel: Channel,
): Promise<ChannelView | undefined> {
  const [entry] = await ports.channels.channelRevisions(channel.name, 1);
  if (!entry) return undefined;
  const revision = await ports.channels.getRevision(entry.revisionId);
  if (!revision) return fail(lostRevision(entry.revisionId));
  const policy = await policies.policyOf(channel);
  const channelPolicy = channelPolicyOf(policy, channel);
  const clusters = await ports.registry.listClusters({ channel: channel.name });
  const [runtimes, runs, holds] = await Promise.all([
    ports.updates.standings(
      clusters.map((cluster) => cluster.id),
      [SETTLED],
    ),
    ports.channels.runsFor({ treeDigest: revision.treeDigest, channel: channel.name }, 500),
    ports.channels.holds(),
  ]);
  const byId = new Map(runtimes.map((runtime) => [runtime.clusterId, runtime]));
  const facts = clusters.map((cluster) => factsOf(cluster, byId.get(cluster.id), revision, entry));
  const now = ports.clock.now();
  return { channel, policy, channelPolicy, revision, entry, clusters, facts, runs, holds, now };
}

const lostRevision = (id: string) =>
  ({
    class: 'bug',
    code: 'revision-lost',
    message: `revision ${id} is in a channel but not stored`,
  }) as const;

/** A cluster as promotion decisions see it, against one revision. */
export function factsOf(
  cluster: Cluster,
  runtime: ClusterRuntime | undefined,
  revision: Pick<Revision, 'id' | 'treeDigest'>,
  entry: Pick<ChannelRevision, 'soak'>,
): ClusterFacts {
  const status = runtime?.status;
  const settled = settledBasis(runtime?.memory[SETTLED]);
  const away = problemType('api-unreachable');
  return {
    id: cluster.id,
    alias: cluster.alias,
    environment: cluster.environment,
    criticality: cluster.criticalityLevel,
    canary: cluster.configItems['fairway_canary'] === 'true',
    phase: phaseOf(cluster, status?.phase),
    // Whoever was there and in reach when the revision was verified is in the record of its soak.
    ...(entry.soak !== undefined && !(cluster.id in entry.soak.basis) && { newcomer: true }),
    onRevision: settled?.treeDigest === revision.treeDigest,
    healthy: status?.phase === 'ready',
    since: status?.since ?? cluster.createdAt,
    // Not at the first time that it does not answer: for half a minute, as its problem says.
    unreachable: (status?.problems ?? []).some(
      ({ type, firstSeen = 0, lastSeen = 0 }) => type === away && lastSeen - firstSeen >= seconds(30),
    ),
    ...(status?.currentVersion !== undefined && { currentVersion: status.currentVersion }),
    ...(runtime?.admittedRevisionId !== undefined && { admittedRevisionId: runtime.admittedRevisionId }),
    ...(status?.desiredDigest !== undefined && { desiredDigest: status.desiredDigest }),
    ...(status?.serverVersion !== undefined && { serverVersion: status.serverVersion }),
  };
}

function phaseOf(cluster: Cluster, phase: ClusterFacts['phase'] | undefined): ClusterFacts['phase'] {
  if (cluster.lifecycleStatus === 'decommissioned') return 'decommissioned';
  if (cluster.lifecycleStatus === 'decommission-requested') return 'decommissioning';
  return phase ?? 'pending';
}
