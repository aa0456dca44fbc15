import { ApiError, type StatusCause } from '../api-error.js';
import { clone, isJsonObject, sameJson, type JsonObject, type ManagedFieldsEntry } from '../object.js';
import type { Schema } from '../schema/schema.js';
import { FieldSet } from './field-set.js';
import { compare, mergeValues, removePaths, toFieldSet, withNamedParents } from './typed-value.js';

/** Who writes, as it appears in `metadata.managedFields`. */
export interface Writer {
  readonly manager: string;
  readonly operation: 'Apply' | 'Update';
  readonly apiVersion: string;
  readonly subresource?: string;
  /** RFC 3339. */
  readonly time: string;
}

interface Managed {
  readonly writer: Writer;
  readonly set: FieldSet;
}

/** Never owned: identity and what the server itself keeps. */
const UNOWNED: readonly (readonly string[])[] = [
  ['f:apiVersion'],
  ['f:kind'],
  ...[
    'name',
    'namespace',
    'uid',
    'resourceVersion',
    'generation',
    'creationTimestamp',
    'deletionTimestamp',
    'deletionGracePeriodSeconds',
    'managedFields',
    'selfLink',
  ].map((name) => ['f:metadata', `f:${name}`]),
];

const ownable = (set: FieldSet): FieldSet => {
  const stripped = set.without(UNOWNED);
  stripped.members.delete('f:metadata');
  return stripped;
};

/** Appliers have one entry over all versions; updaters one for each version. */
const identity = (writer: Writer): string =>
  JSON.stringify([
    writer.manager,
    writer.operation,
    writer.operation === 'Apply' ? '' : writer.apiVersion,
    writer.subresource ?? '',
  ]);

type Managers = Map<string, Managed>;

function decode(entries: readonly ManagedFieldsEntry[] | undefined): Managers {
  const managers: Managers = new Map();
  for (const entry of entries ?? []) {
    const writer: Writer = {
      manager: entry.manager,
      operation: entry.operation,
      apiVersion: entry.apiVersion,
      time: entry.time ?? '',
      ...(entry.subresource && { subresource: entry.subresource }),
    };
    managers.set(identity(writer), { writer, set: FieldSet.from(entry.fieldsV1) });
  }
  return managers;
}

function encode(managers: Managers): ManagedFieldsEntry[] {
  const entries = [...managers.values()].map(({ writer, set }): ManagedFieldsEntry => ({
    manager: writer.manager,
    operation: writer.operation,
    apiVersion: writer.apiVersion,
    ...(writer.time && { time: writer.time }),
    fieldsType: 'FieldsV1',
    fieldsV1: set.toFields(),
    ...(writer.subresource && { subresource: writer.subresource }),
  }));
  const order = (entry: ManagedFieldsEntry) =>
    [entry.operation, entry.time ?? '', entry.manager, entry.subresource ?? ''].join('\u0000');
  return entries.sort((a, b) => (order(a) < order(b) ? -1 : 1));
}

/** Keeps the time of entries whose fields did not change: a repeated write leaves no trace. */
function settle(managers: Managers, before: Managers, writer: Writer): Managers {
  const result: Managers = new Map();
  for (const [key, managed] of managers) {
    if (managed.set.isEmpty) continue;
    const was = before.get(key);
    const same = was !== undefined && was.set.equals(managed.set);
    const time = same ? was.writer.time : key === identity(writer) ? writer.time : managed.writer.time;
    result.set(key, { writer: { ...managed.writer, time }, set: managed.set });
  }
  return result;
}

export interface TrackedObject {
  readonly metadata?: { readonly managedFields?: readonly ManagedFieldsEntry[] | undefined };
  readonly [field: string]: unknown;
}

/** Ownership after an update, patch or create: the writer takes what it changed, others lose it. */
export function trackUpdate(
  live: TrackedObject | undefined,
  next: TrackedObject,
  schema: Schema,
  writer: Writer,
): ManagedFieldsEntry[] {
  // A client may write managedFields itself (kubectl migrates from client-side apply so).
  const base = next.metadata?.managedFields ?? live?.metadata?.managedFields;
  const before = decode(base);
  const difference = compare(live ?? {}, next, schema);
  const gained = ownable(difference.modified.union(difference.added));
  const removed = difference.removed;
  if (gained.isEmpty && removed.isEmpty) return encode(before);
  const managers: Managers = new Map();
  for (const [key, managed] of before) {
    managers.set(key, { writer: managed.writer, set: managed.set.difference(removed).difference(gained) });
  }
  const own = before.get(identity(writer))?.set ?? new FieldSet();
  managers.set(identity(writer), { writer, set: own.difference(removed).union(gained) });
  return encode(settle(managers, before, writer));
}

