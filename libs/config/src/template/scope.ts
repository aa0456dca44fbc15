import type { Budget } from './budget.js';
import { toText } from './bytes.js';
import { TemplateError } from './errors.js';
import { nodeText } from './nodes.js';
import type { ListNode, Node } from './nodes.js';
import { quoteString } from './quote.js';
import type { GoFunction, GoValue } from './types.js';

/** A parsed text: its templates by name, the file's own among them. */
export interface Template {
  /** Byte string. */
  readonly file: string;
  /** Byte string. */
  readonly text: string;
  readonly trees: ReadonlyMap<string, ListNode>;
}

/** What one execution of a template and of all templates that it invokes share. */
export interface Execution {
  readonly template: Template;
  /** The caller's functions, which come before Go's own. */
  readonly functions: ReadonlyMap<string, GoFunction>;
  readonly builtins: ReadonlyMap<string, GoFunction>;
  readonly budget: Budget;
  readonly out: string[];
  /** The node that wrote each piece of `out`. */
  readonly nodes: Node[];
}

const CONTEXT_LIMIT = 400;

/** The variables of one template invocation, and the node being evaluated, for errors. */
export class Scope {
  node: Node | undefined;
  private readonly names: string[] = ['$'];
  private readonly values: GoValue[];

  constructor(
    readonly execution: Execution,
    /** Name of the template being executed. */
    readonly name: string,
    dot: GoValue,
    readonly depth: number,
  ) {
    this.values = [dot];
  }

  push(name: string, value: GoValue): void {
    this.names.push(name);
    this.values.push(value);
  }

  mark(): number {
    return this.names.length;
  }

  pop(mark: number): void {
    this.names.length = mark;
    this.values.length = mark;
  }

  get(name: string): GoValue {
    const at = this.names.lastIndexOf(name);
    return at < 0 ? this.fail(`undefined variable: ${name}`) : (this.values[at] as GoValue);
  }

  set(name: string, value: GoValue): void {
    const at = this.names.lastIndexOf(name);
    if (at < 0) this.fail(`undefined variable: ${name}`);
    this.values[at] = value;
  }

  /** Sets the n-th variable from the top of the stack, 1 being the last declared. */
  setTop(n: number, value: GoValue): void {
    this.values[this.values.length - n] = value;
  }

  at(node: Node): void {
    this.node = node;
  }

  /** Ends the execution with an error in Go's words, at the node being evaluated. */
  fail(reason: string, kind: 'exec' | 'limit' = 'exec', alsoMissing: readonly string[] = []): never {
    const { file, text } = this.execution.template;
    const before = text.slice(0, this.node?.pos ?? 0);
    const line = 1 + (before.match(/\n/g)?.length ?? 0);
    const column = before.length - (before.lastIndexOf('\n') + 1);
    const whole = this.node ? nodeText(this.node) : '';
    const context =
      kind === 'limit' && whole.length > CONTEXT_LIMIT ? `${whole.slice(0, CONTEXT_LIMIT)}…` : whole;
    const message = `template: ${file}:${line}:${column}: executing ${quoteString(this.name)} at <${context}>: ${reason}`;
    const place = { file: toText(file), line, column: column + 1, context: toText(context) };
    throw new TemplateError(kind, toText(message), toText(reason), place, alsoMissing);
  }

  /** Go stops at the first key that a map lacks; the author is told of all config items that this template lacks. */
  missing(name: string, present: { has(key: string): boolean }): never {
    const reason = `map has no entry for key ${quoteString(name)}`;
    if (!this.node || !nodeText(this.node).includes(`.ConfigItems.${name}`)) return this.fail(reason);
    const named = [...this.execution.template.text.matchAll(/\.Cluster\.ConfigItems\.(\w+)/g)];
    const others = new Set(named.map(([, key]) => key as string));
    others.delete(name);
    return this.fail(
      reason,
      'exec',
      [...others].filter((key) => !present.has(key)),
    );
  }
}
