import { fail } from '#kernel';
import type { Change } from '#ports';

/** If-Match: the change was made for one version of the record. */
export function requireVersion(what: string, version: number, change: Change): void {
  if (change.expectedVersion === undefined || change.expectedVersion === version) return;
  fail({
    class: 'conflict',
    code: 'version-mismatch',
    message: `${what} has version ${version}, the change was made for version ${change.expectedVersion}`,
    hint: 'Read the record again and repeat the change.',
  });
}

/** Names of the members of a patch that differ from the record. Objects are compared as JSON. */
export function changedFields(current: object, patch: object): readonly string[] {
  const before = current as Record<string, unknown>;
  return Object.entries(patch)
    .filter(([, value]) => value !== undefined)
    .filter(([name, value]) => !sameValue(before[name], value))
    .map(([name]) => name);
}

function sameValue(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  const keys = Object.keys(a);
  if (Array.isArray(a) !== Array.isArray(b) || keys.length !== Object.keys(b).length) return false;
  return keys.every((key) =>
    sameValue((a as Record<string, unknown>)[key], (b as Record<string, unknown>)[key]),
  );
}

export const pick = (from: object, names: readonly string[]): object =>
  Object.fromEntries(Object.entries(from).filter(([name]) => names.includes(name)));
