import type { Channel, ChannelRevision, Revision } from '#fleet';
import {
  classifyArrival,
  enterChannel,
  type ChannelNote,
  type ChannelPolicy,
  type FleetPolicy,
} from '#promotion';
import type { EnginePorts } from '../engine-ports.js';
import { earlierEntries, gatesFor, presentEntry } from './gates.js';
import { policyInForce } from './policy-in-force.js';
import { channelPolicyOf, PolicyReader, type PolicySource } from './policy-reader.js';

/** How a new head begins in its channel: admitted, or held with the reasons. */
export interface Arrived {
  readonly entry: ChannelRevision;
  readonly note?: ChannelNote;
}

export async function arrivalOf(ports: EnginePorts, channel: Channel, revision: Revision): Promise<Arrived> {
  const policies = new PolicyReader(ports.git);
  const policy = channelPolicyOf(await judgedBy(ports, policies, channel, revision), channel);
  const now = ports.clock.now();
  const earlier = await earlierEntries(ports, channel.name, revision);
  const [evaluation, ours, glass, present] = await Promise.all([
    gatesFor(ports, channel, policy, revision),
    ourDoing(ports, channel, revision, earlier),
    ports.decisions.brokenGlass(channel.name, revision.treeDigest, now),
    presentEntry(ports, channel.name, revision),
  ]);
  const arrival = classifyArrival({
    policy: channel.headCommit === undefined ? baseline(policy) : policy,
    revision,
    ...ours,
    evaluation,
    earlierHere: earlier,
    brokenGlass: glass[0],
    now,
  });
  return {
    entry: enterChannel(revision, channel.name, arrival, now, present),
    ...(arrival.kind === 'admitted' && arrival.note !== undefined && { note: arrival.note }),
  };
}

/** The first head of a channel brings its own policy: there is nothing older to judge it by. */
async function judgedBy(
  ports: EnginePorts,
  policies: PolicySource,
  channel: Channel,
  revision: Revision,
): Promise<FleetPolicy> {
  if (channel.headCommit === undefined) return policies.policyOf({ ...channel, headCommit: revision.commit });
  return (await policyInForce(ports, policies, channel, revision)) ?? policies.policyOf(channel);
}

/** A promotion or a rollback of ours brought the commit: the revision itself, or what we made of the same content. */
async function ourDoing(
  ports: EnginePorts,
  channel: Channel,
  revision: Revision,
  earlier: readonly ChannelRevision[],
): Promise<{ readonly promotedByUs: boolean; readonly rolledBackByUs: boolean }> {
  const promotions = await ports.channels.promotions(50, { toChannel: channel.name });
  const same = new Set((await ports.channels.revisionsByTree(revision.treeDigest)).map((one) => one.id));
  // The same content came in through its gates before, whatever commit carries it now.
  const cameIn = promotions.some(
    (one) => one.state === 'done' && one.kind !== 'rollback' && same.has(one.revisionId),
  );
  const gone = earlier.some((one) => one.phase === 'rolled-back' || one.phase === 'failed');
  const promotedByUs =
    (cameIn && !gone) ||
    promotions.some(
      (one) => one.state === 'intended' && one.kind !== 'rollback' && one.revisionId === revision.id,
    );
  const rolledBackByUs = promotions.some(
    (one) => one.kind === 'rollback' && one.state === 'done' && one.resultCommit === revision.commit,
  );
  return { promotedByUs, rolledBackByUs };
}

/** What a channel holds when Fairway first sees it is what its clusters run: there is nothing to ask it for. */
function baseline(policy: ChannelPolicy): ChannelPolicy {
  const { from: _from, ...rest } = policy;
  return rest;
}