export interface Applied {
  readonly object: JsonObject;
  readonly managedFields: ManagedFieldsEntry[];
  /** Neither the object nor who owns what has changed. */
  readonly unchanged: boolean;
}

/**
 * Server-side apply. Lays the configuration over the live object, takes out what this manager applied before and no
 * longer does (unless somebody else owns it), and refuses to change fields of others without `force`.
 */
export function applyConfiguration(
  live: TrackedObject | undefined,
  config: JsonObject,
  schema: Schema,
  writer: Writer,
  force: boolean,
): Applied {
  const before = decode(live?.metadata?.managedFields);
  const key = identity(writer);
  const lastSet = before.get(key)?.set ?? new FieldSet();
  const ownSet = ownable(toFieldSet(config, schema));
  const managers: Managers = new Map(before);
  managers.set(key, { writer, set: ownSet });
  const merged = mergeValues(live ? clone(live) : {}, config, schema) as JsonObject;
  const object = lastSet.isEmpty ? merged : prune(merged, schema, managers, lastSet);
  const difference = compare(live ?? {}, object, schema);
  const changed = ownable(difference.modified.union(difference.added));
  const conflicts: { writer: Writer; set: FieldSet }[] = [];
  for (const [other, managed] of managers) {
    if (other === key) continue;
    const lost = managed.set.intersection(changed);
    if (!lost.isEmpty) conflicts.push({ writer: managed.writer, set: lost });
    managers.set(other, { ...managed, set: managed.set.difference(lost).difference(difference.removed) });
  }
  if (conflicts.length > 0 && !force) throw conflictError(conflicts);
  const settled = settle(managers, before, writer);
  const unchanged =
    live !== undefined &&
    sameOwners(settled, before) &&
    sameJson(withoutManaged(object), withoutManaged(live));
  return { object, managedFields: encode(settled), unchanged };
}

function prune(merged: JsonObject, schema: Schema, managers: Managers, lastSet: FieldSet): JsonObject {
  const mergedSet = toFieldSet(merged, schema);
  const first = removePaths(merged, schema, withNamedParents(lastSet, schema));
  let owned = withNamedParents(toFieldSet(first, schema), schema);
  for (const { set } of managers.values()) owned = owned.union(withNamedParents(set, schema));
  const second = removePaths(merged, schema, withNamedParents(mergedSet, schema).difference(owned));
  const dangling = mergedSet.difference(toFieldSet(second, schema)).intersection(lastSet);
  return (removePaths(merged, schema, dangling) ?? {}) as JsonObject;
}

function sameOwners(a: Managers, b: Managers): boolean {
  if (a.size !== b.size) return false;
  for (const [key, managed] of a) {
    const other = b.get(key);
    if (!other || !other.set.equals(managed.set) || other.writer.apiVersion !== managed.writer.apiVersion)
      return false;
  }
  return true;
}

function withoutManaged(object: TrackedObject | JsonObject): JsonObject {
  const { managedFields: _, ...metadata } = isJsonObject(object['metadata']) ? object['metadata'] : {};
  return { ...object, metadata };
}

const nameOf = (writer: Writer): string => {
  const name =
    JSON.stringify(writer.manager) + (writer.subresource ? ` with subresource "${writer.subresource}"` : '');
  return writer.operation === 'Update' ? `${name} using ${writer.apiVersion}` : name;
};

function conflictError(conflicts: readonly { writer: Writer; set: FieldSet }[]): ApiError {
  const flat = conflicts.flatMap(({ writer, set }) =>
    set.paths().map((path) => ({ manager: nameOf(writer), path })),
  );
  const causes: StatusCause[] = flat.map(({ manager, path }) => ({
    reason: 'FieldManagerConflict',
    message: `conflict with ${manager}`,
    field: path,
  }));
  if (flat.length === 1) {
    const text = `Apply failed with 1 conflict: conflict with ${flat[0]?.manager}: ${flat[0]?.path}`;
    return new ApiError(409, 'Conflict', text, { details: { causes } });
  }
  const lines = [...new Set(flat.map(({ manager }) => manager))]
    .sort()
    .flatMap((manager) => [
      `conflicts with ${manager}:`,
      ...flat.filter((one) => one.manager === manager).map(({ path }) => `- ${path}`),
    ]);
  const text = `Apply failed with ${flat.length} conflicts: ${lines.join('\n')}`;
  return new ApiError(409, 'Conflict', text, { details: { causes } });
}

/** Paths in dispute, for the exception that kubectl's own client-side past gets. */
export const conflictPaths = (error: ApiError): readonly string[] =>
  (error.details?.causes ?? []).flatMap((cause) =>
    cause.reason === 'FieldManagerConflict' && cause.field ? [cause.field] : [],
  );
