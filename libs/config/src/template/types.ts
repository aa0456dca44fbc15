import type { Budget } from './budget.js';

type SignedKind = 'int' | 'int8' | 'int16' | 'int32' | 'int64';
type UnsignedKind = 'uint' | 'uint8' | 'uint16' | 'uint32' | 'uint64' | 'uintptr';
export type Kind =
  | 'invalid'
  | 'bool'
  | SignedKind
  | UnsignedKind
  | 'float32'
  | 'float64'
  | 'complex128'
  | 'string'
  | 'slice'
  | 'array'
  | 'map'
  | 'struct'
  | 'ptr'
  | 'interface'
  | 'func';

/** A Go type. Two types are the same type when their names are equal. */
export interface GoType {
  readonly kind: Kind;
  /** As Go's `%T` prints it. */
  readonly name: string;
  /** Element of slices, arrays, maps and pointers. */
  readonly elem?: GoType;
  readonly key?: GoType;
  /** Struct fields in order; a function because types may refer to themselves. */
  readonly fields?: () => ReadonlyMap<string, GoType>;
  readonly methods?: ReadonlyMap<string, GoMethod>;
  readonly signature?: Signature;
  /** `String()` of types that print themselves. */
  readonly string?: (value: GoValue) => string;
}

/** A value with its Go type, like Go's `reflect.Value`. What `v` holds depends on the kind, see {@link values}. */
export interface GoValue {
  readonly t: GoType;
  readonly v: unknown;
}

export interface Complex {
  readonly re: number;
  readonly im: number;
}

/** `items.length` is the capacity; `len` the length. */
export interface SliceData {
  readonly items: readonly GoValue[];
  readonly len: number;
}

export interface Signature {
  readonly params: readonly GoType[];
  /** The last parameter takes any number of arguments of its type. */
  readonly variadic?: boolean;
}

export interface GoFunction extends Signature {
  /** Arguments fit the parameters. `any` parameters get the bare value (invalid for nil), `reflect.Value` ones the value as found. */
  readonly call: (args: readonly GoValue[], budget: Budget) => GoValue;
}

export interface GoMethod extends Signature {
  readonly call: (receiver: GoValue, args: readonly GoValue[], budget: Budget) => GoValue;
}

const basic = <K extends Kind>(kind: K): GoType => ({ kind, name: kind });

export const BOOL = basic('bool');
export const INT = basic('int');
export const INT32 = basic('int32');
export const INT64 = basic('int64');
export const UINT8 = basic('uint8');
export const FLOAT32 = basic('float32');
export const FLOAT64 = basic('float64');
export const COMPLEX128 = basic('complex128');
export const STRING = basic('string');
export const ANY: GoType = { kind: 'interface', name: 'interface {}' };
/** Parameter type that takes the value as it is, nil and interfaces included. */
export const REFLECT_VALUE: GoType = { kind: 'struct', name: 'reflect.Value' };
export const INVALID_TYPE: GoType = { kind: 'invalid', name: '<invalid>' };

export const BASIC_TYPES: ReadonlyMap<string, GoType> = new Map(
  [
    BOOL,
    INT,
    basic('int8'),
    basic('int16'),
    INT32,
    INT64,
    basic('uint'),
    UINT8,
    basic('uint16'),
    basic('uint32'),
    basic('uint64'),
    basic('uintptr'),
    FLOAT32,
    FLOAT64,
    COMPLEX128,
    STRING,
  ].map((type) => [type.name, type]),
);

const interned = new Map<string, GoType>();
function intern(type: GoType): GoType {
  const known = interned.get(type.name);
  if (known && known.elem === type.elem && known.key === type.key) return known;
  interned.set(type.name, type);
  return type;
}

export const sliceOf = (elem: GoType): GoType => intern({ kind: 'slice', name: `[]${elem.name}`, elem });
export const mapOf = (key: GoType, elem: GoType): GoType =>
  intern({ kind: 'map', name: `map[${key.name}]${elem.name}`, key, elem });
export const pointerTo = (elem: GoType): GoType => intern({ kind: 'ptr', name: `*${elem.name}`, elem });
/** A named type on top of a basic kind, e.g. `v1.TaintEffect`. */
export const named = (name: string, kind: Kind): GoType => ({ kind, name });

export const STRINGS = sliceOf(STRING);
export const ANYS = sliceOf(ANY);
export const STRING_MAP = mapOf(STRING, STRING);
export const ANY_MAP = mapOf(STRING, ANY);

const SIGNED: ReadonlySet<Kind> = new Set<Kind>(['int', 'int8', 'int16', 'int32', 'int64']);
const UNSIGNED: ReadonlySet<Kind> = new Set<Kind>(['uint', 'uint8', 'uint16', 'uint32', 'uint64', 'uintptr']);
export const isSigned = (kind: Kind): boolean => SIGNED.has(kind);
export const isUnsigned = (kind: Kind): boolean => UNSIGNED.has(kind);
export const isInteger = (kind: Kind): boolean => SIGNED.has(kind) || UNSIGNED.has(kind);

/** Go assignability as far as template data can tell: the same type, or anything to `any`. */
export const assignable = (from: GoType, to: GoType): boolean =>
  to.kind === 'interface' || from === to || from.name === to.name;

export function canBeNil(type: GoType): boolean {
  switch (type.kind) {
    case 'func':
    case 'interface':
    case 'map':
    case 'ptr':
    case 'slice':
      return true;
    default:
      return type === REFLECT_VALUE;
  }
}
