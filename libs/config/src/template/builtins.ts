import type { Budget } from './budget.js';
import { equal, less, lessOrEqual } from './compare.js';
import { callError } from './errors.js';
import { escapeHtml, escapeJs, escapeQuery } from './escape.js';
import { sprint, sprintf, sprintln } from './sprintf.js';
import { ANY, assignable, canBeNil, isInteger, isUnsigned, REFLECT_VALUE, STRING } from './types.js';
import type { GoFunction, GoType, GoValue, SliceData } from './types.js';
import {
  asBigInt,
  asBytes,
  asMap,
  asSlice,
  bool,
  bytesValue,
  indirect,
  int,
  INVALID,
  truth,
  uint8,
  unbox,
  zeroOf,
} from './values.js';
import type { MapKey } from './values.js';

const wrap: Readonly<Record<string, number>> = {
  int8: 8,
  int16: 16,
  int32: 32,
  uint8: 8,
  uint16: 16,
  uint32: 32,
};

/** Fits a value to a map key or a called function's parameter: integers convert, nothing else does. */
function prepare(value: GoValue, type: GoType): GoValue {
  if (value.t.kind === 'invalid') {
    return canBeNil(type) ? zeroOf(type) : callError(`value is nil; should be of type ${type.name}`);
  }
  if (assignable(value.t, type)) return value;
  if (isInteger(value.t.kind) && isInteger(type.kind)) {
    const bits = wrap[type.kind] ?? 64;
    const number = asBigInt(value);
    return { t: type, v: isUnsigned(type.kind) ? BigInt.asUintN(bits, number) : BigInt.asIntN(bits, number) };
  }
  return callError(`value has type ${value.t.name}; should be ${type.name}`);
}

function position(index: GoValue, capacity: number): number {
  if (index.t.kind === 'invalid') return callError('cannot index slice/array with nil');
  if (!isInteger(index.t.kind)) return callError(`cannot index slice/array with type ${index.t.name}`);
  const at = BigInt.asIntN(64, asBigInt(index));
  if (at < 0n || at > BigInt(capacity)) return callError(`index out of range: ${at}`);
  return Number(at);
}

function indexOne(item: GoValue, index: GoValue): GoValue {
  switch (item.t.kind) {
    case 'string': {
      const bytes = asBytes(item);
      const at = position(index, bytes.length);
      return at < bytes.length
        ? uint8(bytes.charCodeAt(at))
        : callError('reflect: string index out of range');
    }
    case 'slice':
    case 'array': {
      const list = asSlice(item);
      const at = position(index, list.len);
      return at < list.len
        ? (list.items[at] as GoValue)
        : callError(`reflect: ${item.t.kind} index out of range`);
    }
    case 'map': {
      const key = prepare(index, item.t.key ?? STRING);
      return asMap(item).get(unbox(key).v as MapKey) ?? zeroOf(item.t.elem ?? ANY);
    }
    default:
      return callError(`can't index item of type ${item.t.name}`);
  }
}

function index(args: readonly GoValue[]): GoValue {
  let item = unbox(args[0] ?? INVALID);
  if (item.t.kind === 'invalid') return callError('index of untyped nil');
  for (const key of args.slice(1)) {
    const found = indirect(item);
    if (found.nil) return callError('index of nil pointer');
    item = indexOne(found.value, unbox(key));
  }
  return item;
}

function slice(args: readonly GoValue[], budget: Budget): GoValue {
  const first = unbox(args[0] ?? INVALID);
  if (first.t.kind === 'invalid') return callError('slice of untyped nil');
  const { value: item, nil } = indirect(first);
  if (nil) return callError('slice of nil pointer');
  const indexes = args.slice(1);
  if (indexes.length > 3) return callError(`too many slice indexes: ${indexes.length}`);
  const isString = item.t.kind === 'string';
  if (isString && indexes.length === 3) return callError('cannot 3-index slice a string');
  if (!isString && item.t.kind !== 'slice' && item.t.kind !== 'array') {
    return callError(`can't slice item of type ${item.t.name}`);
  }
  const length = isString ? asBytes(item).length : asSlice(item).len;
  const capacity = isString ? length : asSlice(item).items.length;
  const [from = 0, to = length, cap = capacity] = indexes.map((key) => position(unbox(key), capacity));
  if (from > to) return callError(`invalid slice index: ${from} > ${to}`);
  if (indexes.length === 3 && to > cap) return callError(`invalid slice index: ${to} > ${cap}`);
  if (isString) return { t: item.t, v: asBytes(item).slice(from, to) };
  if (item.t.kind === 'array') return callError('reflect.Value.Slice: slice of unaddressable array');
  budget.allocate(8 * (cap - from));
  return {
    t: item.t,
    v: { items: asSlice(item).items.slice(from, cap), len: to - from } satisfies SliceData,
  };
}

