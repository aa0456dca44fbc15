import type { KubernetesObject } from '#fleet';

/** A condition as the API conventions define it. */
export interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
}

/** The value at a path, without trust in the object's shape. */
export function at(object: KubernetesObject, ...path: readonly string[]): unknown {
  let value: unknown = object;
  for (const key of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Record<string, unknown>)[key];
  }
  return value;
}

export function numberAt(object: KubernetesObject, ...path: readonly string[]): number | undefined {
  const value = at(object, ...path);
  return typeof value === 'number' ? value : undefined;
}

export function stringAt(object: KubernetesObject, ...path: readonly string[]): string | undefined {
  const value = at(object, ...path);
  return typeof value === 'string' ? value : undefined;
}

export function conditionOf(object: KubernetesObject, type: string): Condition | undefined {
  const conditions = at(object, 'status', 'conditions');
  if (!Array.isArray(conditions)) return undefined;
  return (
    (conditions as readonly (Condition | null)[]).find((condition) => condition?.type === type) ?? undefined
  );
}

export const text = (condition: Condition, otherwise: string): string =>
  [condition.reason, condition.message].filter((part) => part !== undefined && part !== '').join(': ') ||
  otherwise;
