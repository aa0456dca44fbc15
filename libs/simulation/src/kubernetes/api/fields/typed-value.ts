import { isJsonObject, sameJson, type JsonObject } from '../object.js';
import { ANY, type ListSchema, type Schema } from '../schema/schema.js';
import { FieldSet } from './field-set.js';

/** How a value is owned: as one leaf, member by member, or item by item. */
type Shape =
  | { readonly kind: 'leaf' }
  | {
      readonly kind: 'object';
      readonly value: JsonObject;
      member(name: string): { schema: Schema; named: boolean };
    }
  | { readonly kind: 'items'; readonly value: readonly unknown[]; readonly schema: ListSchema };

const LEAF: Shape = { kind: 'leaf' };

function shapeOf(value: unknown, schema: Schema): Shape {
  switch (schema.kind) {
    case 'scalar':
      return LEAF;
    case 'any':
      return isJsonObject(value)
        ? { kind: 'object', value, member: () => ({ schema: ANY, named: false }) }
        : LEAF;
    case 'map':
      return schema.atomic || !isJsonObject(value)
        ? LEAF
        : { kind: 'object', value, member: () => ({ schema: schema.value, named: false }) };
    case 'struct':
      if (schema.atomic || !isJsonObject(value)) return LEAF;
      return {
        kind: 'object',
        value,
        member: (name) => {
          const field = schema.fields.get(name);
          return field ? { schema: field.schema, named: true } : { schema: ANY, named: false };
        },
      };
    case 'list':
      return schema.listType === 'atomic' || !Array.isArray(value) ? LEAF : { kind: 'items', value, schema };
  }
}

interface Child {
  readonly element: string;
  readonly value: unknown;
  readonly schema: Schema;
  /** A declared field of a struct: it belongs to nobody by itself. Map keys and list items are owned themselves. */
  readonly named: boolean;
}

function childrenOf(shape: Exclude<Shape, { kind: 'leaf' }>): readonly Child[] {
  if (shape.kind === 'items') {
    return shape.value.map((value) => ({
      element: itemElement(value, shape.schema),
      value,
      schema: shape.schema.item,
      named: false,
    }));
  }
  return Object.entries(shape.value)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => ({ element: `f:${name}`, value, ...shape.member(name) }));
}

function itemElement(item: unknown, list: ListSchema): string {
  if (list.listType === 'set') return `v:${JSON.stringify(item)}`;
  const keys: JsonObject = {};
  for (const { name, fallback } of [...list.keys].sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const value = isJsonObject(item) ? (item[name] ?? fallback) : undefined;
    if (value !== undefined) keys[name] = value;
  }
  return `k:${JSON.stringify(keys)}`;
}

const isEmptyish = (value: unknown): boolean =>
  value === null || (isJsonObject(value) && Object.keys(value).length === 0);

/** All paths that a manager owns who wrote exactly this value. */
export function toFieldSet(value: unknown, schema: Schema): FieldSet {
  const set = new FieldSet();
  const shape = shapeOf(value, schema);
  if (shape.kind === 'leaf') return set;
  for (const child of childrenOf(shape)) addChild(set, child, false);
  return set;
}

function addChild(set: FieldSet, child: Child, withContainers: boolean): void {
  const shape = shapeOf(child.value, child.schema);
  if (shape.kind === 'leaf') {
    set.members.add(child.element);
    return;
  }
  const container = shape.kind === 'items' || child.schema.kind === 'map';
  if (!child.named || isEmptyish(child.value) || (withContainers && container))
    set.members.add(child.element);
  const below = childrenOf(shape);
  if (below.length === 0) return;
  const inner = set.child(child.element);
  for (const grandchild of below) addChild(inner, grandchild, withContainers);
}

export interface Comparison {
  readonly added: FieldSet;
  readonly modified: FieldSet;
  readonly removed: FieldSet;
}

export function compare(before: unknown, after: unknown, schema: Schema): Comparison {
  const result = { added: new FieldSet(), modified: new FieldSet(), removed: new FieldSet() };
  compareInto(result, before, after, schema);
  return result;
}

function compareInto(into: Comparison, before: unknown, after: unknown, schema: Schema): void {
  const left = shapeOf(before ?? {}, schema);
  const right = shapeOf(after ?? {}, schema);
  const old = new Map(left.kind === 'leaf' ? [] : childrenOf(left).map((child) => [child.element, child]));
  for (const child of right.kind === 'leaf' ? [] : childrenOf(right)) {
    const was = old.get(child.element);
    old.delete(child.element);
    if (!was) addChild(into.added, child, true);
    else if (was.value !== child.value) compareChild(into, was, child);
  }
  for (const gone of old.values()) addChild(into.removed, gone, true);
}

