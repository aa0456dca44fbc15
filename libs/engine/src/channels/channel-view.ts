import { fail, type Instant, seconds } from '#kernel';
import type { Channel, ChannelRevision, ClusterStanding, ConformanceRun, Hold, Revision } from '#fleet';
import { problemType } from '#fleet';
import type { ChannelPolicy, ClusterFacts, FleetPolicy } from '#promotion';
import type { EnginePorts } from '../engine-ports.js';
import { channelPolicyOf, type PolicySource } from './policy-reader.js';

/** Everything that decisions about one revision in one channel look at, read once. */
export interface ChannelView {
  readonly channel: Channel;
  readonly policy: FleetPolicy;
  readonly channelPolicy: ChannelPolicy;
  readonly revision: Revision;
  readonly entry: ChannelRevision;
  readonly standings: readonly ClusterStanding[];
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
  const [standings, runs, holds] = await Promise.all([
    ports.updates.channelStandings(channel.name),
    ports.channels.runsFor({ treeDigest: revision.treeDigest, channel: channel.name }, 500),
    ports.channels.holds(),
  ]);
  const facts = standings.map((standing) => factsOf(standing, revision, entry));
  const now = ports.clock.now();
  return { channel, policy, channelPolicy, revision, entry, standings, facts, runs, holds, now };
}

const lostRevision = (id: string) =>
  ({
    class: 'bug',
    code: 'revision-lost',
    message: `revision ${id} is in a channel but not stored`,
  }) as const;

const AWAY = problemType('api-unreachable');

/** A cluster as promotion decisions see it, against one revision. */
export function factsOf(
  standing: ClusterStanding,
  revision: Pick<Revision, 'treeDigest'>,
  entry: Pick<ChannelRevision, 'soak'>,
): ClusterFacts {
  const { id, alias, environment, canary, admittedRevisionId } = standing;
  const { phase, currentVersion, desiredDigest, serverVersion } = standing;
  return {
    id,
    alias,
    environment,
    canary,
    criticality: standing.criticalityLevel,
    phase: phaseOf(standing),
    // Whoever was there and in reach when the revision was verified is in the record of its soak.
    ...(entry.soak !== undefined && !(id in entry.soak.basis) && { newcomer: true }),
    onRevision: standing.settledTree === revision.treeDigest,
    healthy: phase === 'ready',
    since: standing.since ?? standing.createdAt,
    // Not at the first time that it does not answer: for half a minute, as its problem says.
    unreachable: standing.problems.some(
      ({ type, firstSeen = 0, lastSeen = 0 }) => type === AWAY && lastSeen - firstSeen >= seconds(30),
    ),
    ...troublesOf(standing),
    ...(currentVersion !== undefined && { currentVersion }),
    ...(admittedRevisionId !== undefined && { admittedRevisionId }),
    ...(desiredDigest !== undefined && { desiredDigest }),
    ...(serverVersion !== undefined && { serverVersion }),
  };
}

function troublesOf({ problems }: ClusterStanding): Pick<ClusterFacts, 'troubles'> {
  if (problems.length === 0) return {};
  const troubles = problems.map(({ type, severity, title, detail }) => ({
    code: type.slice(type.lastIndexOf('/') + 1),
    severity,
    message: (detail ?? title).slice(0, 200),
  }));
  return { troubles };
}

function phaseOf({ lifecycleStatus, phase }: ClusterStanding): ClusterFacts['phase'] {
  if (lifecycleStatus === 'decommissioned') return 'decommissioned';
  if (lifecycleStatus === 'decommission-requested') return 'decommissioning';
  return phase ?? 'pending';
}
