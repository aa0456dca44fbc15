import type { NumberNode, OperandNode } from './nodes.js';
import { nodeText } from './nodes.js';
import type { Scope } from './scope.js';
import { assignable, canBeNil, INT, isSigned, isUnsigned, REFLECT_VALUE } from './types.js';
import type { GoType, GoValue } from './types.js';
import { bool, bytesValue, complex, float64, inside, INVALID, unbox, zeroOf } from './values.js';

/** Fits a value to a parameter: nothing is converted, one pointer may be followed. */
export function validate(scope: Scope, value: GoValue, type: GoType | undefined): GoValue {
  if (value.t.kind === 'invalid') {
    if (type === undefined || type === REFLECT_VALUE || type.kind === 'interface') return INVALID;
    if (canBeNil(type)) return zeroOf(type);
    return scope.fail(`invalid value; expected ${type.name}`);
  }
  if (type === undefined || type === REFLECT_VALUE) return value;
  if (type.kind === 'interface') return unbox(value);
  if (assignable(value.t, type)) return value;
  if (value.t.kind === 'interface' && value.v !== null) {
    const inner = inside(value);
    if (assignable(inner.t, type)) return inner;
    return follow(scope, inner, type);
  }
  return follow(scope, value, type);
}

function follow(scope: Scope, value: GoValue, type: GoType): GoValue {
  if (value.t.kind === 'ptr' && value.t.elem && assignable(value.t.elem, type)) {
    return value.v === null ? scope.fail(`dereference of nil pointer of type ${type.name}`) : inside(value);
  }
  return scope.fail(`wrong type for value; expected ${type.name}; got ${value.t.name}`);
}

type ConstantNode = Extract<OperandNode, { kind: 'bool' | 'number' | 'string' }>;

/** A constant for a parameter of a type, which it takes. */
export function constant(scope: Scope, type: GoType, node: ConstantNode): GoValue {
  const expected = (what: string): never => scope.fail(`expected ${what}; found ${nodeText(node)}`);
  const { kind } = type;
  if (kind === 'interface' || type === REFLECT_VALUE) return untyped(scope, node);
  if (kind === 'bool') return node.kind === 'bool' ? { t: type, v: node.value } : expected('bool');
  if (kind === 'string') return node.kind === 'string' ? { t: type, v: node.text } : expected('string');
  const number = node.kind === 'number' ? node : undefined;
  if (isSigned(kind)) return number?.int === undefined ? expected('integer') : { t: type, v: number.int };
  if (isUnsigned(kind))
    return number?.uint === undefined ? expected('unsigned integer') : { t: type, v: number.uint };
  if (kind === 'float32' || kind === 'float64') {
    if (number?.float === undefined) return expected('float');
    return { t: type, v: kind === 'float32' ? Math.fround(number.float) : number.float };
  }
  if (kind === 'complex128') return number?.complex ? { t: type, v: number.complex } : expected('complex');
  return scope.fail(`can't handle ${nodeText(node)} for arg of type ${type.name}`);
}

/** A constant where no type is asked for. */
export function untyped(scope: Scope, node: ConstantNode): GoValue {
  scope.at(node);
  if (node.kind === 'bool') return bool(node.value);
  return node.kind === 'string' ? bytesValue(node.text) : ideal(scope, node);
}

function ideal(scope: Scope, node: NumberNode): GoValue {
  const { text } = node;
  if (node.complex) return complex(node.complex.re, node.complex.im);
  const hexInt = /^0[xX]/.test(text) && text.length > 2 && !/[pP]/.test(text);
  if (node.float !== undefined && !hexInt && !text.startsWith("'") && /[.eEpP]/.test(text))
    return float64(node.float);
  if (node.int !== undefined) return { t: INT, v: node.int };
  if (node.uint !== undefined) return scope.fail(`${text} overflows int`);
  return INVALID;
}
