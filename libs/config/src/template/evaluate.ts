import { constant, untyped, validate } from './arguments.js';
import { callValue } from './builtins.js';
import { CallError } from './errors.js';
import type { ChainNode, CommandNode, FieldNode, OperandNode, PipeNode, VariableNode } from './nodes.js';
import { nodeText } from './nodes.js';
import { quoteString } from './quote.js';
import type { Scope } from './scope.js';
import { canBeNil, REFLECT_VALUE } from './types.js';
import type { GoFunction, GoType, GoValue, SliceData } from './types.js';
import { asFields, asMap, indirect, inside, INVALID, truth, zeroOf } from './values.js';

/** Absence of the value that a pipeline hands to its next command. */
const MISSING: GoValue = { t: { kind: 'struct', name: 'template.missingValType' }, v: new Map() };

/** What is being called, for messages: `and`, `or` and `call` are the evaluator's own. */
interface Callee {
  readonly fn: GoFunction;
  readonly name: string;
  readonly builtin: boolean;
  /** Where an error of the call is reported. */
  readonly node: CommandNode | OperandNode;
}

function checkCount(callee: Callee, args: number, given: number, scope: Scope): void {
  const { fn, name } = callee;
  const wanted = fn.params.length;
  if (!fn.variadic && given !== wanted)
    scope.fail(`wrong number of args for ${name}: want ${wanted} got ${given}`);
  if (fn.variadic && given < wanted - 1) {
    scope.fail(`wrong number of args for ${name}: want at least ${wanted - 1} got ${args}`);
  }
}

/** Calls a function or method with the operands after it and, if there is one, the pipeline's value as last argument. */
function evalCall(
  scope: Scope,
  dot: GoValue,
  callee: Callee,
  operands: readonly OperandNode[],
  final: GoValue,
): GoValue {
  const { fn, name, builtin } = callee;
  const given = operands.length + (final === MISSING ? 0 : 1);
  checkCount(callee, operands.length, given, scope);
  if (builtin && (name === 'and' || name === 'or')) return shortCircuit(scope, dot, name, operands, final);
  const typeAt = (at: number): GoType => fn.params[Math.min(at, fn.params.length - 1)] as GoType;
  const args = operands.map((operand, at) => evalArg(scope, dot, typeAt(at), operand));
  if (final !== MISSING) args.push(validate(scope, final, typeAt(given - 1)));
  scope.execution.budget.step(1 + workOf(args));
  try {
    if (builtin && name === 'call') {
      const first = operands[0];
      return callValue(first ? nodeText(first) : 'value', args, scope.execution.budget);
    }
    return fn.call(args, scope.execution.budget);
  } catch (error) {
    return failedCall(scope, callee, error);
  }
}

/** What functions do with texts and lists takes time in proportion to their length: as many steps as that is. */
function workOf(args: readonly GoValue[]): number {
  let length = 0;
  for (const { t, v } of args) {
    if (t.kind === 'string') length += (v as string).length;
    else if (t.kind === 'slice' && v !== null) length += 8 * (v as SliceData).len;
  }
  return Math.trunc(length / BYTES_PER_STEP);
}
const BYTES_PER_STEP = 64;

function failedCall(scope: Scope, callee: Callee, error: unknown): never {
  scope.at(callee.node);
  if (error instanceof CallError) return scope.fail(`error calling ${callee.name}: ${error.message}`);
  if (error instanceof RangeError)
    return scope.fail(`error calling ${callee.name}: value too large`, 'limit');
  throw error;
}

function shortCircuit(
  scope: Scope,
  dot: GoValue,
  name: 'and' | 'or',
  operands: readonly OperandNode[],
  final: GoValue,
): GoValue {
  let value = INVALID;
  for (const operand of operands) {
    value = evalArg(scope, dot, REFLECT_VALUE, operand);
    if (truth(value) === (name === 'or')) return value;
  }
  return final === MISSING ? value : validate(scope, final, REFLECT_VALUE);
}

/** Evaluates an operand for a parameter of a type; constants take the parameter's type. */
function evalArg(scope: Scope, dot: GoValue, type: GoType | undefined, node: OperandNode): GoValue {
  scope.at(node);
  switch (node.kind) {
    case 'dot':
      return validate(scope, dot, type);
    case 'nil':
      if (type === REFLECT_VALUE || type?.kind === 'interface') return INVALID;
      if (type && canBeNil(type)) return zeroOf(type);
      return scope.fail(`cannot assign nil to ${type?.name ?? 'nil'}`);
    case 'field':
      return validate(scope, evalFieldNode(scope, dot, node, [], MISSING), type);
    case 'variable':
      return validate(scope, evalVariable(scope, dot, node, [], MISSING), type);
    case 'pipe':
      return validate(scope, evalPipeline(scope, dot, node), type);
    case 'identifier':
      return validate(scope, evalFunction(scope, dot, node.name, node, [], MISSING), type);
    case 'chain':
      return validate(scope, evalChain(scope, dot, node, [], MISSING), type);
    default:
      return constant(scope, type ?? REFLECT_VALUE, node);
  }
}

function evalFunction(
  scope: Scope,
  dot: GoValue,
  name: string,
  node: CommandNode | OperandNode,
  operands: readonly OperandNode[],
  final: GoValue,
): GoValue {
  const custom = scope.execution.functions.get(name);
  const fn = custom ?? scope.execution.builtins.get(name);
  if (!fn) return scope.fail(`"${name}" is not a defined function`);
  return evalCall(scope, dot, { fn, name, builtin: custom === undefined, node }, operands, final);
}

