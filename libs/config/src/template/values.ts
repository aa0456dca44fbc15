import { toBytes } from './bytes.js';
import {
  ANY,
  ANY_MAP,
  ANYS,
  BOOL,
  COMPLEX128,
  FLOAT64,
  INT,
  INT32,
  INT64,
  INVALID_TYPE,
  pointerTo,
  sliceOf,
  STRING,
  STRING_MAP,
  STRINGS,
  UINT8,
} from './types.js';
import type { Complex, GoFunction, GoType, GoValue, Signature, SliceData } from './types.js';

/** No value at all: Go's zero `reflect.Value`, and the untyped nil. */
export const INVALID: GoValue = { t: INVALID_TYPE, v: undefined };

export const TRUE: GoValue = { t: BOOL, v: true };
const FALSE: GoValue = { t: BOOL, v: false };
export const bool = (value: boolean): GoValue => (value ? TRUE : FALSE);

export const int = (value: number | bigint): GoValue => ({ t: INT, v: BigInt(value) });
export const int32 = (value: number | bigint): GoValue => ({ t: INT32, v: BigInt(value) });
export const int64 = (value: number | bigint): GoValue => ({ t: INT64, v: BigInt(value) });
export const uint8 = (value: number): GoValue => ({ t: UINT8, v: BigInt(value) });
export const float64 = (value: number): GoValue => ({ t: FLOAT64, v: value });
export const complex = (re: number, im: number): GoValue => ({ t: COMPLEX128, v: { re, im } });

/** A string that is already a byte string. */
export const bytesValue = (bytes: string): GoValue => ({ t: STRING, v: bytes });
/** A string from JavaScript text. */
export const str = (text: string): GoValue => ({ t: STRING, v: toBytes(text) });

export const slice = (type: GoType, items: readonly GoValue[]): GoValue => ({
  t: type,
  v: { items, len: items.length } satisfies SliceData,
});
export const nilOf = (type: GoType): GoValue => ({ t: type, v: null });
export const strings = (texts: readonly string[]): GoValue => slice(STRINGS, texts.map(str));

export const stringMap = (entries: Readonly<Record<string, string>>): GoValue => ({
  t: STRING_MAP,
  v: new Map(Object.entries(entries).map(([key, value]) => [toBytes(key), str(value)])),
});
export const anyMap = (entries: ReadonlyMap<string, GoValue>): GoValue => ({
  t: ANY_MAP,
  v: new Map([...entries].map(([key, value]) => [key, box(value)])),
});
const anys = (items: readonly GoValue[]): GoValue => slice(ANYS, items.map(box));

/** Puts a value into an interface; the nil interface holds null. */
export function box(value: GoValue): GoValue {
  if (value.t.kind === 'interface') return value;
  return { t: ANY, v: value.t.kind === 'invalid' ? null : value };
}

export const pointer = (to: GoValue): GoValue => ({ t: pointerTo(to.t), v: to });
export const struct = (type: GoType, fields: ReadonlyMap<string, GoValue>): GoValue => ({
  t: type,
  v: fields,
});

export const func = (fn: GoFunction, name: string): GoValue => ({
  t: { kind: 'func', name, signature: fn as Signature },
  v: fn,
});

export const asBytes = (value: GoValue): string => value.v as string;
export const asBigInt = (value: GoValue): bigint => value.v as bigint;
export const asNumber = (value: GoValue): number => value.v as number;
export const asComplex = (value: GoValue): Complex => value.v as Complex;
export const asSlice = (value: GoValue): SliceData => (value.v as SliceData | null) ?? { items: [], len: 0 };
export const asFields = (value: GoValue): ReadonlyMap<string, GoValue> =>
  value.v as ReadonlyMap<string, GoValue>;
export type MapKey = string | bigint | boolean | number;
const noEntries: ReadonlyMap<MapKey, GoValue> = new Map();
export const asMap = (value: GoValue): ReadonlyMap<MapKey, GoValue> =>
  (value.v as ReadonlyMap<MapKey, GoValue> | null) ?? noEntries;
