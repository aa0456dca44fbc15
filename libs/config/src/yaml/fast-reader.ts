import { blockScalar } from './block-scalars.js';
import { addMember, FlowReader } from './flow-reader.js';
import {
  closingQuote,
  endBlanks,
  fold,
  giveUp,
  NotSimple,
  plainValue,
  unquoteDouble,
  unquoteSingle,
} from './plain-scalars.js';

/** One document: its value, and where its content and its top-level keys begin. Lines start at 1. */
export interface SimpleDocument {
  readonly value: unknown;
  readonly line: number;
  readonly keyLines: ReadonlyMap<string, number>;
}

/** Control characters other than the line feed, the byte order mark, directives and document ends. */
// eslint-disable-next-line no-control-regex
const STRANGE = /[\x00-\x09\x0b-\x1f\x7f\ufeff]|^%|^\.\.\.|^---[^ \n]/m;
const MAX_DEPTH = 100;
const PLAIN_KEY_START = /^[A-Za-z0-9_./$(]/;

/**
 * Reads the YAML that nearly all manifests are written in, several times faster than the full reader: block maps and lists,
 * one-line flow collections, all kinds of scalars. Undefined for anything else (anchors, tags, merge keys, wrong YAML …),
 * which the full reader then reads or refuses; where this reader answers, its answer is that of the full reader.
 */
export function readSimpleYaml(text: string): readonly SimpleDocument[] | undefined {
  if (STRANGE.test(text)) return undefined;
  try {
    return new FastReader(text.split('\n')).documents();
  } catch (error) {
    if (error instanceof NotSimple) return undefined;
    throw error;
  }
}

class FastReader {
  private at = 0;
  private keyLines = new Map<string, number>();

  constructor(private readonly lines: string[]) {}

  documents(): readonly SimpleDocument[] {
    const found: SimpleDocument[] = [];
    for (;;) {
      this.skip();
      const line = this.lines[this.at];
      if (line === undefined) return found;
      if (isSeparator(line)) {
        this.at++;
        continue;
      }
      this.keyLines = new Map();
      const start = this.at + 1;
      const value = this.node(-1, 0);
      if (value !== null) found.push({ value, line: start, keyLines: this.keyLines });
      this.skip();
      const next = this.lines[this.at];
      if (next !== undefined && !isSeparator(next)) giveUp();
    }
  }

  /** Goes to the next line that is neither blank nor a comment. */
  private skip(): void {
    for (; this.at < this.lines.length; this.at++) {
      const line = this.lines[this.at] as string;
      const start = indentOf(line);
      if (start < line.length && line[start] !== '#') return;
    }
  }

  /** The node that begins at the next line, which must stand deeper than `parent`. */
  private node(parent: number, depth: number): unknown {
    if (depth > MAX_DEPTH) giveUp();
    const line = this.lines[this.at] as string;
    const indent = indentOf(line);
    if (indent <= parent) giveUp();
    if (isItem(line, indent)) return this.list(indent, depth);
    if (keyEnd(line, indent) >= 0) return this.map(indent, depth);
    // Scalars of several lines that stand alone are rare.
    return parent < 0 ? giveUp() : this.scalar(endBlanks(line.slice(indent)), parent, depth);
  }

  private map(indent: number, depth: number): Record<string, unknown> {
    const members: Record<string, unknown> = {};
    while (this.at < this.lines.length) {
      const line = this.lines[this.at] as string;
      const own = indentOf(line);
      if (own < indent || isSeparator(line)) break;
      if (own > indent || isItem(line, own)) giveUp();
      const colon = keyEnd(line, own);
      if (colon < 0) giveUp();
      const key = keyText(endBlanks(line.slice(own, colon)));
      if (depth === 0) this.keyLines.set(key, this.at + 1);
      addMember(members, key, this.valueAfter(line, colon + 1, indent, depth));
      this.skip();
    }
    return members;
  }

  /** What stands behind `key:` or below it. */
  private valueAfter(line: string, from: number, indent: number, depth: number): unknown {
    const rest = trimBlanks(line.slice(from));
    if (rest !== '' && !rest.startsWith('#')) return this.scalar(rest, indent, depth);
    return this.below(indent, depth, true);
  }

  /** The node on the lines below, if they stand deeper; a list may stand as deep as the key that it belongs to. */
  private below(indent: number, depth: number, ofKey = false): unknown {
    this.at++;
    this.skip();
    const next = this.lines[this.at];
    if (next === undefined || isSeparator(next)) return null;
    const own = indentOf(next);
    if (own > indent) return this.node(indent, depth + 1);
    return ofKey && own === indent && isItem(next, own) ? this.list(own, depth + 1) : null;
  }

  private list(indent: number, depth: number): unknown[] {
    const items: unknown[] = [];
    while (this.at < this.lines.length) {
      const line = this.lines[this.at] as string;
      const own = indentOf(line);
      if (own < indent || isSeparator(line)) break;
      if (own > indent) giveUp();
      if (!isItem(line, own)) break;
      items.push(this.item(line, own, depth));
      this.skip();
    }
    return items;
  }

  private item(line: string, indent: number, depth: number): unknown {
    let start = indent + 1;
    while (line[start] === ' ') start++;
    if (start >= line.length || line[start] === '#') return this.below(indent, depth + 1);
    if (isItem(line, start) || keyEnd(line, start) >= 0) {
      // The rest of the line is the first line of a collection that stands where it begins.
      this.lines[this.at] = ' '.repeat(start) + line.slice(start);
      return this.node(indent, depth + 1);
    }
    return this.scalar(endBlanks(line.slice(start)), indent, depth);
  }

  /** A scalar or flow collection that begins with `text` on the current line, below a node at `parent`. */
  private scalar(text: string, parent: number, depth: number): unknown {
    const first = text[0] as string;
    if (first === '|' || first === '>') {
      const block = blockScalar(text, this.lines, this.at + 1, parent);
      this.at = block.next;
      return block.value;
    }
    if (first === '"' || first === "'") return this.quoted(text, first, parent);
    if (first === '{' || first === '[') {
      const { value, end } = new FlowReader(text, 0).read();
      this.endOfLine(text.slice(end));
      return value;
    }
    if ('&*!?@`%,]}#'.includes(first) || depth > MAX_DEPTH) giveUp();
    return this.plain(text, parent);
  }

  /** Only a comment may follow, and nothing may go on below. */
  private endOfLine(rest: string): void {
    if (!/^( +#.*| *)$/.test(rest)) giveUp();
    this.at++;
  }

  private plain(text: string, parent: number): unknown {
    if (/^[-:?]( |$)/.test(text) || /: |:$/.test(text)) giveUp();
    const comment = text.indexOf(' #');
    this.at++;
    if (comment >= 0) {
      if (this.goesOn(parent)) giveUp();
      return plainValue(endBlanks(text.slice(0, comment)));
    }
    const more = this.continuation(parent);
    if (more.length === 0) return plainValue(text);
    if (more.some((line) => /: |:$| #/.test(line) || line.startsWith('#'))) giveUp();
    return fold([text, ...more]);
  }

  private goesOn(parent: number): boolean {
    const before = this.at;
    const more = this.continuation(parent).length > 0;
    this.at = before;
    return more;
  }

  /** Lines that go on with a plain scalar: deeper than its parent, with blank lines between them. */
  private continuation(parent: number): string[] {
    const found: string[] = [];
    let end = this.at;
    for (let at = this.at; at < this.lines.length; at++) {
      const line = this.lines[at] as string;
      const indent = indentOf(line);
      if (indent === line.length) {
        found.push('');
        continue;
      }
      if (indent <= parent || line[indent] === '#') break;
      found.push(endBlanks(line.slice(indent)));
      end = at + 1;
    }
    found.length = end - this.at;
    this.at = end;
    return found;
  }

  private quoted(text: string, quote: string, parent: number): string {
    const unquote = quote === '"' ? unquoteDouble : unquoteSingle;
    const end = closingQuote(text, quote, 1);
    if (end >= 0) {
      this.endOfLine(text.slice(end + 1));
      return unquote(text.slice(1, end));
    }
    const parts = [text.slice(1)];
    for (this.at++; this.at < this.lines.length; this.at++) {
      const line = this.lines[this.at] as string;
      const indent = indentOf(line);
      if (indent === line.length) {
        parts.push('');
        continue;
      }
      if (indent <= parent) giveUp();
      const close = closingQuote(line, quote, indent);
      if (close >= 0) {
        parts.push(line.slice(indent, close));
        this.endOfLine(line.slice(close + 1));
        return unquote(foldQuoted(parts));
      }
      parts.push(endBlanks(line.slice(indent)));
    }
    return giveUp();
  }
}

/** Blanks at the ends of inner lines do not count; a backslash at the end of a line, or blanks at the very ends, are rare. */
function foldQuoted(parts: readonly string[]): string {
  const [first = '', ...rest] = parts;
  const last = rest.at(-1) ?? '';
  if (parts.some((part) => part.endsWith('\\')) || last === '' || first === '' || first.endsWith(' '))
    giveUp();
  return fold(parts);
}

const trimBlanks = (text: string): string => endBlanks(text.slice(indentOf(text)));

function indentOf(line: string): number {
  let at = 0;
  while (line.charCodeAt(at) === 32) at++;
  return at;
}

const isSeparator = (line: string): boolean =>
  line === '---' || (line.startsWith('---') && (/^--- +#/.test(line) || giveUp()));

const isItem = (line: string, at: number): boolean =>
  line[at] === '-' && (at + 1 === line.length || line[at + 1] === ' ');

/** Index of the colon that ends the key at `from`; −1 where there is no key. */
function keyEnd(line: string, from: number): number {
  const first = line[from] as string;
  if (first === '"' || first === "'") {
    const close = closingQuote(line, first, from + 1);
    if (close < 0) return -1;
    let at = close + 1;
    while (line[at] === ' ') at++;
    return line[at] === ':' && (at + 1 === line.length || line[at + 1] === ' ') ? at : -1;
  }
  for (let at = line.indexOf(':', from); at >= 0; at = line.indexOf(':', at + 1)) {
    if (at + 1 === line.length || line[at + 1] === ' ') {
      const key = line.slice(from, at);
      if (key.includes(' #') || '{["\'|>&*!'.includes(first)) return -1;
      return at;
    }
  }
  return -1;
}

function keyText(text: string): string {
  const quote = text[0];
  if (quote === '"') return unquoteDouble(text.slice(1, -1));
  if (quote === "'") return unquoteSingle(text.slice(1, -1));
  if (!PLAIN_KEY_START.test(text) || typeof plainValue(text) !== 'string') giveUp();
  return text;
}
