import type { Channel, ChannelRevision, Revision } from '#fleet';
import {
  classifyArrival,
  enterChannel,
  evaluateGates,
  type ChannelPolicy,
  type GateEvaluation,
} from '#promotion';
import type { EnginePorts } from '../engine-ports.js';
import { factsOf } from './channel-view.js';
import { PolicyReader } from './policy-reader.js';

/** The entry with which a new head begins in its channel: admitted, or held with the reasons. */
export async function arrivalOf(
  ports: EnginePorts,
  channel: Channel,
  revision: Revision,
): Promise<ChannelRevision> {
  const policies = new PolicyReader(ports.git);
  // The first head of a channel brings its own policy: there is nothing older to judge it by.
  const judged = channel.headCommit === undefined ? { ...channel, headCommit: revision.commit } : channel;
  const policy = policies.channelPolicy(await policies.policyOf(judged), channel);
  const [evaluation, promotions, earlier] = await Promise.all([
    gatesFor(ports, channel, policy, revision),
    ports.channels.promotions(50, { toChannel: channel.name }),
    earlierEntries(ports, channel.name, revision),
  ]);
  const arrival = classifyArrival({
    policy: channel.headCommit === undefined ? baseline(policy) : policy,
    revision,
    promotedByUs: promotions.some((one) => one.revisionId === revision.id && one.state !== 'refused'),
    evaluation,
    earlierHere: earlier,
    now: ports.clock.now(),
  });
  return enterChannel(revision, channel.name, arrival, ports.clock.now());
}

/** What a channel holds when Fairway first sees it is what its clusters run: there is nothing to ask it for. */
function baseline(policy: ChannelPolicy): ChannelPolicy {
  const { from: _from, ...rest } = policy;
  return rest;
}

async function earlierEntries(
  ports: EnginePorts,
  channel: string,
  revision: Revision,
): Promise<readonly ChannelRevision[]> {
  const same = new Set((await ports.channels.revisionsByTree(revision.treeDigest)).map((one) => one.id));
  return (await ports.channels.channelRevisions(channel, 100)).filter((entry) => same.has(entry.revisionId));
}

/** The channel's gates for this content, by what happened in the channel before it; undefined if it never was there. */
export async function gatesFor(
  ports: EnginePorts,
  target: Channel,
  policy: ChannelPolicy,
  revision: Revision,
): Promise<GateEvaluation | undefined> {
  if (policy.from === undefined) return undefined;
  const [source] = await earlierEntries(ports, policy.from, revision);
  if (!source) return undefined;
  const clusters = await ports.registry.listClusters({ channel: policy.from });
  const [runtimes, runs, holds] = await Promise.all([
    ports.updates.runtimes(clusters.map((cluster) => cluster.id)),
    ports.channels.runsFor({ treeDigest: revision.treeDigest, channel: policy.from }, 500),
    ports.channels.holds(),
  ]);
  const byId = new Map(runtimes.map((runtime) => [runtime.clusterId, runtime]));
  return evaluateGates({
    target: policy,
    revision,
    source,
    clusters: clusters.map((cluster) => factsOf(cluster, byId.get(cluster.id), revision)),
    runs,
    holds,
    approvals: [],
    outside: [],
    targetHead: target.headCommit,
    targetPaused: target.pausedReason,
    now: ports.clock.now(),
  });
}