function evalFieldNode(
  scope: Scope,
  dot: GoValue,
  node: FieldNode,
  operands: readonly OperandNode[],
  final: GoValue,
): GoValue {
  scope.at(node);
  return fieldChain(scope, dot, dot, node, node.path, operands, final);
}

function evalChain(
  scope: Scope,
  dot: GoValue,
  node: ChainNode,
  operands: readonly OperandNode[],
  final: GoValue,
): GoValue {
  scope.at(node);
  if (node.node.kind === 'nil') return scope.fail(`indirection through explicit nil in ${nodeText(node)}`);
  const receiver = evalArg(scope, dot, undefined, node.node);
  return fieldChain(scope, dot, receiver, node, node.path, operands, final);
}

function evalVariable(
  scope: Scope,
  dot: GoValue,
  node: VariableNode,
  operands: readonly OperandNode[],
  final: GoValue,
): GoValue {
  scope.at(node);
  const [name = '', ...path] = node.path;
  const value = scope.get(name);
  if (path.length > 0) return fieldChain(scope, dot, value, node, path, operands, final);
  if (operands.length > 0 || final !== MISSING) return notAFunction(scope, node);
  return value;
}

const notAFunction = (scope: Scope, node: OperandNode): never =>
  scope.fail(`can't give argument to non-function ${nodeText(node)}`);

function fieldChain(
  scope: Scope,
  dot: GoValue,
  receiver: GoValue,
  node: OperandNode,
  path: readonly string[],
  operands: readonly OperandNode[],
  final: GoValue,
): GoValue {
  let value = receiver;
  for (const name of path.slice(0, -1)) value = evalField(scope, dot, name, node, [], MISSING, value);
  return evalField(scope, dot, path.at(-1) as string, node, operands, final, value);
}

/** `.Name` of a value: a method, a struct's field or a map's entry; nothing else, so that no JavaScript property shows. */
function evalField(
  scope: Scope,
  dot: GoValue,
  name: string,
  node: OperandNode,
  operands: readonly OperandNode[],
  final: GoValue,
  receiver: GoValue,
): GoValue {
  scope.execution.budget.step();
  if (receiver.t.kind === 'invalid') return scope.fail(`nil data; no entry for key ${quoteString(name)}`);
  const type = receiver.t;
  const { value, nil } = indirect(receiver);
  if (value.t.kind === 'interface' && nil) return scope.fail(`nil pointer evaluating ${type.name}.${name}`);
  const method = (value.t.kind === 'ptr' ? value.t.elem : value.t)?.methods?.get(name);
  if (method) {
    const call: GoFunction['call'] = (args, budget) => method.call(value, args, budget);
    const fn: GoFunction = { params: method.params, variadic: method.variadic ?? false, call };
    return evalCall(scope, dot, { fn, name, builtin: false, node }, operands, final);
  }
  const hasArgs = operands.length > 0 || final !== MISSING;
  if (value.t.kind === 'struct') {
    const field = asFields(value).get(name);
    if (field && hasArgs) scope.fail(`${name} has arguments but cannot be invoked as function`);
    if (field) return field;
  }
  if (value.t.kind === 'map' && (value.t.key?.name === 'string' || value.t.key?.kind === 'interface')) {
    if (hasArgs) scope.fail(`${name} is not a method but has arguments`);
    return asMap(value).get(name) ?? scope.missing(name, asMap(value));
  }
  if (value.t.kind === 'ptr' && (value.t.elem?.kind !== 'struct' || value.t.elem.fields?.().has(name))) {
    scope.fail(`nil pointer evaluating ${type.name}.${name}`);
  }
  return scope.fail(`can't evaluate field ${name} in type ${type.name}`);
}

/** The value of a pipeline. Variables that it declares stay until the caller pops them. */
export function evalPipeline(scope: Scope, dot: GoValue, pipe: PipeNode): GoValue {
  scope.at(pipe);
  let value = MISSING;
  for (const command of pipe.commands) {
    value = evalCommand(scope, dot, command, value);
    if (value.t.kind === 'interface') value = inside(value);
  }
  for (const variable of pipe.declarations) {
    const name = variable.path[0] as string;
    if (pipe.assign) scope.set(name, value);
    else scope.push(name, value);
  }
  return value;
}

function evalCommand(scope: Scope, dot: GoValue, command: CommandNode, final: GoValue): GoValue {
  scope.execution.budget.step();
  const [first, ...operands] = command.args as [OperandNode, ...OperandNode[]];
  const refuseArgs = (): void => {
    if (operands.length > 0 || final !== MISSING) notAFunction(scope, first);
  };
  switch (first.kind) {
    case 'field':
      return evalFieldNode(scope, dot, first, operands, final);
    case 'chain':
      return evalChain(scope, dot, first, operands, final);
    case 'identifier':
      scope.at(first);
      return evalFunction(scope, dot, first.name, command, operands, final);
    case 'pipe':
      refuseArgs();
      return evalPipeline(scope, dot, first);
    case 'variable':
      return evalVariable(scope, dot, first, operands, final);
    default:
  }
  scope.at(first);
  refuseArgs();
  if (first.kind === 'dot') return dot;
  if (first.kind === 'nil') return scope.fail('nil is not a command');
  return untyped(scope, first);
}
