import type { KubernetesObject, PathSegment } from '#fleet';
import { FIELD_MANAGER } from './labels.js';

/** An entry of `metadata.managedFields`. Source: Kubernetes API reference, ManagedFieldsEntry v1. */
export interface ManagerEntry {
  readonly manager?: string;
  readonly operation?: string;
  readonly subresource?: string;
  readonly time?: string;
  readonly fieldsV1?: FieldTree;
}

type FieldTree = { readonly [step: string]: FieldTree };

export const managersOf = (object: KubernetesObject): readonly ManagerEntry[] =>
  (object.metadata.managedFields ?? []) as readonly ManagerEntry[];

/** Whether Fairway ever applied it; labels alone can be copied. */
export const isAppliedByUs = (object: KubernetesObject): boolean =>
  managersOf(object).some((entry) => entry.manager === FIELD_MANAGER && entry.operation === 'Apply');

/** Who owns the place, the latest writer first; a manager of a whole list or map owns what is in it. */
export function ownersOf(
  object: KubernetesObject,
  segments: readonly PathSegment[],
): readonly ManagerEntry[] {
  return managersOf(object)
    .filter((entry) => entry.fieldsV1 !== undefined && owns(entry.fieldsV1, segments))
    .sort((a, b) => ((a.time ?? '') < (b.time ?? '') ? 1 : -1));
}

function owns(tree: FieldTree, segments: readonly PathSegment[]): boolean {
  const [head, ...rest] = segments;
  if (head === undefined) return true;
  const child = childOf(tree, head);
  if (child) return owns(child, rest);
  return Object.keys(tree).length === 0;
}

function childOf(tree: FieldTree, segment: PathSegment): FieldTree | undefined {
  if (typeof segment === 'string') return tree[`f:${segment}`];
  if (typeof segment === 'number') return tree[`i:${segment}`];
  for (const [step, child] of Object.entries(tree)) {
    if (step.startsWith('k:') && keysOf(step)[segment.key] === segment.value) return child;
  }
  return undefined;
}

const keysOf = (step: string): Record<string, unknown> => {
  try {
    return JSON.parse(step.slice(2)) as Record<string, unknown>;
  } catch {
    return {};
  }
};

/** The ways to all leaves of a field set, in terms of the object itself. */
export function leavesOf(tree: FieldTree, object: unknown): readonly (readonly PathSegment[])[] {
  const found: (readonly PathSegment[])[] = [];
  const walk = (node: FieldTree, value: unknown, way: readonly PathSegment[]): void => {
    const steps = Object.entries(node).filter(([step]) => step !== '.');
    if (steps.length === 0) {
      if (way.length > 0) found.push(way);
      return;
    }
    for (const [step, child] of steps) {
      const segment = segmentOf(step);
      if (segment === undefined) continue;
      walk(child, valueAt(value, [segment]), [...way, segment]);
    }
  };
  walk(tree, object, []);
  return found;
}

/** Elements with several keys (`containerPort` and `protocol`) are told apart well enough by the first. */
function segmentOf(step: string): PathSegment | undefined {
  if (step.startsWith('f:')) return step.slice(2);
  if (step.startsWith('i:')) return Number(step.slice(2));
  if (!step.startsWith('k:')) return undefined;
  const [first] = Object.entries(keysOf(step));
  return first && { key: first[0], value: first[1] };
}

export function valueAt(value: unknown, segments: readonly PathSegment[]): unknown {
  return segments.reduce<unknown>((at, segment) => {
    if (typeof at !== 'object' || at === null) return undefined;
    if (typeof segment !== 'object') return (at as Record<string | number, unknown>)[segment];
    return Array.isArray(at) ? at.find((entry) => matches(entry, segment)) : undefined;
  }, value);
}

const matches = (entry: unknown, segment: { readonly key: string; readonly value: unknown }): boolean =>
  typeof entry === 'object' &&
  entry !== null &&
  (entry as Record<string, unknown>)[segment.key] === segment.value;

/** A copy with another value at the place; undefined takes the member away. Places whose parent is missing stay. */
export function withValueAt<T>(object: T, segments: readonly PathSegment[], value: unknown): T {
  const copy = structuredClone(object);
  const last = segments.at(-1);
  const parent = valueAt(copy, segments.slice(0, -1));
  if (last === undefined || typeof parent !== 'object' || parent === null) return copy;
  if (typeof last !== 'object') {
    const container = parent as Record<string | number, unknown>;
    if (value === undefined) delete container[last];
    else container[last] = value;
    return copy;
  }
  if (!Array.isArray(parent)) return copy;
  const index = parent.findIndex((entry) => matches(entry, last));
  if (value === undefined) {
    if (index >= 0) parent.splice(index, 1);
  } else if (index >= 0) parent[index] = value;
  else parent.push(value);
  return copy;
}

/** Managers that people's own hands use: what they write is an edit, not a controller's claim. */
const BY_HAND = /^(kubectl|k9s|lens|dashboard|node-fetch|mozilla|curl|okhttp|headlamp)/i;
const SCALERS = /^(kube-controller-manager|horizontal-pod-autoscaler|keda|vpa|vertical-pod-autoscaler)/;

const isForeign = (entry: ManagerEntry): boolean =>
  entry.manager !== undefined && entry.manager !== FIELD_MANAGER;

/**
 * Whether another party has a right to the place, so that it is left to it: whoever scales by the scale subresource or is
 * an autoscaler, another manager that applies, and injectors of `caBundle`.
 */
export function belongsToOther(
  object: KubernetesObject,
  segments: readonly PathSegment[],
): ManagerEntry | undefined {
  const owners = ownersOf(object, segments);
  if (owners.some((entry) => entry.manager === FIELD_MANAGER && entry.operation === 'Apply')) {
    // We are co-owner: the value is still the one that we applied.
    return undefined;
  }
  return owners.find((entry) => isForeign(entry) && hasRight(entry, segments));
}

function hasRight(entry: ManagerEntry, segments: readonly PathSegment[]): boolean {
  const manager = entry.manager ?? '';
  if (segments.at(-1) === 'caBundle') return true;
  if (BY_HAND.test(manager)) return false;
  if (entry.subresource === 'scale' || entry.operation === 'Apply') return true;
  return segments.at(-1) === 'replicas' && SCALERS.test(manager);
}

/** `kube-controller-manager/scale` */
export const managerName = (entry: ManagerEntry): string =>
  entry.subresource ? `${entry.manager}/${entry.subresource}` : (entry.manager ?? 'unknown');
