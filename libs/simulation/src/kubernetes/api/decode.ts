import { ApiError, badRequest } from './api-error.js';
import { isJsonObject, type JsonObject } from './object.js';
import { canonicalQuantity } from './quantity.js';
import { apiVersionOf, type ResourceType } from './resource-type.js';
import { ANY, type ScalarType, type Schema, type StructSchema } from './schema/schema.js';

interface Findings {
  readonly unknown: string[];
  readonly mistyped: {
    readonly path: string;
    readonly struct: string;
    readonly found: string;
    readonly wanted: string;
  }[];
}

interface Place {
  readonly path: string;
  readonly struct: string;
}

const GO_TYPES: Readonly<Record<ScalarType, string>> = {
  string: 'string',
  int: 'int32',
  num: 'float64',
  bool: 'bool',
  quantity: 'resource.Quantity',
  intOrString: 'intstr.IntOrString',
  time: 'v1.Time',
};

const found = (value: unknown): string =>
  Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value;

function walk(value: unknown, schema: Schema, at: Place, findings: Findings): unknown {
  switch (schema.kind) {
    case 'any':
      return value;
    case 'scalar':
      return scalar(value, schema.type, at, findings);
    case 'map': {
      if (!isJsonObject(value)) return mistyped(value, at, 'map', findings);
      const entries = Object.entries(value).filter(([, member]) => member !== null && member !== undefined);
      return Object.fromEntries(
        entries.map(([key, member]) => [
          key,
          walk(member, schema.value, { ...at, path: `${at.path}.${key}` }, findings),
        ]),
      );
    }
    case 'list':
      if (!Array.isArray(value)) return mistyped(value, at, 'slice', findings);
      return value.map((item, index) =>
        walk(item, schema.item, { ...at, path: `${at.path}[${index}]` }, findings),
      );
    case 'struct':
      return struct(value, schema, at, findings);
  }
}

function struct(value: unknown, schema: StructSchema, at: Place, findings: Findings): unknown {
  if (!isJsonObject(value)) return mistyped(value, at, schema.name || 'object', findings);
  const result: JsonObject = {};
  for (const [name, member] of Object.entries(value)) {
    if (member === null || member === undefined) continue;
    const field = schema.fields.get(name);
    const path = at.path === '' ? name : `${at.path}.${name}`;
    if (field) result[name] = walk(member, field.schema, { path, struct: schema.name }, findings);
    else if (schema.open) result[name] = walk(member, ANY, { path, struct: schema.name }, findings);
    else findings.unknown.push(path);
  }
  return result;
}

function scalar(value: unknown, type: ScalarType, at: Place, findings: Findings): unknown {
  const wanted = GO_TYPES[type];
  switch (type) {
    case 'string':
    case 'time':
      return typeof value === 'string' ? value : mistyped(value, at, wanted, findings);
    case 'bool':
      return typeof value === 'boolean' ? value : mistyped(value, at, wanted, findings);
    case 'int':
      return Number.isInteger(value) ? value : mistyped(value, at, wanted, findings);
    case 'num':
      return typeof value === 'number' ? value : mistyped(value, at, wanted, findings);
    case 'intOrString':
      return typeof value === 'string' || Number.isInteger(value)
        ? value
        : mistyped(value, at, wanted, findings);
    case 'quantity': {
      const text =
        typeof value === 'string' || typeof value === 'number' ? canonicalQuantity(value) : undefined;
      return text ?? mistyped(value, at, wanted, findings);
    }
  }
}

function mistyped(value: unknown, at: Place, wanted: string, findings: Findings): unknown {
  findings.mistyped.push({ path: at.path, struct: at.struct, found: found(value), wanted });
  return value;
}

type FieldValidation = 'Strict' | 'Warn' | 'Ignore';

export interface DecodeOptions {
  readonly fieldValidation: FieldValidation;
  readonly warn?: ((text: string) => void) | undefined;
}

/**
 * A client's object as the server reads it: nulls and unknown fields dropped (or refused), quantities canonical.
 * Throws 400 for another kind, for wrong types, and for unknown fields under `Strict`.
 */