/** What a pointer or an interface holds, INVALID for nil. */
export const inside = (value: GoValue): GoValue => (value.v as GoValue | null) ?? INVALID;

export function items(value: GoValue): readonly GoValue[] {
  const data = asSlice(value);
  return data.len === data.items.length ? data.items : data.items.slice(0, data.len);
}

/** The zero value of a type. */
export function zeroOf(type: GoType): GoValue {
  switch (type.kind) {
    case 'invalid':
      return INVALID;
    case 'bool':
      return { t: type, v: false };
    case 'string':
      return { t: type, v: '' };
    case 'float32':
    case 'float64':
      return { t: type, v: 0 };
    case 'complex128':
      return { t: type, v: { re: 0, im: 0 } };
    case 'struct':
      return {
        t: type,
        v: new Map([...(type.fields?.() ?? [])].map(([name, field]) => [name, zeroOf(field)])),
      };
    case 'slice':
    case 'array':
    case 'map':
    case 'ptr':
    case 'interface':
    case 'func':
      return { t: type, v: null };
    default:
      return { t: type, v: 0n };
  }
}

/** Forgets that a value came in an interface. */
export const unbox = (value: GoValue): GoValue => (value.t.kind === 'interface' ? inside(value) : value);

/** Follows pointers and interfaces to their end; `nil` tells that the end is a nil one. */
export function indirect(value: GoValue): { readonly value: GoValue; readonly nil: boolean } {
  let at = value;
  while (at.t.kind === 'ptr' || at.t.kind === 'interface') {
    if (at.v === null) return { value: at, nil: true };
    at = at.v as GoValue;
  }
  return { value: at, nil: false };
}

/** Go template truth: the zero value of a type is false, structs are true. */
export function isTrue(value: GoValue): boolean {
  switch (value.t.kind) {
    case 'invalid':
      return false;
    case 'bool':
      return value.v as boolean;
    case 'string':
      return asBytes(value).length > 0;
    case 'slice':
    case 'array':
      return asSlice(value).len > 0;
    case 'map':
      return asMap(value).size > 0;
    case 'float32':
    case 'float64':
      return asNumber(value) !== 0;
    case 'complex128':
      return asComplex(value).re !== 0 || asComplex(value).im !== 0;
    case 'struct':
      return true;
    case 'ptr':
    case 'interface':
    case 'func':
      return value.v !== null;
    default:
      return asBigInt(value) !== 0n;
  }
}

export const truth = (value: GoValue): boolean => isTrue(unbox(value));

const order = (a: MapKey, b: MapKey): number => (a < b ? -1 : a > b ? 1 : 0);

/** Map entries in Go's printing and iteration order: by key. */
export function sortedEntries(value: GoValue): readonly (readonly [GoValue, GoValue])[] {
  const keyType = value.t.key ?? STRING;
  return [...asMap(value)]
    .sort(([a], [b]) => order(a, b))
    .map(([key, v]) => [{ t: keyType, v: key }, v] as const);
}

/** JSON-like data → Go values, as `map[string]any`, `[]any`, string, bool, int64 or float64; what JSON cannot say is nil. */
export function fromJson(data: unknown): GoValue {
  if (data === null || data === undefined) return INVALID;
  if (typeof data === 'string') return str(data);
  if (typeof data === 'boolean') return bool(data);
  if (typeof data === 'bigint') return int64(data);
  if (typeof data === 'number') return Number.isSafeInteger(data) ? int64(data) : float64(data);
  if (Array.isArray(data)) return { ...anys(data.map(fromJson)), t: sliceOf(ANY) };
  if (typeof data !== 'object') return INVALID;
  return anyMap(new Map(Object.entries(data).map(([key, value]) => [toBytes(key), fromJson(value)])));
}
