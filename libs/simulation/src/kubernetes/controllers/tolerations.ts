import type { Taint, Toleration } from './objects.js';

export const NOT_READY = 'node.kubernetes.io/not-ready';
export const UNREACHABLE = 'node.kubernetes.io/unreachable';
export const UNSCHEDULABLE = 'node.kubernetes.io/unschedulable';
export const OUT_OF_SERVICE = 'node.kubernetes.io/out-of-service';

/** An empty key with `Exists` tolerates everything, an empty effect every effect. */
export function tolerates(toleration: Toleration, taint: Taint): boolean {
  if (toleration.effect && toleration.effect !== taint.effect) return false;
  if (toleration.key && toleration.key !== taint.key) return false;
  if (!toleration.key && toleration.operator !== 'Exists') return false;
  return toleration.operator === 'Exists' || (toleration.value ?? '') === (taint.value ?? '');
}

export const isTolerated = (taint: Taint, tolerations: readonly Toleration[] = []): boolean =>
  tolerations.some((toleration) => tolerates(toleration, taint));

/** The first taint that keeps a pod off a node; PreferNoSchedule keeps nobody off. */
export const firstUntolerated = (
  taints: readonly Taint[] = [],
  tolerations: readonly Toleration[] = [],
  effects: readonly string[] = ['NoSchedule', 'NoExecute'],
): Taint | undefined =>
  taints.find((taint) => effects.includes(taint.effect) && !isTolerated(taint, tolerations));

/**
 * How long a pod may stay under these NoExecute taints: milliseconds, `Infinity` for ever, 0 not at all. The shortest
 * `tolerationSeconds` counts.
 */
export function stayUnder(taints: readonly Taint[] = [], tolerations: readonly Toleration[] = []): number {
  let stay = Number.POSITIVE_INFINITY;
  for (const taint of taints) {
    if (taint.effect !== 'NoExecute') continue;
    const matching = tolerations.filter((toleration) => tolerates(toleration, taint));
    if (matching.length === 0) return 0;
    for (const { tolerationSeconds } of matching) {
      if (tolerationSeconds !== undefined) stay = Math.min(stay, Math.max(0, tolerationSeconds) * 1000);
    }
  }
  return stay;
}

const exists = (key: string, effect: string): Toleration => ({ key, operator: 'Exists', effect });

/** What every DaemonSet pod tolerates without being told. */
export const DAEMON_TOLERATIONS: readonly Toleration[] = [
  exists(NOT_READY, 'NoExecute'),
  exists(UNREACHABLE, 'NoExecute'),
  exists('node.kubernetes.io/disk-pressure', 'NoSchedule'),
  exists('node.kubernetes.io/memory-pressure', 'NoSchedule'),
  exists('node.kubernetes.io/pid-pressure', 'NoSchedule'),
  exists(UNSCHEDULABLE, 'NoSchedule'),
];
