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
  /**
   * `promotion`: nothing newer comes in (no promotion into the channel, no admission of the cluster), what is there works
   * on. A rollback leaves one behind. Absent: everything stops.
   */
  readonly blocks?: 'promotion';
}

interface HoldTarget {
  readonly channel: string;
  readonly clusterId: string;
  /** Holds of single pools of the cluster, too: they freeze those pools' rolls and nothing else. */
  readonly withPools?: true;
}

/** The holds that stop work on this cluster, or on its pools, at `now`. */
export const holdsOn = (holds: readonly Hold[], target: HoldTarget, now: Instant): readonly Hold[] =>
  admissionHoldsOn(holds, target, now).filter((hold) => hold.blocks === undefined);

/** The holds that keep anything newer out at `now`: those that stop all work, and those that stop promotion only. */
export function admissionHoldsOn(holds: readonly Hold[], target: HoldTarget, now: Instant): readonly Hold[] {
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
        return target.withPools === true && hold.scope.clusterId === target.clusterId;
    }
  });
}
