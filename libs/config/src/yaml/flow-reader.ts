import {
  closingQuote,
  endBlanks,
  giveUp,
  plainValue,
  unquoteDouble,
  unquoteSingle,
} from './plain-scalars.js';

const UNSAFE: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype', '<<']);
const MAX_DEPTH = 50;

/** Adds a member; a second of the same name, and names that reach into objects, are for the full reader to judge. */
export function addMember(to: Record<string, unknown>, key: string, value: unknown): void {
  if (UNSAFE.has(key) || Object.hasOwn(to, key)) giveUp();
  to[key] = value;
}

/** Reads one-line flow collections: `{a: b, c: [1, "x"]}`. */
export class FlowReader {
  private at: number;

  constructor(
    private readonly text: string,
    start: number,
  ) {
    this.at = start;
  }

  /** The collection, and the index after it. */
  read(): { readonly value: unknown; readonly end: number } {
    const value = this.node(0);
    return { value, end: this.at };
  }

  private skip(): void {
    while (this.text[this.at] === ' ') this.at++;
    if (this.at >= this.text.length) giveUp();
  }

  private node(depth: number): unknown {
    if (depth > MAX_DEPTH) giveUp();
    this.skip();
    const char = this.text[this.at];
    if (char === '[') return this.list(depth);
    if (char === '{') return this.map(depth);
    if (char === '"' || char === "'") return this.quoted(char);
    return plainValue(this.plain());
  }

  private quoted(quote: string): string {
    const end = closingQuote(this.text, quote, this.at + 1);
    if (end < 0) giveUp();
    const inner = this.text.slice(this.at + 1, end);
    this.at = end + 1;
    return quote === '"' ? unquoteDouble(inner) : unquoteSingle(inner);
  }

  private plain(): string {
    const start = this.at;
    for (; this.at < this.text.length; this.at++) {
      const char = this.text[this.at] as string;
      if (char === ',' || char === ']' || char === '}') break;
      if (char === ':') {
        const next = this.text[this.at + 1] ?? ' ';
        if (' ,]}[{'.includes(next)) break;
      }
      if ('[{"\'#&*!|>%@`?'.includes(char)) giveUp();
    }
    const text = endBlanks(this.text.slice(start, this.at));
    return text === '' || text === '-' || text.startsWith('- ') || text.startsWith(':') ? giveUp() : text;
  }

  private list(depth: number): unknown[] {
    this.at++;
    const items: unknown[] = [];
    for (;;) {
      this.skip();
      if (this.text[this.at] === ']') {
        this.at++;
        return items;
      }
      items.push(this.node(depth + 1));
      this.skip();
      if (this.text[this.at] === ',') this.at++;
      else if (this.text[this.at] !== ']') giveUp();
    }
  }

  private map(depth: number): Record<string, unknown> {
    this.at++;
    const members: Record<string, unknown> = {};
    for (;;) {
      this.skip();
      const char = this.text[this.at] as string;
      if (char === '}') {
        this.at++;
        return members;
      }
      const key = char === '"' || char === "'" ? this.quoted(char) : this.plainKey();
      this.skip();
      if (this.text[this.at] !== ':') giveUp();
      this.at++;
      this.skip();
      if (',}'.includes(this.text[this.at] as string)) giveUp();
      addMember(members, key, this.node(depth + 1));
      this.skip();
      if (this.text[this.at] === ',') this.at++;
      else if (this.text[this.at] !== '}') giveUp();
    }
  }

  private plainKey(): string {
    const key = this.plain();
    return typeof plainValue(key) === 'string' ? key : giveUp();
  }
}
