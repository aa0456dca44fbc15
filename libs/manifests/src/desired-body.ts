import { canonicalJson } from '#kernel';
import type { KubernetesObject, PathSegment } from '#fleet';
import {
  belongsToOther,
  leavesOf,
  managerName,
  managersOf,
  ownersOf,
  valueAt,
  withValueAt,
} from './field-owners.js';
import { pathText } from './compare-apply.js';
import { FIELD_MANAGER } from './labels.js';
import type { DiffLine } from './types.js';

/** Managers that `kubectl apply` left behind when it owned an object. */
export const KUBECTL_APPLY_MANAGERS = ['kubectl-client-side-apply', 'kubectl-last-applied'] as const;

export interface DesiredBody {
  /** What is sent to the API server. */
  readonly object: KubernetesObject;
  /** Places that were left to others, and to whom. */
  readonly left: readonly { readonly path: string; readonly manager: string }[];
}

/**
 * What to apply, given what is live: fields that belong to somebody else are left out, places that shall be left alone
 * (JSON pointers of `ignore`, drift that was accepted) keep their live value.
 */
export function desiredBody(
  desired: KubernetesObject,
  live: KubernetesObject | undefined,
  leaveAlone: readonly (readonly PathSegment[])[],
): DesiredBody {
  if (live === undefined) return { object: desired, left: [] };
  let object = desired;
  const left: { path: string; manager: string }[] = [];
  for (const segments of disputed(desired, live)) {
    const other = belongsToOther(live, segments);
    if (!other) continue;
    object = withValueAt(object, segments, undefined);
    left.push({ path: pathText(segments), manager: managerName(other) });
  }
  for (const segments of leaveAlone) object = leave(object, live, segments);
  return { object, left };
}

/** Ways to fields of other managers that Git names too, with another value. */
function disputed(desired: KubernetesObject, live: KubernetesObject): readonly (readonly PathSegment[])[] {
  return managersOf(live)
    .filter((entry) => entry.manager !== FIELD_MANAGER && entry.subresource !== 'status' && entry.fieldsV1)
    .flatMap((entry) => leavesOf(entry.fieldsV1 ?? {}, live))
    .filter((segments) => {
      const wanted = valueAt(desired, segments);
      return wanted !== undefined && canonicalJson(wanted) !== canonicalJson(valueAt(live, segments));
    });
}

/** Left out where another manager owns it, else sent as it is: leaving out what only we own would remove it. */
function leave(
  object: KubernetesObject,
  live: KubernetesObject,
  segments: readonly PathSegment[],
): KubernetesObject {
  const owned = ownersOf(live, segments).some((entry) => entry.manager !== FIELD_MANAGER);
  return withValueAt(object, segments, owned ? undefined : valueAt(live, segments));
}

/** Ways that a JSON pointer means in this object; `*` stands for every member or element. RFC 6901. */
export function pointerWays(object: KubernetesObject, pointer: string): readonly (readonly PathSegment[])[] {
  const parts = pointer
    .replace(/^\//, '')
    .split('/')
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
  let ways: readonly (readonly PathSegment[])[] = [[]];
  for (const part of parts) {
    ways = ways.flatMap((way) => {
      const value = valueAt(object, way);
      if (typeof value !== 'object' || value === null) return [];
      const keys = part === '*' ? Object.keys(value) : [part];
      return keys.map((key) => [...way, Array.isArray(value) ? Number(key) : key]);
    });
  }
  return ways;
}

/**
 * Fields that `kubectl apply` wrote and Git does not name any more. A dry-run cannot show that they go, because they are
 * ours only after the adoption.
 */
export function fieldsToDrop(desired: KubernetesObject, live: KubernetesObject): readonly DiffLine[] {
  return managersOf(live)
    .filter((entry) => isKubectlApply(entry.manager) && entry.operation === 'Update' && entry.fieldsV1)
    .flatMap((entry) => leavesOf(entry.fieldsV1 ?? {}, live))
    .filter((way) => valueAt(desired, way) === undefined && valueAt(live, way) !== undefined)
    .map((segments) => ({ path: pathText(segments), segments, change: 'remove' as const }));
}

const isKubectlApply = (manager: string | undefined): boolean =>
  (KUBECTL_APPLY_MANAGERS as readonly string[]).includes(manager ?? '');

/** Whether `kubectl apply` of old owns fields of the object. */
export const needsAdoption = (live: KubernetesObject): boolean =>
  managersOf(live).some((entry) => isKubectlApply(entry.manager) && entry.operation === 'Update');
