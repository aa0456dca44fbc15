import { DEFAULT_LIMITS } from './budget.js';
import { BUILTINS } from './builtins.js';
import { toBytes } from './bytes.js';
import { Lexer } from './lexer.js';
import type { ListNode } from './nodes.js';
import { TreeParser } from './parser.js';
import type { Template } from './scope.js';
import type { GoFunction } from './types.js';

export interface ParseOptions {
  readonly functions?: ReadonlyMap<string, GoFunction>;
  /** Nested blocks and parentheses allowed. */
  readonly nesting?: number;
}

/**
 * Parses a text as a Go template. Throws TemplateError of kind `parse`, with Go's message `template: file:line: reason`.
 * Functions must be known when parsing, as in Go.
 */
export function parseTemplate(file: string, text: string, options: ParseOptions = {}): Template {
  const trees = new Map<string, ListNode>();
  const source = {
    file: toBytes(file),
    lexer: new Lexer(toBytes(text)),
    hasFunction: (name: string): boolean => BUILTINS.has(name) || (options.functions?.has(name) ?? false),
    trees,
    maxNesting: options.nesting ?? DEFAULT_LIMITS.nesting,
    nesting: 0,
  };
  new TreeParser(source).parseAll();
  return { file: source.file, text: source.lexer.input, trees };
}
