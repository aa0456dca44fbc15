import type { Budget } from './budget.js';
import { callError } from './errors.js';
import { sprintf } from './sprintf.js';
import { isSigned, isUnsigned } from './types.js';
import type { GoValue } from './types.js';
import { asBigInt, asBytes, asComplex, asFields, asNumber, unbox } from './values.js';

type BasicKind = 'none' | 'bool' | 'complex' | 'int' | 'float' | 'string' | 'uint';

function basicKind(value: GoValue): BasicKind {
  const { kind } = value.t;
  if (kind === 'bool' || kind === 'string') return kind;
  if (isSigned(kind)) return 'int';
  if (isUnsigned(kind)) return 'uint';
  if (kind === 'float32' || kind === 'float64') return 'float';
  return kind === 'complex128' ? 'complex' : 'none';
}

const areIntegers = (a: BasicKind, b: BasicKind): boolean =>
  (a === 'int' && b === 'uint') || (a === 'uint' && b === 'int');

const isNil = (value: GoValue): boolean => value.t.kind === 'invalid' || value.v === null;

/** Go's `==` between two values of one dynamic type, for types that have it. */
function identical(a: GoValue, b: GoValue): boolean {
  if (a.t.name !== b.t.name) return false;
  switch (a.t.kind) {
    case 'struct':
      return [...asFields(a)].every(([name, field]) => identical(field, asFields(b).get(name) as GoValue));
    case 'interface':
      return a.v === null || b.v === null ? a.v === b.v : identical(unbox(a), unbox(b));
    case 'complex128':
      return asComplex(a).re === asComplex(b).re && asComplex(a).im === asComplex(b).im;
    default:
      return a.v === b.v;
  }
}

/** Slices, maps and functions cannot be compared, nor structs that hold them. */
function comparable(value: GoValue): boolean {
  switch (value.t.kind) {
    case 'slice':
    case 'map':
    case 'func':
      return false;
    case 'struct':
      return [...asFields(value).values()].every(comparable);
    default:
      return true;
  }
}

function equalBasic(a: GoValue, b: GoValue, kind: BasicKind): boolean {
  switch (kind) {
    case 'bool':
      return a.v === b.v;
    case 'complex':
      return asComplex(a).re === asComplex(b).re && asComplex(a).im === asComplex(b).im;
    case 'float':
      return asNumber(a) === asNumber(b);
    case 'string':
      return asBytes(a) === asBytes(b);
    default:
      return asBigInt(a) === asBigInt(b);
  }
}

function equalOther(a: GoValue, b: GoValue, budget: Budget): boolean {
  const aKind = a.t.kind;
  const bKind = b.t.kind;
  if (aKind !== bKind && aKind !== 'invalid' && bKind !== 'invalid') {
    const show = (value: GoValue): string => sprintf('%s', [value], budget);
    const plain = (value: GoValue): string => sprintf('%v', [value], budget);
    return callError(`non-comparable types ${show(a)}: ${a.t.name}, ${b.t.name}: ${plain(b)}`);
  }
  if (isNil(a) || isNil(b)) return isNil(a) === isNil(b);
  if (!comparable(b)) return callError(`non-comparable type ${sprintf('%s', [b], budget)}: ${b.t.name}`);
  return identical(a, b);
}

/** `eq a b c …`: a == b || a == c || … */
export function equal(first: GoValue, others: readonly GoValue[], budget: Budget): boolean {
  const a = unbox(first);
  if (others.length === 0) return callError('missing argument for comparison');
  const aKind = basicKind(a);
  for (const other of others) {
    const b = unbox(other);
    const bKind = basicKind(b);
    let same = false;
    if (aKind === bKind) same = aKind === 'none' ? equalOther(a, b, budget) : equalBasic(a, b, aKind);
    else if (areIntegers(aKind, bKind)) same = asBigInt(a) === asBigInt(b);
    else if (a.t.kind !== 'invalid' && b.t.kind !== 'invalid') {
      callError(`incompatible types for comparison: ${a.t.name} and ${b.t.name}`);
    }
    if (same) return true;
  }
  return false;
}

/** `lt a b`; only strings and numbers of one kind have an order. */
export function less(first: GoValue, second: GoValue): boolean {
  const invalid = 'invalid type for comparison';
  const a = unbox(first);
  const b = unbox(second);
  const aKind = basicKind(a);
  const bKind = basicKind(b);
  if (aKind === 'none' || bKind === 'none') return callError(invalid);
  if (aKind !== bKind && !areIntegers(aKind, bKind)) {
    return callError(`incompatible types for comparison: ${a.t.name} and ${b.t.name}`);
  }
  if (aKind === 'bool' || aKind === 'complex') return callError(invalid);
  if (aKind === 'float') return asNumber(a) < asNumber(b);
  return aKind === 'string' ? asBytes(a) < asBytes(b) : asBigInt(a) < asBigInt(b);
}

export const lessOrEqual = (a: GoValue, b: GoValue, budget: Budget): boolean =>
  less(a, b) || equal(a, [b], budget);
