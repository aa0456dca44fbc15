import { ApiError } from '../kubernetes/api/api-error.js';
import { isJsonObject, type JsonObject } from '../kubernetes/api/object.js';
import { builtInSchema, type Schema, type StructSchema } from '../kubernetes/api/schema/schema.js';
import { BYTES, MEANT_AT_ZERO, PROTOBUF_FIELDS } from './protobuf-fields.js';

const MAGIC = Buffer.from('k8s\0', 'latin1');

interface WireField {
  readonly number: number;
  /** A number for varints, bytes for everything length-delimited. */
  readonly value: bigint | Buffer;
}

function* fieldsOf(message: Buffer): Generator<WireField> {
  let at = 0;
  const varint = (): bigint => {
    let result = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = message[at++];
      if (byte === undefined) throw malformed();
      result |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return result;
    }
  };
  while (at < message.length) {
    const tag = Number(varint());
    const number = tag >>> 3;
    switch (tag & 7) {
      case 0:
        yield { number, value: BigInt.asIntN(64, varint()) };
        break;
      case 2: {
        const length = Number(varint());
        if (at + length > message.length) throw malformed();
        yield { number, value: message.subarray(at, at + length) };
        at += length;
        break;
      }
      default:
        throw malformed();
    }
  }
}

const malformed = (): ApiError =>
  new ApiError(400, 'BadRequest', 'the request body is no valid protobuf message');

const uncovered = (what: string): ApiError =>
  new ApiError(415, 'UnsupportedMediaType', `protobuf is not understood here for ${what}; send JSON or YAML`);

const numbers = new Map<string, ReadonlyMap<number, string>>();
for (const line of PROTOBUF_FIELDS.trim().split(/\n(?=\S)/)) {
  const [name = '', rest = ''] = line.split(' = ') as [string, string];
  const words = rest.trim().split(/\s+/);
  const fields = new Map<number, string>();
  for (let i = 0; i + 1 < words.length; i += 2) fields.set(Number(words[i]), words[i + 1] as string);
  numbers.set(name, fields);
}

const text = (value: bigint | Buffer): string =>
  Buffer.isBuffer(value) ? value.toString('utf8') : String(value);
const bytes = (value: bigint | Buffer): Buffer => {
  if (!Buffer.isBuffer(value)) throw malformed();
  return value;
};

/** An object in the envelope that Kubernetes clients use: `k8s\0`, then the kind and the message itself. */
export function decodeProtobuf(body: Buffer): JsonObject {
  if (!body.subarray(0, 4).equals(MAGIC)) throw malformed();
  let apiVersion = '';
  let kind = '';
  let raw: Buffer = Buffer.alloc(0);
  for (const field of fieldsOf(body.subarray(4))) {
    if (field.number === 2) raw = bytes(field.value);
    if (field.number !== 1) continue;
    for (const part of fieldsOf(bytes(field.value))) {
      if (part.number === 1) apiVersion = text(part.value);
      if (part.number === 2) kind = text(part.value);
    }
  }
  const schema = builtInSchema(kind);
  if (!schema || !numbers.has(kind)) throw uncovered(`kind ${kind}`);
  return { apiVersion, kind, ...decodeStruct(raw, schema) };
}

function decodeStruct(message: Buffer, schema: StructSchema): JsonObject {
  const table = numbers.get(schema.name);
  if (!table) {
    if (message.length === 0) return {};
    throw uncovered(schema.name);
  }
  const result: JsonObject = {};
  for (const { number, value } of fieldsOf(message)) {
    const name = table.get(number);
    if (name === '-') continue;
    const field = name === undefined ? undefined : schema.fields.get(name);
    if (!field || name === undefined) {
      if (Buffer.isBuffer(value) && value.length === 0) continue;
      throw uncovered(`field ${number} of ${schema.name}`);
    }
    addField(result, name, value, field.schema, `${schema.name}.${name}`);
  }
  return result;
}

function addField(
  into: JsonObject,
  name: string,
  value: bigint | Buffer,
  schema: Schema,
  path: string,
): void {
  if (schema.kind === 'list') {
    const list = Array.isArray(into[name]) ? (into[name] as unknown[]) : [];
    list.push(decodeValue(value, schema.item, path) ?? {});
    into[name] = list;
  } else if (schema.kind === 'map') {
    const map: JsonObject = isJsonObject(into[name]) ? into[name] : {};
    let key = '';
    let member: unknown = '';
    for (const part of fieldsOf(bytes(value))) {
      if (part.number === 1) key = text(part.value);
      else if (BYTES.has(path)) member = bytes(part.value).toString('base64');
      else member = decodeValue(part.value, schema.value, path) ?? '';
    }
    map[key] = member;
    into[name] = map;
  } else {
    const decoded = decodeValue(value, schema, path);
    const unset = decoded === 0 || decoded === false || decoded === '' || decoded === undefined;
    if (!unset || (MEANT_AT_ZERO.has(name) && decoded !== undefined)) into[name] = decoded;
  }
}

/** Undefined for a message with nothing in it. */
function decodeValue(value: bigint | Buffer, schema: Schema, path: string): unknown {
  if (schema.kind === 'struct') {
    const struct = decodeStruct(bytes(value), schema);
    return Object.keys(struct).length > 0 ? struct : undefined;
  }
  if (schema.kind !== 'scalar') throw uncovered(path);
  switch (schema.type) {
    case 'int':
      return Number(value);
    case 'bool':
      return value !== 0n;
    case 'quantity':
      return onlyField(value, 1, text);
    case 'intOrString':
      return intOrString(bytes(value));
    case 'time': {
      const seconds = onlyField(value, 1, Number);
      return seconds === undefined ? undefined : new Date(seconds * 1000).toISOString().replace('.000', '');
    }
    case 'num':
      throw uncovered(path);
    case 'string':
      return text(value);
  }
}

function onlyField<T>(
  message: bigint | Buffer,
  number: number,
  read: (value: bigint | Buffer) => T,
): T | undefined {
  for (const field of fieldsOf(bytes(message))) if (field.number === number) return read(field.value);
  return undefined;
}

function intOrString(message: Buffer): unknown {
  let isText = false;
  let int = 0;
  let string = '';
  for (const { number, value } of fieldsOf(message)) {
    if (number === 1) isText = value === 1n;
    if (number === 2) int = Number(value);
    if (number === 3) string = text(value);
  }
  return isText ? string : int;
}
