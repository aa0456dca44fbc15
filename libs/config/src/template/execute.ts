import { Budget, DEFAULT_LIMITS } from './budget.js';
import type { TemplateLimits } from './budget.js';
import { BUILTINS } from './builtins.js';
import { LimitError, TemplateError } from './errors.js';
import { evalPipeline } from './evaluate.js';
import type { ActionNode, BranchNode, ListNode, Node, TemplateNode } from './nodes.js';
import { nodeText } from './nodes.js';
import { quoteString } from './quote.js';
import { Scope } from './scope.js';
import type { Execution, Template } from './scope.js';
import { sprint, sprintf } from './sprintf.js';
import { isInteger } from './types.js';
import type { GoFunction, GoValue } from './types.js';
import { asBigInt, asMap, indirect, int, INVALID, isTrue, items, sortedEntries, unbox } from './values.js';

export interface ExecuteOptions {
  readonly functions?: ReadonlyMap<string, GoFunction>;
  readonly limits?: Partial<TemplateLimits>;
  /** Called every thousand steps or so; may throw a LimitError to end the execution, e.g. at a deadline. */
  readonly checkpoint?: () => void;
  /** Shared by executions that together have one budget, e.g. a file and the siblings that it hashes. */
  readonly budget?: Budget;
}

/** How a block ended. */
type Flow = 'on' | 'break' | 'continue';

/**
 * Runs a parsed template over data, with `missingkey=error`. The result is a byte string.
 * Throws {@link TemplateError}: `exec` in Go's words, `limit` when a bound is passed.
 */
export const executeTemplate = (template: Template, data: GoValue, options: ExecuteOptions = {}): string =>
  runTemplate(template, data, options).out.join('');

/** As {@link executeTemplate}, with the output in pieces and where each comes from. */
export function runTemplate(template: Template, data: GoValue, options: ExecuteOptions = {}): Execution {
  const budget = options.budget ?? new Budget({ ...DEFAULT_LIMITS, ...options.limits }, options.checkpoint);
  const execution: Execution = {
    template,
    functions: options.functions ?? new Map(),
    builtins: BUILTINS,
    budget,
    out: [],
    nodes: [],
  };
  const scope = new Scope(execution, template.file, data, 0);
  guarded(scope, () => walkList(scope, data, template.trees.get(template.file) as ListNode));
  return execution;
}

/** Turns a spent budget, or an exhausted stack, into an error that names the place. */
function guarded(scope: Scope, run: () => unknown): void {
  try {
    run();
  } catch (error) {
    if (error instanceof TemplateError) throw error;
    if (error instanceof LimitError) scope.fail(error.message, 'limit');
    if (error instanceof RangeError) scope.fail('templates or values are nested too deeply', 'limit');
    throw error;
  }
}

function write(scope: Scope, bytes: string): void {
  scope.execution.budget.write(bytes.length);
  scope.execution.out.push(bytes);
  scope.execution.nodes.push(scope.node as Node);
}

function walkList(scope: Scope, dot: GoValue, list: ListNode): Flow {
  scope.at(list);
  for (const node of list.nodes) {
    scope.execution.budget.step();
    scope.at(node);
    switch (node.kind) {
      case 'text':
        write(scope, node.text);
        break;
      case 'action':
        walkAction(scope, dot, node);
        break;
      case 'template':
        walkTemplate(scope, dot, node);
        break;
      case 'break':
      case 'continue':
        return node.kind;
      default: {
        const flow = node.kind === 'range' ? walkRange(scope, dot, node) : walkBranch(scope, dot, node);
        if (flow !== 'on') return flow;
      }
    }
  }
  return 'on';
}

function walkAction(scope: Scope, dot: GoValue, node: ActionNode): void {
  const value = evalPipeline(scope, dot, node.pipe);
  if (node.pipe.declarations.length > 0) return;
  scope.at(node);
  const shown = value.t.kind === 'ptr' ? indirect(value).value : value;
  if (shown.t.kind === 'invalid') return write(scope, '<no value>');
  if (shown.t.kind === 'func') scope.fail(`can't print ${nodeText(node)} of type ${shown.t.name}`);
  write(scope, sprint([shown], scope.execution.budget));
}

