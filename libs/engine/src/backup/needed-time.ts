import type { Duration, Instant } from '#kernel';
import type { Cluster } from '#fleet';
import { unsoakedSince, type BackupPolicy } from '#upgrade';
import { channelPolicyOf, StoredPolicies } from '../channels/policy-reader.js';
import type { EnginePorts } from '../engine-ports.js';

type Ports = Pick<EnginePorts, 'channels' | 'decisions'>;

/** How long a backup of the cluster may be needed: the longest soak that follows its channel, and the rollback window. */
export async function neededTime(
  ports: Ports,
  cluster: Pick<Cluster, 'channel'>,
  policy: Pick<BackupPolicy, 'rollbackWindow'>,
): Promise<Duration> {
  const policies = new StoredPolicies(ports.decisions);
  let soak: Duration = 0;
  for (const target of await ports.channels.listChannels()) {
    // A policy that cannot be read now asks for nothing; the rollback window alone is days.
    const found = await policies.policyOf(target).then(
      (all) => channelPolicyOf(all, target),
      () => undefined,
    );
    if (found?.from === cluster.channel) soak = Math.max(soak, found.gates.soak ?? 0);
  }
  return soak + policy.rollbackWindow;
}

/** Since when the cluster's channel runs what is not soaked; backups from before are the way back. */
export async function unsoakedOf(
  ports: Ports,
  cluster: Pick<Cluster, 'channel'>,
  needed: Duration,
  now: Instant,
): Promise<Instant | undefined> {
  return unsoakedSince(await ports.channels.channelRevisions(cluster.channel, 50), now, needed);
}
