import { isJsonObject, type JsonObject } from '../object.js';
import { CORE_SCHEMA } from './core-schema.js';
import { POD_SCHEMA } from './pod-schema.js';
import { POLICY_SCHEMA } from './policy-schema.js';
import { VOLUME_SCHEMA } from './volume-schema.js';
import { WORKLOAD_SCHEMA } from './workload-schema.js';

export type ScalarType = 'string' | 'int' | 'num' | 'bool' | 'quantity' | 'intOrString' | 'time';

/**
 * The shape of a value as far as clients can see it: unknown fields, required fields, and who may own which part.
 *
 * Notation of the tables, one type after the other: `Type = field field!:type …`; `!` marks a required field; no type
 * means string. `[]T` is an atomic list, `[set]T` a set, `[name]T` a list of items keyed by `name`
 * (`[port,protocol=TCP]T` with a default for a missing key), `{}T` a map (`~{}T` an atomic one). `Type~` is atomic (owned as a whole),
 * `+Type` makes one use of an atomic type granular. `any` is JSON without a schema.
 */
export type Schema =
  | { readonly kind: 'scalar'; readonly type: ScalarType }
  | { readonly kind: 'any' }
  | StructSchema
  | { readonly kind: 'map'; readonly value: Schema; readonly atomic: boolean }
  | ListSchema;

export interface StructSchema {
  readonly kind: 'struct';
  readonly name: string;
  readonly fields: ReadonlyMap<string, FieldSchema>;
  readonly atomic: boolean;
  /** Unknown fields are kept and have no schema. */
  readonly open: boolean;
}

export interface ListSchema {
  readonly kind: 'list';
  readonly item: Schema;
  readonly listType: 'atomic' | 'set' | 'map';
  readonly keys: readonly { readonly name: string; readonly fallback?: string }[];
}

export interface FieldSchema {
  readonly schema: Schema;
  readonly required: boolean;
}

export const ANY: Schema = { kind: 'any' };
const SCALARS: ReadonlySet<string> = new Set([
  'string',
  'int',
  'num',
  'bool',
  'quantity',
  'intOrString',
  'time',
]);

type MutableStruct = StructSchema & { readonly fields: Map<string, FieldSchema> };
const structs = new Map<string, MutableStruct>();

function structNamed(name: string): StructSchema {
  const found = structs.get(name);
  if (!found) throw new Error(`schema tables name an unknown type ${name}`);
  return found;
}

function parseType(text: string): Schema {
  const list = /^\[(.*?)\](.*)$/s.exec(text);
  if (list) return parseList(list[1] as string, parseType(list[2] as string));
  if (text.startsWith('~{}')) return { kind: 'map', value: parseType(text.slice(3)), atomic: true };
  if (text.startsWith('{}')) return { kind: 'map', value: parseType(text.slice(2)), atomic: false };
  if (text.startsWith('+')) return { ...structNamed(text.slice(1)), atomic: false };
  if (text === 'any') return ANY;
  if (SCALARS.has(text)) return { kind: 'scalar', type: text as ScalarType };
  return structNamed(text);
}

function parseList(keys: string, item: Schema): Schema {
  if (keys === '' || keys === 'set') {
    return { kind: 'list', item, listType: keys === '' ? 'atomic' : 'set', keys: [] };
  }
  const parsed = keys.split(',').map((key) => {
    const [name, fallback] = key.split('=') as [string, string?];
    return fallback === undefined ? { name } : { name, fallback };
  });
  return { kind: 'list', item, listType: 'map', keys: parsed };
}

function parseTables(tables: readonly string[]): void {
  const pending: { struct: MutableStruct; fields: readonly string[] }[] = [];
  for (const entry of tables.join('\n').split(/\n(?=\S)/)) {
    const match = /^(\w+)(~?) =(.*)$/s.exec(entry.trim());
    if (!match) continue;
    const name = match[1] as string;
    const struct: MutableStruct = {
      kind: 'struct',
      name,
      fields: new Map(),
      atomic: match[2] === '~',
      open: false,
    };
    structs.set(name, struct);
    pending.push({ struct, fields: (match[3] as string).trim().split(/\s+/).filter(Boolean) });
  }
  for (const { struct, fields } of pending) {
    for (const field of fields) {
      const [left, type = 'string'] = field.split(/:(.*)/s) as [string, string?];
      const required = left.endsWith('!');
      struct.fields.set(required ? left.slice(0, -1) : left, { schema: parseType(type), required });
    }
  }
}