function walkBranch(scope: Scope, dot: GoValue, node: BranchNode): Flow {
  const mark = scope.mark();
  const value = evalPipeline(scope, dot, node.pipe);
  let flow: Flow = 'on';
  if (isTrue(unbox(value))) flow = walkList(scope, node.kind === 'with' ? value : dot, node.list);
  else if (node.otherwise) flow = walkList(scope, dot, node.otherwise);
  scope.pop(mark);
  return flow;
}

function walkTemplate(scope: Scope, dot: GoValue, node: TemplateNode): void {
  const { execution } = scope;
  const tree = execution.template.trees.get(node.name);
  if (!tree) return scope.fail(`template ${quoteString(node.name)} not defined`);
  const limit = execution.budget.limits.templateDepth;
  if (scope.depth >= limit) return scope.fail(`exceeded maximum template depth (${limit})`, 'limit');
  const value = node.pipe ? evalPipeline(scope, dot, node.pipe) : INVALID;
  const inner = new Scope(execution, node.name, value, scope.depth + 1);
  guarded(inner, () => walkList(inner, value, tree));
}

function walkRange(scope: Scope, dot: GoValue, node: BranchNode): Flow {
  const outer = scope.mark();
  const flow = iterate(scope, dot, node);
  scope.pop(outer);
  return flow;
}

function iterate(scope: Scope, dot: GoValue, node: BranchNode): Flow {
  const { value, nil } = indirect(evalPipeline(scope, dot, node.pipe));
  const show = (): string => sprintf('%v', [value], scope.execution.budget);
  let elements: Iterable<readonly [GoValue, GoValue]> = [];
  if (isInteger(value.t.kind)) {
    if (node.pipe.declarations.length > 1) {
      scope.fail(`can't use ${show()} to iterate over more than one variable`);
    }
    elements = upTo(value);
  } else if (value.t.kind === 'slice' || value.t.kind === 'array') {
    elements = items(value).map((item, at) => [int(at), item] as const);
  } else if (value.t.kind === 'map') {
    elements = asMap(value).size > 0 ? sortedEntries(value) : [];
  } else if (value.t.kind !== 'invalid' || nil) {
    scope.fail(`range can't iterate over ${show()}`);
  }
  return eachElement(scope, dot, node, elements);
}

function* upTo(value: GoValue): Iterable<readonly [GoValue, GoValue]> {
  const end = asBigInt(value);
  for (let at = 0n; at < end; at++) yield [INVALID, { t: value.t, v: at }];
}

function eachElement(
  scope: Scope,
  dot: GoValue,
  node: BranchNode,
  elements: Iterable<readonly [GoValue, GoValue]>,
): Flow {
  const mark = scope.mark();
  let any = false;
  for (const [index, element] of elements) {
    any = true;
    scope.execution.budget.step();
    setVariables(scope, node, index, element);
    const flow = walkList(scope, element, node.list);
    scope.pop(mark);
    if (flow === 'break') return 'on';
  }
  if (any || !node.otherwise) return 'on';
  // As in Go, a break in the else part ends this range, while a continue there is one of the range around it.
  const flow = walkList(scope, dot, node.otherwise);
  return flow === 'break' ? 'on' : flow;
}

/** With two variables the index comes first; with one, it is the element. */
function setVariables(scope: Scope, node: BranchNode, index: GoValue, element: GoValue): void {
  const { declarations, assign } = node.pipe;
  const [first, second] = declarations.map((variable) => variable.path[0] as string);
  if (first === undefined) return;
  if (assign) {
    scope.set(first, second === undefined ? element : index);
    if (second !== undefined) scope.set(second, element);
    return;
  }
  scope.setTop(1, element);
  if (second !== undefined) scope.setTop(2, index);
}
