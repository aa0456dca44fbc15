import { toFailure } from '#kernel';
import type { Channel, Revision } from '#fleet';
import type { FleetPolicy } from '#promotion';
import type { EnginePorts } from '../engine-ports.js';
import { channelPolicyOf, type PolicySource } from './policy-reader.js';

type Ports = Pick<EnginePorts, 'channels'>;

/** How many heads are looked through for a policy that can be read. */
const FAR_ENOUGH = 100;

/**
 * The policy by which a new head is judged: that of the newest head that was let in and whose policy can be read. So a file
 * that is broken does not keep out the commit that mends it, and a head that is held does not lower its own gates.
 * Undefined where there is none. Rejects when Git cannot be read.
 */
export async function policyInForce(
  ports: Ports,
  policies: PolicySource,
  channel: Channel,
  judged?: Pick<Revision, 'id'>,
): Promise<FleetPolicy | undefined> {
  for (const entry of await ports.channels.channelRevisions(channel.name, FAR_ENOUGH)) {
    if (!entry.admitted || entry.revisionId === judged?.id) continue;
    const revision = await ports.channels.getRevision(entry.revisionId);
    if (!revision) continue;
    const policy = await unlessInvalid(policies, { ...channel, headCommit: revision.commit });
    if (policy) return policy;
  }
  return undefined;
}

/** The policy at the channel's head, or undefined where that says nothing that can be followed. */
export async function unlessInvalid(
  policies: PolicySource,
  channel: Channel,
): Promise<FleetPolicy | undefined> {
  try {
    const policy = await policies.policyOf(channel);
    channelPolicyOf(policy, channel);
    return policy;
  } catch (thrown) {
    if (toFailure(thrown).class !== 'invalid') throw thrown;
    return undefined;
  }
}

/** For what another channel has to know of this one (soak, suites): its head's policy, else the one that was in force before. */
export async function policyToGoBy(
  ports: Ports,
  policies: PolicySource,
  channel: Channel,
): Promise<FleetPolicy | undefined> {
  return (await unlessInvalid(policies, channel)) ?? (await policyInForce(ports, policies, channel));
}
