import type { Instant } from '#kernel';
import type { Cluster, ClusterOverride, FleetEvent } from '#fleet';
import type { ConfigStanding } from '#ports';
import type { EnginePorts } from '../engine-ports.js';
import type { LeaseKeeper } from './lease-keeper.js';

/** Ends the overrides whose time is over, with an event each; what is left is in force. */
export async function endExpired(
  ports: EnginePorts,
  lease: LeaseKeeper,
  cluster: Cluster,
  standing: ConfigStanding,
): Promise<ConfigStanding> {
  const now = ports.clock.now();
  const over = standing.overrides.filter(({ expiresAt }) => expiresAt <= now);
  if (over.length === 0) return standing;
  const ids = over.map(({ id }) => id);
  await ports.configs.endOverrides(
    await lease.current(),
    ids,
    now,
    over.map((one) => expired(cluster, one, now)),
  );
  return { ...standing, overrides: standing.overrides.filter(({ id }) => !ids.includes(id)) };
}

const expired = (
  cluster: Cluster,
  { key, reason, createdBy, expiresAt }: ClusterOverride,
  at: Instant,
): FleetEvent => ({
  type: 'override.expired',
  at,
  severity: 'warning',
  subject: `cluster/${cluster.id}`,
  channel: cluster.channel,
  clusterId: cluster.id,
  message: `the override of ${key} by ${createdBy} has expired: ${reason}`,
  data: { key, reason, expiresAt },
});

/** When the next override ends. */
export const firstExpiry = ({ overrides }: Pick<ConfigStanding, 'overrides'>): Instant | undefined =>
  overrides.length === 0 ? undefined : Math.min(...overrides.map(({ expiresAt }) => expiresAt));

export const soonest = (at: Instant, other: Instant | undefined): Instant =>
  other === undefined ? at : Math.min(at, other);

export const earlier = (a: Instant | undefined, b: Instant | undefined): Instant | undefined =>
  a === undefined ? b : soonest(a, b);