parseTables([CORE_SCHEMA, POD_SCHEMA, VOLUME_SCHEMA, WORKLOAD_SCHEMA, POLICY_SCHEMA]);

const STRING: Schema = { kind: 'scalar', type: 'string' };

/** Makes a root of a struct: every object has apiVersion, kind and metadata beside its own fields. */
function asRoot(fields: ReadonlyMap<string, FieldSchema>, name: string, open: boolean): StructSchema {
  const all = new Map<string, FieldSchema>([
    ['apiVersion', { schema: STRING, required: false }],
    ['kind', { schema: STRING, required: false }],
    ['metadata', { schema: structNamed('ObjectMeta'), required: false }],
    ...fields,
  ]);
  return { kind: 'struct', name, fields: all, atomic: false, open };
}

const roots = new Map<string, StructSchema>();

/** Schema of a built-in kind. Undefined for kinds that the tables do not describe. */
export function builtInSchema(kind: string): StructSchema | undefined {
  const known = roots.get(kind);
  if (known) return known;
  const struct = structs.get(kind);
  if (!struct) return undefined;
  const root = asRoot(struct.fields, kind, false);
  roots.set(kind, root);
  return root;
}

// A claim template inside a StatefulSet is a whole object.
const claim = structs.get('PersistentVolumeClaim');
if (claim) for (const [name, field] of asRoot(new Map(), '', false).fields) claim.fields.set(name, field);

/** All named types, for the OpenAPI document. */
export const allStructs = (): ReadonlyMap<string, StructSchema> => structs;

/** Schema of a custom resource from its version's `openAPIV3Schema`; without one, everything is kept as it comes. */
export function customSchema(kind: string, openApi: unknown): StructSchema {
  const body = fromOpenApi(openApi);
  const fields = new Map<string, FieldSchema>();
  if (body.kind === 'struct') {
    for (const [name, field] of body.fields) {
      if (name !== 'metadata' && name !== 'apiVersion' && name !== 'kind') fields.set(name, field);
    }
  }
  return asRoot(fields, kind, true);
}

function fromOpenApi(schema: unknown): Schema {
  if (!isJsonObject(schema)) return ANY;
  if (schema['x-kubernetes-int-or-string'] === true) return { kind: 'scalar', type: 'intOrString' };
  switch (schema['type']) {
    case 'object':
      return objectFromOpenApi(schema);
    case 'array':
      return arrayFromOpenApi(schema);
    case 'string':
      return STRING;
    case 'integer':
      return { kind: 'scalar', type: 'int' };
    case 'number':
      return { kind: 'scalar', type: 'num' };
    case 'boolean':
      return { kind: 'scalar', type: 'bool' };
    default:
      return ANY;
  }
}

function objectFromOpenApi(schema: JsonObject): Schema {
  const atomic = schema['x-kubernetes-map-type'] === 'atomic';
  const properties = schema['properties'];
  if (isJsonObject(properties)) {
    const required = Array.isArray(schema['required']) ? schema['required'] : [];
    const fields = new Map(
      Object.entries(properties).map(([name, member]): [string, FieldSchema] => [
        name,
        { schema: fromOpenApi(member), required: required.includes(name) },
      ]),
    );
    return { kind: 'struct', name: '', fields, atomic, open: true };
  }
  const extra = schema['additionalProperties'];
  if (isJsonObject(extra)) return { kind: 'map', value: fromOpenApi(extra), atomic };
  return atomic ? { kind: 'map', value: ANY, atomic } : ANY;
}

function arrayFromOpenApi(schema: JsonObject): Schema {
  const item = fromOpenApi(schema['items']);
  const listType = schema['x-kubernetes-list-type'];
  if (listType === 'set') return { kind: 'list', item, listType, keys: [] };
  const names = schema['x-kubernetes-list-map-keys'];
  if (listType === 'map' && Array.isArray(names)) {
    return { kind: 'list', item, listType, keys: names.map((name) => ({ name: String(name) })) };
  }
  return { kind: 'list', item, listType: 'atomic', keys: [] };
}