function compareChild(into: Comparison, was: Child, is: Child): void {
  const left = shapeOf(was.value, was.schema);
  const right = shapeOf(is.value, is.schema);
  if (left.kind === 'leaf' || right.kind === 'leaf') {
    if (!sameJson(was.value, is.value)) into.modified.members.add(is.element);
    return;
  }
  const below = { added: new FieldSet(), modified: new FieldSet(), removed: new FieldSet() };
  compareInto(below, was.value, is.value, is.schema);
  for (const part of ['added', 'modified', 'removed'] as const) {
    if (!below[part].isEmpty) into[part].children.set(is.element, below[part]);
  }
}

/** The live value with the applied one laid over it: atomic parts are replaced, the others merged. */
export function mergeValues(live: unknown, applied: unknown, schema: Schema): unknown {
  if (applied === undefined) return live;
  if (live === undefined || live === null) return applied;
  const left = shapeOf(live, schema);
  const right = shapeOf(applied, schema);
  if (left.kind === 'object' && right.kind === 'object') {
    const result: JsonObject = { ...left.value };
    for (const [name, value] of Object.entries(right.value)) {
      result[name] = mergeValues(left.value[name], value, right.member(name).schema);
    }
    return result;
  }
  return left.kind === 'items' && right.kind === 'items'
    ? mergeItems(left.value, right.value, right.schema)
    : applied;
}

/** Applied items come in their order; items that only the live list has keep their place among their neighbours. */
function mergeItems(live: readonly unknown[], applied: readonly unknown[], list: ListSchema): unknown[] {
  const keyed = (items: readonly unknown[]) =>
    items.map((item) => ({ element: itemElement(item, list), item }));
  const left = keyed(live);
  const right = keyed(applied);
  const liveByElement = new Map(left.map(({ element, item }) => [element, item]));
  const wanted = new Set(right.map(({ element }) => element));
  const shared = right.filter(({ element }) => liveByElement.has(element)).map(({ element }) => element);
  const result: unknown[] = [];
  const placed = new Set<string>();
  let [l, r, next] = [0, 0, 0];
  while (l < left.length || r < right.length) {
    const mine = left[l];
    if (mine && placed.has(mine.element)) {
      l += 1;
    } else if (mine && !wanted.has(mine.element)) {
      result.push(mine.item);
      l += 1;
    } else if (mine && right[r] && mine.element !== right[r]?.element && shared[next] !== mine.element) {
      l += 1; // comes later, at its place in the applied order
    } else if (right[r]) {
      const { element, item } = right[r] as { element: string; item: unknown };
      result.push(mergeValues(liveByElement.get(element), item, list.item));
      placed.add(element);
      if (shared[next] === element) next += 1;
      r += 1;
    } else l += 1;
  }
  return result;
}

/** The value without the paths of the set. A container that becomes empty goes too. */
export function removePaths(value: unknown, schema: Schema, paths: FieldSet): unknown {
  const shape = shapeOf(value, schema);
  if (shape.kind === 'leaf') return value;
  const all = childrenOf(shape);
  const kept = all.flatMap((child) => {
    if (paths.members.has(child.element)) return [];
    const below = paths.children.get(child.element);
    const rest = below ? removePaths(child.value, child.schema, below) : child.value;
    return rest === undefined ? [] : [{ element: child.element, value: rest }];
  });
  if (kept.length === 0 && all.length > 0) return undefined;
  if (shape.kind === 'items') return kept.map((child) => child.value);
  return Object.fromEntries(kept.map((child) => [child.element.slice(2), child.value]));
}

/** Declared fields with owned parts count as owned themselves. Needed where parents are taken out whole. */
export function withNamedParents(set: FieldSet, schema: Schema): FieldSet {
  const result = new FieldSet();
  for (const member of set.members) result.members.add(member);
  for (const [element, below] of set.children) {
    const name = element.slice(2);
    let inner: Schema = ANY;
    if (schema.kind === 'list') inner = schema.item;
    else if (schema.kind === 'map') inner = schema.value;
    else if (schema.kind === 'struct' && element.startsWith('f:')) {
      const field = schema.fields.get(name);
      if (field) {
        inner = field.schema;
        result.members.add(element);
      }
    }
    result.children.set(element, withNamedParents(below, inner));
  }
  return result;
}
