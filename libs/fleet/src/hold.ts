import type { Instant } from '#kernel';

/** Somebody or something stopped a scope. */
export interface Hold {
  readonly id: string;
  readonly scope:
    | { readonly kind: 'fleet' }
    | { readonly kind: 'channel'; readonly channel: string }
    | { readonly kind: 'cluster'; readonly clusterId: string }
    | { readonly kind: 'pool'; readonly clusterId: string; readonly pool: string };
  readonly reason: string;
  readonly owner: string;
  readonly createdAt: Instant;
  readonly expiresAt?: Instant;
}

/** The holds that stop work on this cluster (or one of its pools) at `now`. */
export function holdsOn(
  holds: readonly Hold[],
  target: { channel: string; clusterId: string; pool?: string },
  now: Instant,
): readonly Hold[] {
  return holds.filter((hold) => {
    if (hold.expiresAt !== undefined && hold.expiresAt <= now) return false;
    switch (hold.scope.kind) {
      case 'fleet':
        return true;
      case 'channel':
        return hold.scope.channel === target.channel;
      case 'cluster':
        return hold.scope.clusterId === target.clusterId;
      case 'pool':
        return hold.scope.clusterId === target.clusterId && hold.scope.pool === target.pool;
    }
  });
}
