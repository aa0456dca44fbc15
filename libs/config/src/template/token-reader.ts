import { toText } from './bytes.js';
import { TemplateError } from './errors.js';
import type { Lexer } from './lexer.js';
import type { ListNode } from './nodes.js';
import { unquote } from './quote.js';
import { describeToken } from './token.js';
import type { Token, TokenType } from './token.js';

/** What all trees of one text share. */
export interface Source {
  readonly file: string;
  readonly lexer: Lexer;
  readonly hasFunction: (name: string) => boolean;
  readonly trees: Map<string, ListNode>;
  readonly maxNesting: number;
  nesting: number;
}

/** Look-ahead of up to three tokens, and errors in Go's words. */
export class TokenReader {
  private readonly lookahead: [Token, Token, Token];
  private peeked = 0;
  /** The action being read, for errors that surface lines later. */
  protected actionStart: Token | undefined;

  constructor(protected readonly source: Source) {
    const nothing: Token = { type: 'eof', pos: 0, value: '' };
    this.lookahead = [nothing, nothing, nothing];
  }

  protected lineOf(token: Token): number {
    let line = 1;
    const input = this.source.lexer.input;
    for (let at = input.indexOf('\n'); at >= 0 && at < token.pos; at = input.indexOf('\n', at + 1)) line++;
    return line;
  }

  protected fail(reason: string): never {
    const file = toText(this.source.file);
    const line = this.lineOf(this.lookahead[0]);
    const text = toText(reason);
    throw new TemplateError('parse', `template: ${file}:${line}: ${text}`, text, { file, line });
  }

  protected unexpected(token: Token, context: string): never {
    if (token.type !== 'error') return this.fail(`unexpected ${describeToken(token)} in ${context}`);
    let extra = '';
    const started = this.actionStart && this.lineOf(this.actionStart);
    if (started !== undefined && started !== this.lineOf(token)) {
      extra = ` in action started at ${this.source.file}:${started}`;
      if (token.value.endsWith(' action')) extra = extra.slice(' in action'.length);
    }
    return this.fail(token.value + extra);
  }

  protected next(): Token {
    if (this.peeked > 0) this.peeked--;
    else this.lookahead[0] = this.source.lexer.next();
    return this.lookahead[this.peeked] as Token;
  }

  protected backup(): void {
    this.peeked++;
  }

  protected backup2(token: Token): void {
    this.lookahead[1] = token;
    this.peeked = 2;
  }

  protected backup3(first: Token, second: Token): void {
    this.lookahead[1] = second;
    this.lookahead[2] = first;
    this.peeked = 3;
  }

  protected peek(): Token {
    if (this.peeked === 0) {
      this.peeked = 1;
      this.lookahead[0] = this.source.lexer.next();
    }
    return this.lookahead[this.peeked - 1] as Token;
  }

  protected nextNonSpace(): Token {
    let token = this.next();
    while (token.type === 'space') token = this.next();
    return token;
  }

  protected peekNonSpace(): Token {
    const token = this.nextNonSpace();
    this.backup();
    return token;
  }

  protected expect(type: TokenType, context: string): Token {
    const token = this.nextNonSpace();
    if (token.type !== type) this.unexpected(token, context);
    return token;
  }

  protected unquoted(token: Token): string {
    return unquote(token.value) ?? this.fail('invalid syntax');
  }

  protected enter(): void {
    this.source.nesting++;
    if (this.source.nesting > this.source.maxNesting) this.fail('max expression depth exceeded');
  }

  protected leave(): void {
    this.source.nesting--;
  }
}
