import { badRequest } from '../api-error.js';
import { isJsonObject, sameJson, type JsonObject } from '../object.js';
import { ANY, type ListSchema, type Schema } from '../schema/schema.js';

const DELETE_LIST = '$deleteFromPrimitiveList/';
const ORDER = '$setElementOrder/';

/**
 * Strategic merge patch as kubectl sends it: keyed lists merge by their merge key, with the directives `$patch`
 * (delete, replace, merge), `$retainKeys`, `$setElementOrder/…` and `$deleteFromPrimitiveList/…`.
 */
export function applyStrategicMerge(target: unknown, patch: JsonObject, schema: Schema): JsonObject {
  const base: JsonObject = isJsonObject(target) ? { ...target } : {};
  if (patch['$patch'] === 'replace') return withoutDirectives(patch);
  if (patch['$patch'] === 'delete') return {};
  if (Array.isArray(patch['$retainKeys'])) {
    const keep = new Set(patch['$retainKeys'].map(String));
    for (const name of Object.keys(base)) if (!keep.has(name)) delete base[name];
  }
  for (const [name, value] of Object.entries(patch)) {
    if (name === '$patch' || name === '$retainKeys' || name.startsWith(ORDER)) continue;
    if (name.startsWith(DELETE_LIST)) {
      removePrimitives(base, name.slice(DELETE_LIST.length), value);
      continue;
    }
    if (value === null) delete base[name];
    else base[name] = mergeMember(base[name], value, memberSchema(schema, name), patch[ORDER + name]);
  }
  reorderOnly(base, patch, schema);
  return base;
}

function memberSchema(schema: Schema, name: string): Schema {
  if (schema.kind === 'struct') return schema.fields.get(name)?.schema ?? ANY;
  return schema.kind === 'map' ? schema.value : ANY;
}

function removePrimitives(base: JsonObject, name: string, values: unknown): void {
  if (!Array.isArray(values) || !Array.isArray(base[name])) return;
  base[name] = (base[name] as unknown[]).filter((item) => !values.some((gone) => sameJson(gone, item)));
}

function mergeMember(target: unknown, value: unknown, schema: Schema, order: unknown): unknown {
  if (isJsonObject(value)) return applyStrategicMerge(target, value, schema);
  if (!Array.isArray(value) || schema.kind !== 'list' || schema.listType === 'atomic') return value;
  return mergeList(
    Array.isArray(target) ? target : [],
    value,
    schema,
    Array.isArray(order) ? order : undefined,
  );
}

/** kubectl knows one merge key per list: the first of the server's keys. */
const mergeKeyOf = (list: ListSchema): string => list.keys[0]?.name ?? '';

function mergeList(
  target: readonly unknown[],
  patch: readonly unknown[],
  list: ListSchema,
  order: readonly unknown[] | undefined,
): unknown[] {
  if (list.listType === 'set') {
    const all = [...target, ...patch.filter((item) => !target.some((known) => sameJson(known, item)))];
    return order ? sorted(all, order, (item) => item) : all;
  }
  if (patch.some((item) => isJsonObject(item) && item['$patch'] === 'replace')) {
    return patch.filter((item) => isJsonObject(item) && item['$patch'] !== 'replace');
  }
  const key = mergeKeyOf(list);
  const keyOf = (item: unknown) => (isJsonObject(item) ? item[key] : undefined);
  let result = [...target];
  for (const item of patch) {
    if (!isJsonObject(item) || item[key] === undefined) {
      throw badRequest(`map: ${JSON.stringify(item)} does not contain declared merge key: ${key}`);
    }
    const index = result.findIndex((known) => sameJson(keyOf(known), item[key]));
    if (item['$patch'] === 'delete') result = result.filter((known) => !sameJson(keyOf(known), item[key]));
    else if (index < 0) result.push(withoutDirectives(item));
    else result[index] = applyStrategicMerge(result[index], item, list.item);
  }
  return order ? sorted(result, order.map(keyOf), keyOf) : result;
}

/** Items named by the order come in it; the others keep their place behind their live predecessor. */
function sorted(
  items: readonly unknown[],
  order: readonly unknown[],
  keyOf: (item: unknown) => unknown,
): unknown[] {
  const rank = (item: unknown) => order.findIndex((key) => sameJson(key, keyOf(item)));
  const ranked = items.filter((item) => rank(item) >= 0).sort((a, b) => rank(a) - rank(b));
  let next = 0;
  return items.map((item) => (rank(item) >= 0 ? ranked[next++] : item));
}

/** An order without a list beside it only rearranges. */
function reorderOnly(base: JsonObject, patch: JsonObject, schema: Schema): void {
  for (const [name, order] of Object.entries(patch)) {
    if (!name.startsWith(ORDER) || !Array.isArray(order)) continue;
    const field = name.slice(ORDER.length);
    const list = memberSchema(schema, field);
    if (patch[field] !== undefined || list.kind !== 'list' || !Array.isArray(base[field])) continue;
    const key = mergeKeyOf(list);
    const keyOf = (item: unknown) => (isJsonObject(item) && key !== '' ? item[key] : item);
    base[field] = sorted(base[field] as unknown[], order.map(keyOf), keyOf);
  }
}

function withoutDirectives(value: JsonObject): JsonObject {
  const result: JsonObject = {};
  for (const [name, member] of Object.entries(value)) {
    if (name.startsWith('$')) continue;
    result[name] = isJsonObject(member) ? withoutDirectives(member) : member;
  }
  return result;
}
