import { refKey, type KubernetesObject, type ObjectRef } from '#fleet';
import type { ApiTransport } from './api-transport.js';
import type { ResourceKind } from './discovery.js';
import { object, objectPath } from './objects.js';
import { isRecord } from './status.js';

const MAX_TRIES = 5;

/** Reads the object and rewrites who owns its fields. False when nothing had to be adopted. */
export async function adoptFields(
  transport: ApiTransport,
  kind: ResourceKind,
  ref: ObjectRef,
  options: { readonly from: readonly string[]; readonly fieldManager: string },
): Promise<boolean> {
  const context = { action: `adopt ${refKey(ref)}`, verb: 'patch', secret: ref.kind === 'Secret' } as const;
  const path = objectPath(kind, ref);
  for (let tries = 1; ; tries += 1) {
    const live = object(await transport.send({ method: 'GET', path, context }), context);
    const body = adoptionPatch(live, options.from, options.fieldManager);
    if (!body) return false;
    const answer = await transport.send({
      method: 'PATCH',
      path,
      query: { fieldManager: options.fieldManager },
      contentType: 'application/json-patch+json',
      body,
      context,
    });
    // The patch is bound to the version that was read: somebody else wrote meanwhile.
    if ((answer.status === 409 || answer.status === 422) && tries < MAX_TRIES) continue;
    object(answer, context);
    return true;
  }
}

/**
 * A JSON patch that turns the entries of `from` managers into fields that `fieldManager` applied; undefined where they own
 * nothing. The result is what client-go's `csaupgrade` makes. It fails if the object changed since it was read.
 */
export function adoptionPatch(
  live: KubernetesObject,
  from: readonly string[],
  fieldManager: string,
): readonly unknown[] | undefined {
  const entries = (live.metadata.managedFields ?? []).filter(isRecord);
  const adopted = entries.filter(
    (entry) =>
      from.includes(String(entry['manager'])) &&
      entry['operation'] === 'Update' &&
      (entry['subresource'] ?? '') === '',
  );
  if (adopted.length === 0) return undefined;
  const own = entries.find(
    (entry) =>
      entry['manager'] === fieldManager &&
      entry['operation'] === 'Apply' &&
      (entry['subresource'] ?? '') === '',
  );
  const newest = adopted.at(-1) as Readonly<Record<string, unknown>>;
  const union = [...adopted, ...(own ? [own] : [])].reduce<Record<string, unknown>>(
    (fields, entry) => mergeFields(fields, entry['fieldsV1']),
    {},
  );
  const applied = { ...(own ?? newest), manager: fieldManager, operation: 'Apply', fieldsV1: union };
  const others = entries.filter((entry) => !adopted.includes(entry) && entry !== own);
  return [
    { op: 'test', path: '/metadata/resourceVersion', value: live.metadata.resourceVersion },
    { op: 'replace', path: '/metadata/managedFields', value: [...others, applied] },
  ];
}

/** Field sets are trees whose leaves are empty objects: their union is the union of the branches. */
function mergeFields(into: Readonly<Record<string, unknown>>, more: unknown): Record<string, unknown> {
  const merged: Record<string, unknown> = { ...into };
  if (!isRecord(more)) return merged;
  for (const [key, value] of Object.entries(more)) {
    const known = merged[key];
    merged[key] = isRecord(known) ? mergeFields(known, value) : value;
  }
  return merged;
}
