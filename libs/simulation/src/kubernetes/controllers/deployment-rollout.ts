import { resolveFenceposts } from './int-or-percent.js';
import type { Deployment, ReplicaSet } from './workloads.js';

export interface SetCount {
  readonly name: string;
  readonly replicas: number;
  readonly available: number;
  /** Pods that still exist, terminating ones aside. */
  readonly pods: number;
  readonly created: number;
}

/** New sizes by ReplicaSet name; a name that is missing keeps its size. */
export type Sizes = ReadonlyMap<string, number>;

export const countOf = (set: ReplicaSet): SetCount => ({
  name: set.metadata.name,
  replicas: set.spec?.replicas ?? 0,
  available: set.status?.availableReplicas ?? 0,
  pods: set.status?.replicas ?? 0,
  created: Date.parse(set.metadata.creationTimestamp ?? '') || 0,
});

/** Surge and unavailable of a Deployment as integers; `Recreate` has neither. */
export function limitsOf(deployment: Deployment): { readonly surge: number; readonly unavailable: number } {
  const desired = deployment.spec?.replicas ?? 1;
  if (deployment.spec?.strategy?.type === 'Recreate') return { surge: 0, unavailable: 0 };
  const rolling = deployment.spec?.strategy?.rollingUpdate;
  const { surge, unavailable } = resolveFenceposts(
    rolling?.maxSurge ?? '25%',
    rolling?.maxUnavailable ?? '25%',
    desired,
  );
  return { surge, unavailable: Math.min(unavailable, desired) };
}

const sum = (sets: readonly SetCount[], of: (set: SetCount) => number): number =>
  sets.reduce((total, set) => total + of(set), 0);

/** One step of a rolling update, as kube-controller-manager takes it: either the new set grows, or old ones shrink. */
export function planRollingUpdate(deployment: Deployment, fresh: SetCount, old: readonly SetCount[]): Sizes {
  const desired = deployment.spec?.replicas ?? 1;
  const { surge, unavailable } = limitsOf(deployment);
  const grown = growNew(desired, surge, fresh, old);
  if (grown !== fresh.replicas) return new Map([[fresh.name, grown]]);
  return shrinkOld(desired - unavailable, fresh, old);
}

function growNew(desired: number, surge: number, fresh: SetCount, old: readonly SetCount[]): number {
  if (fresh.replicas >= desired) return desired;
  const total = fresh.replicas + sum(old, (set) => set.replicas);
  const room = desired + surge - total;
  return room <= 0 ? fresh.replicas : fresh.replicas + Math.min(room, desired - fresh.replicas);
}

function shrinkOld(minAvailable: number, fresh: SetCount, old: readonly SetCount[]): Sizes {
  const sizes = new Map<string, number>();
  const total = fresh.replicas + sum(old, (set) => set.replicas);
  let budget = total - minAvailable - (fresh.replicas - fresh.available);
  const byAge = [...old]
    .filter((set) => set.replicas > 0)
    .sort((a, b) => a.created - b.created || (a.name < b.name ? -1 : 1));
  if (budget <= 0) return sizes;
  for (const set of byAge) {
    const broken = Math.min(budget, Math.max(0, set.replicas - set.available));
    if (broken > 0) sizes.set(set.name, set.replicas - broken);
    budget -= broken;
  }
  let spare = fresh.available + sum(old, (set) => set.available) - minAvailable;
  for (const set of byAge) {
    const size = sizes.get(set.name) ?? set.replicas;
    const less = Math.min(spare, size);
    if (less <= 0) continue;
    sizes.set(set.name, size - less);
    spare -= less;
  }
  return sizes;
}

/** `Recreate`: everything old goes first, the new set starts when the last old pod is gone. */
export function planRecreate(
  deployment: Deployment,
  fresh: SetCount,
  old: readonly SetCount[],
  oldPods: number,
): Sizes {
  const shrinking = old.filter((set) => set.replicas > 0);
  if (shrinking.length > 0) return new Map(shrinking.map((set) => [set.name, 0]));
  const desired = deployment.spec?.replicas ?? 1;
  return oldPods > 0 || fresh.replicas === desired ? new Map() : new Map([[fresh.name, desired]]);
}
