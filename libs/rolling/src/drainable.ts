import type { Instant } from '#kernel';
import type { PodView } from '#fleet';
import { REPLACING_TAINT } from './marks.js';
import { listOf } from './selector.js';

/**
 * Pods that must leave before the instance may go: all but mirror pods, DaemonSet pods, finished pods, and pods without
 * a volume that tolerate our taint by name (they would come straight back). A toleration of everything does not count:
 * ordinary system workloads carry it and want to be moved; `kubectl drain` moves them too.
 */
export function drainablePods(pods: readonly PodView[]): readonly PodView[] {
  return pods.filter(
    (pod) =>
      !pod.mirror &&
      pod.owner?.kind !== 'DaemonSet' &&
      pod.phase !== 'Succeeded' &&
      pod.phase !== 'Failed' &&
      !(toleratesReplacing(pod) && pod.persistentVolumeClaims.length === 0),
  );
}

const toleratesReplacing = (pod: PodView): boolean =>
  listOf(pod.tolerations).some((t) => (t as { key?: unknown } | null)?.key === REPLACING_TAINT.key);

const NO_DISRUPTION: Readonly<Record<string, string>> = {
  'fairway.dev/do-not-disrupt': 'true',
  'karpenter.sh/do-not-disrupt': 'true',
  'cluster-autoscaler.kubernetes.io/safe-to-evict': 'false',
};

/** Why a pod asks not to be moved now; undefined when it does not ask. */
export function heldBy(pod: PodView): string | undefined {
  const key = Object.keys(NO_DISRUPTION).find((name) => pod.annotations[name] === NO_DISRUPTION[name]);
  if (key !== undefined) return `annotation ${key}: ${NO_DISRUPTION[key] ?? ''}`;
  return pod.owner?.kind === 'Job' ? `running Job ${pod.owner.name}` : undefined;
}

/** `system-cluster-critical` and above: evicted after everything else, because the others' moves may need them. */
const CRITICAL_PRIORITY = 2_000_000_000;
export const isCritical = (pod: PodView): boolean => pod.priority >= CRITICAL_PRIORITY;

export const hasVolume = (pod: PodView): boolean => pod.persistentVolumeClaims.length > 0;

/** When a pod that is being deleted should be gone by its own grace period. */
export const dueToBeGone = (pod: PodView): Instant | undefined => {
  const deleted = Date.parse(pod.deletionTimestamp ?? '');
  return Number.isNaN(deleted) ? undefined : deleted;
};

/** Seconds of drain that a node will probably cost: the longest graceful end, and volume pods one after the other. */
export function expectedDrainSeconds(pods: readonly PodView[]): number {
  const volumes = pods.filter((pod) => pod.persistentVolumeClaims.length > 0);
  const others = pods.filter((pod) => pod.persistentVolumeClaims.length === 0);
  const longest = others.reduce((most, pod) => Math.max(most, pod.terminationGracePeriodSeconds), 0);
  // 90 s: detach and attach of a volume elsewhere.
  return (
    longest +
    volumes.reduce((sum, pod) => sum + pod.terminationGracePeriodSeconds + 90, 0) +
    pods.length / 100
  );
}