export function decode(
  input: JsonObject,
  type: ResourceType,
  schema: StructSchema,
  options: DecodeOptions,
): JsonObject {
  checkKind(input, type);
  const findings: Findings = { unknown: [], mistyped: [] };
  const value = walk(input, schema, { path: '', struct: type.kind }, findings) as JsonObject;
  const refuse = (why: string) =>
    badRequest(`${type.kind} in version "${type.version}" cannot be handled as a ${type.kind}: ${why}`);
  const wrong = findings.mistyped[0];
  if (wrong) {
    const field = `${wrong.struct}.${wrong.path.replaceAll(/\[\d+\]/g, '')}`;
    throw refuse(
      wrong.wanted === 'resource.Quantity'
        ? `quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$' (${wrong.path})`
        : `json: cannot unmarshal ${wrong.found} into Go struct field ${field} of type ${wrong.wanted}`,
    );
  }
  const unknown = findings.unknown.map((path) => `unknown field "${path}"`);
  if (unknown.length > 0 && options.fieldValidation === 'Strict') {
    throw refuse(`strict decoding error: ${unknown.join(', ')}`);
  }
  if (options.fieldValidation === 'Warn') for (const text of unknown) options.warn?.(text);
  return { ...value, apiVersion: apiVersionOf(type), kind: type.kind };
}

/** The body of a server-side apply. Fields outside the schema are an error here whatever the validation mode. */
export function decodeApplied(input: JsonObject, type: ResourceType, schema: StructSchema): JsonObject {
  checkKind(input, type);
  if (input['apiVersion'] === undefined || input['kind'] === undefined) {
    throw badRequest('apiVersion and kind must be set in an apply patch');
  }
  const findings: Findings = { unknown: [], mistyped: [] };
  const value = walk(input, schema, { path: '', struct: type.kind }, findings) as JsonObject;
  const metadata = isJsonObject(input['metadata']) ? input['metadata'] : {};
  if (Array.isArray(metadata['managedFields']) && metadata['managedFields'].length > 0) {
    throw badRequest('metadata.managedFields must be nil');
  }
  const faults = [
    ...findings.unknown.map((path) => `.${path}: field not declared in schema`),
    ...findings.mistyped.map((wrong) => `.${wrong.path}: expected ${wrong.wanted}, got ${wrong.found}`),
  ];
  if (faults.length > 0) {
    const who = [metadata['namespace'], metadata['name']].filter(Boolean).join('/');
    const where = `${who}; ${apiVersionOf(type)}, Kind=${type.kind}`;
    throw new ApiError(500, '', `failed to create typed patch object (${where}): ${faults.join('\n')}`);
  }
  checkBytes(value, type);
  return value;
}

const BASE64 = /^[A-Za-z0-9+/\s]*={0,2}\s*$/;

/** Bytes are decoded after the patch has its types, with words of their own. */
function checkBytes(value: JsonObject, type: ResourceType): void {
  if (type.kind !== 'Secret' || type.group !== '' || !isJsonObject(value['data'])) return;
  const broken = Object.values(value['data']).some((text) => typeof text === 'string' && !BASE64.test(text));
  if (!broken) return;
  const kind = `/${type.version}, Kind=${type.kind}`;
  const metadata = isJsonObject(value['metadata']) ? value['metadata'] : {};
  const who = [metadata['namespace'], metadata['name']].filter(Boolean).join('/');
  const why = `unable to convert unstructured object to ${kind}: error decoding from json: illegal base64 data at input byte 0`;
  throw new ApiError(500, '', `failed to convert new object (${who}; ${kind}) to proper version: ${why}`);
}

function checkKind(input: JsonObject, type: ResourceType): void {
  const kind = input['kind'];
  const apiVersion = input['apiVersion'];
  if (kind !== undefined && kind !== type.kind) {
    throw badRequest(
      `the object provided is unrecognized (must be of type ${type.kind}): no kind "${String(kind)}" matches the resource`,
    );
  }
  if (apiVersion !== undefined && apiVersion !== apiVersionOf(type)) {
    throw badRequest(
      `the API version in the data (${String(apiVersion)}) does not match the expected API version (${apiVersionOf(type)})`,
    );
  }
}