function length(value: GoValue): GoValue {
  const { value: item, nil } = indirect(value);
  if (nil) return callError('len of nil pointer');
  switch (item.t.kind) {
    case 'string':
      return int(asBytes(item).length);
    case 'slice':
    case 'array':
      return int(asSlice(item).len);
    case 'map':
      return int(asMap(item).size);
    case 'invalid':
      return callError('reflect: call of reflect.Value.Type on zero Value');
    default:
      return callError(`len of type ${item.t.name}`);
  }
}

/** `call f x …`; the first argument is the text of the callee, for messages. */
export function callValue(name: string, args: readonly GoValue[], budget: Budget): GoValue {
  const callee = unbox(args[0] ?? INVALID);
  if (callee.t.kind === 'invalid') return callError('call of nil');
  if (callee.t.kind !== 'func') return callError(`non-function ${name} of type ${callee.t.name}`);
  const fn = callee.v as GoFunction;
  const given = args.slice(1);
  const fixed = fn.variadic ? fn.params.length - 1 : fn.params.length;
  if (fn.variadic ? given.length < fixed : given.length !== fixed) {
    return callError(
      `wrong number of args for ${name}: got ${given.length} want ${fn.variadic ? 'at least ' : ''}${fixed}`,
    );
  }
  const prepared = given.map((arg, at) => {
    try {
      return prepare(unbox(arg), fn.params[Math.min(at, fn.params.length - 1)] as GoType);
    } catch (error) {
      return callError(`arg ${at}: ${(error as Error).message}`);
    }
  });
  return fn.call(prepared, budget);
}

/** A printable form of each argument: pointers are what they point to, nothing is `<no value>`. */
const printable = (value: GoValue): GoValue => {
  const inner = unbox(value);
  if (inner.t.kind === 'invalid') return bytesValue('<no value>');
  return inner.t.kind === 'ptr' ? indirect(inner).value : inner;
};

const escaper = (escape: (bytes: string) => string): GoFunction => ({
  params: [ANY],
  variadic: true,
  call: (args, budget) => {
    const text = sprint(args.map(printable), budget);
    budget.allocate(text.length * 6);
    return bytesValue(escape(text));
  },
});

const reflected = (count: number, variadic: boolean, call: GoFunction['call']): GoFunction => ({
  params: Array.from({ length: count }, () => REFLECT_VALUE),
  variadic,
  call,
});

const compare = (decide: (a: GoValue, b: GoValue, budget: Budget) => boolean): GoFunction =>
  reflected(2, false, ([a, b], budget) => bool(decide(a ?? INVALID, b ?? INVALID, budget)));

const unreachable = (): never => callError('unreachable');

/** The functions that every template has. `and`, `or` and `call` are done by the evaluator. */
export const BUILTINS: ReadonlyMap<string, GoFunction> = new Map<string, GoFunction>([
  ['and', reflected(2, true, unreachable)],
  ['or', reflected(2, true, unreachable)],
  ['call', reflected(2, true, unreachable)],
  ['not', reflected(1, false, ([value]) => bool(!truth(value ?? INVALID)))],
  ['eq', reflected(2, true, ([first, ...others], budget) => bool(equal(first ?? INVALID, others, budget)))],
  ['ne', compare((a, b, budget) => !equal(a, [b], budget))],
  ['lt', compare(less)],
  ['le', compare(lessOrEqual)],
  ['gt', compare((a, b, budget) => !lessOrEqual(a, b, budget))],
  ['ge', compare((a, b) => !less(a, b))],
  ['index', reflected(2, true, index)],
  ['slice', reflected(2, true, slice)],
  ['len', reflected(1, false, ([value]) => length(value ?? INVALID))],
  ['print', { params: [ANY], variadic: true, call: (args, budget) => bytesValue(sprint(args, budget)) }],
  ['println', { params: [ANY], variadic: true, call: (args, budget) => bytesValue(sprintln(args, budget)) }],
  [
    'printf',
    {
      params: [STRING, ANY],
      variadic: true,
      call: ([template, ...args], budget) =>
        bytesValue(sprintf(asBytes(template ?? bytesValue('')), args, budget)),
    },
  ],
  ['html', escaper(escapeHtml)],
  ['js', escaper(escapeJs)],
  ['urlquery', escaper(escapeQuery)],
]);
