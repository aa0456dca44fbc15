import type { Taint } from '#fleet';
import type { NodePatch } from '#ports';
import { isRecord } from './status.js';
import { taintsOf } from './views.js';

type Json = Readonly<Record<string, unknown>>;

/**
 * The JSON merge patch that brings a live node to what is asked, or undefined if it is there already. It carries the
 * resourceVersion of what was read: taints are a list, and a list is replaced as a whole.
 */
export function nodeMergePatch(live: Json, patch: NodePatch): Json | undefined {
  const metadata = isRecord(live['metadata']) ? live['metadata'] : {};
  const spec = isRecord(live['spec']) ? live['spec'] : {};
  const labels = changedKeys(metadata['labels'], patch.labels);
  const annotations = changedKeys(metadata['annotations'], patch.annotations);
  const taints = changedTaints(taintsOf(spec), spec['taints'], patch);
  const cordon =
    patch.unschedulable !== undefined && patch.unschedulable !== (spec['unschedulable'] === true)
      ? // Absent is false; null leaves no trace behind.
        { unschedulable: patch.unschedulable ? true : null }
      : undefined;
  if (!labels && !annotations && !taints && !cordon) return undefined;
  return {
    metadata: {
      uid: metadata['uid'],
      resourceVersion: metadata['resourceVersion'],
      ...(labels && { labels }),
      ...(annotations && { annotations }),
    },
    ...((taints || cordon) && {
      spec: { ...cordon, ...(taints && { taints: taints.length > 0 ? taints : null }) },
    }),
  };
}

function changedKeys(
  live: unknown,
  wanted: Readonly<Record<string, string | null>> | undefined,
): Readonly<Record<string, string | null>> | undefined {
  const now = isRecord(live) ? live : {};
  const changed = Object.entries(wanted ?? {}).filter(([key, value]) => (now[key] ?? null) !== value);
  return changed.length > 0 ? Object.fromEntries(changed) : undefined;
}

/** The whole new list in the live objects' own shape (`timeAdded` of others survives), or undefined for no change. */
function changedTaints(
  now: readonly Taint[],
  live: unknown,
  patch: NodePatch,
): readonly unknown[] | undefined {
  const raw = Array.isArray(live) ? live.filter(isRecord) : [];
  const is = (a: Pick<Taint, 'key' | 'effect'>) => (b: Json) =>
    b['key'] === a.key && b['effect'] === a.effect;
  const missing = (patch.addTaints ?? []).filter(
    (taint) =>
      !now.some(
        (one) =>
          one.key === taint.key && one.effect === taint.effect && (one.value ?? '') === (taint.value ?? ''),
      ),
  );
  const removed = (patch.removeTaints ?? []).filter((taint) => raw.some(is(taint)));
  if (missing.length === 0 && removed.length === 0) return undefined;
  const kept = raw.filter((taint) => ![...missing, ...removed].some((gone) => is(gone)(taint)));
  return [...kept, ...missing];
}
