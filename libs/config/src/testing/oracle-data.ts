import { toBytes } from '../template/bytes.js';
import { CallError, callError } from '../template/errors.js';
import {
  ANY,
  BASIC_TYPES,
  FLOAT64,
  INT,
  INT64,
  isInteger,
  mapOf,
  named,
  pointerTo,
  sliceOf,
  STRING,
  STRING_MAP,
} from '../template/types.js';
import type { GoFunction, GoMethod, GoType, GoValue } from '../template/types.js';
import {
  asBigInt,
  asBytes,
  asFields,
  asMap,
  asNumber,
  bool,
  box,
  bytesValue,
  float64,
  func,
  int,
  int64,
  INVALID,
  nilOf,
  pointer,
  slice,
  str,
  struct,
  zeroOf,
} from '../template/values.js';

/** The struct, types and functions of tools/template-oracle/data.go, on our side of the comparison. */
const field = (pool: GoValue, name: string): GoValue => asFields(pool).get(name) as GoValue;
const METHODS: ReadonlyMap<string, GoMethod> = new Map<string, GoMethod>([
  ['Upper', { params: [], call: (pool) => bytesValue(asBytes(field(pool, 'Name')).toUpperCase()) }],
  [
    'Plus',
    {
      params: [INT64],
      call: (pool, [n]) => int64(BigInt.asIntN(64, asBigInt(field(pool, 'Size')) + asBigInt(n as GoValue))),
    },
  ],
  [
    'Has',
    {
      params: [STRING],
      variadic: true,
      call: (pool, [first]) => {
        const found = first && asMap(field(pool, 'Tags')).get(asBytes(first));
        return bool(found !== undefined && asBytes(found) !== '');
      },
    },
  ],
  ['Fail', { params: [STRING], call: (_pool, [why]) => callError(asBytes(why as GoValue)) }],
]);
const POOL: GoType = {
  kind: 'struct',
  name: 'main.Pool',
  methods: METHODS,
  fields: () =>
    new Map([
      ['Name', STRING],
      ['Size', INT64],
      ['Tags', STRING_MAP],
      ['Any', ANY],
      ['Next', pointerTo(POOL)],
    ]),
};
const COLOR: GoType = { ...named('main.Color', 'int'), string: (value) => `color-${asBigInt(value)}` };
const WORD = named('main.Word', 'string');
const NAMED: ReadonlyMap<string, GoType> = new Map([
  ['any', ANY],
  ['Pool', POOL],
  ['Color', COLOR],
  ['Word', WORD],
  ...BASIC_TYPES,
]);

export const ORACLE_FUNCTIONS: ReadonlyMap<string, GoFunction> = new Map<string, GoFunction>([
  [
    'add',
    {
      params: [INT, INT],
      call: ([a, b]) => int(BigInt.asIntN(64, asBigInt(a as GoValue) + asBigInt(b as GoValue))),
    },
  ],
  ['cat', { params: [STRING], variadic: true, call: (parts) => bytesValue(parts.map(asBytes).join('+')) }],
  [
    'fail',
    {
      params: [],
      call: () => {
        throw new CallError('it failed');
      },
    },
  ],
  ['half', { params: [FLOAT64], call: ([f]) => float64(asNumber(f as GoValue) / 2) }],
  ['i64', { params: [INT64], call: ([n]) => n as GoValue }],
  [
    'show',
    { params: [ANY], call: ([v]) => str(v === undefined || v.t.kind === 'invalid' ? '<nil>' : v.t.name) },
  ],
]);
const FUNCTION_TYPES: Readonly<Record<string, string>> = {
  add: 'func(int, int) int',
  cat: 'func(...string) string',
  fail: 'func() (string, error)',
};

function typeOf(name: string): GoType {
  const known = NAMED.get(name);
  if (known) return known;
  if (name.startsWith('[]')) return sliceOf(typeOf(name.slice(2)));
  if (name.startsWith('*')) return pointerTo(typeOf(name.slice(1)));
  const end = name.indexOf(']');
  if (!name.startsWith('map[')) throw new Error(`unknown type ${name}`);
  return mapOf(typeOf(name.slice(4, end)), typeOf(name.slice(end + 1)));
}

/** A value that says its type itself; see the oracle's README. */
export function decode(raw: unknown): GoValue {
  if (raw === null) return INVALID;
  if (typeof raw === 'string') return str(raw);
  if (typeof raw === 'boolean') return bool(raw);
  const { $: type, v } = raw as { $: string; v: unknown };
  if (type === 'bytes') return bytesValue(Buffer.from(v as string, 'base64').toString('latin1'));
  if (type !== 'func') return build(typeOf(type), v);
  const name = v as string;
  return func(ORACLE_FUNCTIONS.get(name) as GoFunction, FUNCTION_TYPES[name] as string);
}

function build(type: GoType, raw: unknown): GoValue {
  if (type.kind === 'interface') return raw === null ? nilOf(type) : box(decode(raw));
  if (raw === null) return zeroOf(type);
  switch (type.kind) {
    case 'slice':
      return slice(
        type,
        (raw as unknown[]).map((item) => build(type.elem as GoType, item)),
      );
    case 'map':
      return {
        t: type,
        v: new Map(
          Object.entries(raw as Record<string, unknown>).map(([key, member]) => [
            build(type.key as GoType, key).v,
            build(type.elem as GoType, member),
          ]),
        ),
      };
    case 'ptr':
      return { ...pointer(build(type.elem as GoType, raw)), t: type };
    case 'struct': {
      const given = raw as Record<string, unknown>;
      const fields = [...(type.fields?.() ?? [])];
      return struct(
        type,
        new Map(
          fields.map(([name, of]) => [
            name,
            Object.hasOwn(given, name) ? build(of, given[name]) : zeroOf(of),
          ]),
        ),
      );
    }
    case 'bool':
      return { t: type, v: String(raw) === 'true' };
    case 'string':
      return { t: type, v: toBytes(raw as string) };
    default:
      return { t: type, v: isInteger(type.kind) ? BigInt(raw as string) : toFloat(raw as string, type) };
  }
}

function toFloat(text: string, type: GoType): number {
  const value = text.endsWith('Inf') ? (text.startsWith('-') ? -Infinity : Infinity) : Number(text);
  return type.kind === 'float32' ? Math.fround(value) : value;
}
