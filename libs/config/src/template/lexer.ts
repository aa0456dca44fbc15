import { describeRune, isAlphaNumeric, isPrint } from './bytes.js';
import { Cursor, EOF } from './cursor.js';
import { quoteString } from './quote.js';
import { KEYWORDS } from './token.js';
import type { Token, TokenType } from './token.js';

const isSpace = (code: number): boolean => code === 32 || code === 9 || code === 13 || code === 10;
const trimLeft = (text: string, from: number): number => {
  let at = from;
  while (at < text.length && isSpace(text.charCodeAt(at))) at++;
  return at;
};

/**
 * Splits a template's text into tokens, on demand. Trim markers and comments are dealt with here, the parser never
 * sees them. Source: Go `text/template` documentation, "Text and spaces" and "Actions".
 */
export class Lexer extends Cursor {
  private start = 0;
  private inAction = false;
  private parens = 0;

  next(): Token {
    return this.inAction ? this.insideAction() : this.text();
  }

  private emit(type: TokenType): Token {
    const token = { type, pos: this.start, value: this.input.slice(this.start, this.pos) };
    this.start = this.pos;
    return token;
  }

  private fail(message: string): Token {
    return { type: 'error', pos: this.start, value: message };
  }

  /** `{{- ` */
  private leftTrim(at: number): boolean {
    return this.input[at] === '-' && isSpace(this.input.charCodeAt(at + 1));
  }

  /** ` -}}` */
  private rightTrim(at: number): boolean {
    return (
      isSpace(this.input.charCodeAt(at)) && this.input[at + 1] === '-' && this.input.startsWith('}}', at + 2)
    );
  }

  private text(): Token {
    for (;;) {
      const delimiter = this.input.indexOf('{{', this.pos);
      if (delimiter < 0) {
        this.pos = this.input.length;
        return this.emit(this.pos > this.start ? 'text' : 'eof');
      }
      let end = delimiter;
      if (this.leftTrim(delimiter + 2))
        while (end > this.start && isSpace(this.input.charCodeAt(end - 1))) end--;
      if (end > this.start) {
        this.pos = end;
        const token = this.emit('text');
        this.pos = delimiter;
        this.start = delimiter;
        return token;
      }
      this.pos = delimiter;
      this.start = delimiter;
      const token = this.leftDelim();
      if (token) return token;
    }
  }

  /** Undefined after a comment, which leaves no token. */
  private leftDelim(): Token | undefined {
    this.pos += 2;
    const skip = this.leftTrim(this.pos) ? 2 : 0;
    if (this.at('/*', skip)) {
      this.pos += skip;
      this.start = this.pos;
      return this.comment();
    }
    const token = this.emit('leftDelim');
    this.pos += skip;
    this.start = this.pos;
    this.inAction = true;
    this.parens = 0;
    return token;
  }

  private comment(): Token | undefined {
    const end = this.input.indexOf('*/', this.pos + 2);
    if (end < 0) return this.fail('unclosed comment');
    this.pos = end + 2;
    if (this.rightTrim(this.pos)) this.pos = trimLeft(this.input, this.pos + 4);
    else if (this.at('}}')) this.pos += 2;
    else return this.fail('comment ends before closing delimiter');
    this.start = this.pos;
    return undefined;
  }

  private rightDelim(): Token {
    const trim = this.rightTrim(this.pos);
    if (trim) {
      this.pos += 2;
      this.start = this.pos;
    }
    this.pos += 2;
    const token = this.emit('rightDelim');
    if (trim) {
      this.pos = trimLeft(this.input, this.pos);
      this.start = this.pos;
    }
    this.inAction = false;
    return token;
  }

  private insideAction(): Token {
    if (this.rightTrim(this.pos) || this.at('}}')) {
      return this.parens === 0 ? this.rightDelim() : this.fail('unclosed left paren');
    }
    const rune = this.advance();
    if (rune === EOF) return this.fail('unclosed action');
    if (isSpace(rune)) {
      this.backup();
      return this.space();
    }
    switch (String.fromCodePoint(rune)) {
      case '=':
        return this.emit('assign');
      case ':':
        return this.advance() === 61 ? this.emit('declare') : this.fail('expected :=');
      case '|':
        return this.emit('pipe');
      case '"':
        return this.quoted(34, 'string', 'unterminated quoted string');
      case '`':
        return this.rawQuoted();
      case '$':
        return this.fieldOrVariable('variable');
      case "'":
        return this.quoted(39, 'charConstant', 'unterminated character constant');
      case '.':
        if (this.pos < this.input.length && !this.digitAt(this.pos)) return this.fieldOrVariable('field');
        break;
      case '(':
        this.parens++;
        return this.emit('leftParen');
      case ')':
        this.parens--;
        return this.parens < 0 ? this.fail('unexpected right paren') : this.emit('rightParen');
      default:
    }
    return this.word(rune);
  }

  private digitAt(at: number): boolean {
    const code = this.input.charCodeAt(at);
    return code >= 48 && code <= 57;
  }

  private word(rune: number): Token {
    if (rune === 43 || rune === 45 || rune === 46 || (rune >= 48 && rune <= 57)) {
      this.backup();
      return this.number();
    }
    if (isAlphaNumeric(rune)) {
      this.backup();
      return this.identifier();
    }
    if (rune < 0x80 && isPrint(rune)) return this.emit('char');
    return this.fail(`unrecognized character in action: ${describeRune(rune)}`);
  }

  private space(): Token {
    let count = 0;
    while (isSpace(this.peek())) {
      this.advance();
      count++;
    }
    // The last space may belong to a trim marker.
    if (this.rightTrim(this.pos - 1)) {
      this.backup();
      if (count === 1) return this.rightDelim();
    }
    return this.emit('space');
  }

  private identifier(): Token {
    let rune = this.advance();
    while (rune !== EOF && isAlphaNumeric(rune)) rune = this.advance();
    this.backup();
    const word = this.input.slice(this.start, this.pos);
    if (!this.atTerminator()) return this.fail(`bad character ${describeRune(rune)}`);
    const keyword = KEYWORDS.get(word);
    if (keyword) return this.emit(keyword);
    return this.emit(word === 'true' || word === 'false' ? 'bool' : 'identifier');
  }

  private fieldOrVariable(type: 'field' | 'variable'): Token {
    if (this.atTerminator()) return this.emit(type === 'variable' ? 'variable' : 'dot');
    let rune = this.advance();
    while (rune !== EOF && isAlphaNumeric(rune)) rune = this.advance();
    this.backup();
    return this.atTerminator() ? this.emit(type) : this.fail(`bad character ${describeRune(rune)}`);
  }

  private atTerminator(): boolean {
    const rune = this.peek();
    if (rune === EOF || isSpace(rune) || '.,|:)('.includes(String.fromCodePoint(rune))) return true;
    return this.at('}}');
  }

  private quoted(quote: number, type: TokenType, unterminated: string): Token {
    for (;;) {
      let rune = this.advance();
      if (rune === quote) return this.emit(type);
      if (rune === 92) {
        rune = this.advance();
        if (rune !== EOF && rune !== 10) continue;
      }
      if (rune === EOF || rune === 10) return this.fail(unterminated);
    }
  }

  private rawQuoted(): Token {
    const end = this.input.indexOf('`', this.pos);
    if (end < 0) return this.fail('unterminated raw quoted string');
    this.pos = end + 1;
    return this.emit('rawString');
  }

  private number(): Token {
    const bad = (): Token =>
      this.fail(`bad number syntax: ${quoteString(this.input.slice(this.start, this.pos))}`);
    if (!this.scanNumber()) return bad();
    const sign = this.peek();
    if (sign !== 43 && sign !== 45) return this.emit('number');
    if (!this.scanNumber() || this.input[this.pos - 1] !== 'i') return bad();
    return this.emit('complex');
  }

  /** Lax on purpose: what is no number is noticed when it is converted. */
  private scanNumber(): boolean {
    this.accept('+-');
    let digits = '0123456789_';
    if (this.accept('0')) {
      if (this.accept('xX')) digits = '0123456789abcdefABCDEF_';
      else if (this.accept('oO')) digits = '01234567_';
      else if (this.accept('bB')) digits = '01_';
    }
    this.acceptRun(digits);
    if (this.accept('.')) this.acceptRun(digits);
    const exponent = digits.length === 11 ? 'eE' : digits.length === 23 ? 'pP' : '';
    if (exponent && this.accept(exponent)) {
      this.accept('+-');
      this.acceptRun('0123456789_');
    }
    this.accept('i');
    const next = this.peek();
    if (next === EOF || !isAlphaNumeric(next)) return true;
    this.advance();
    return false;
  }
}
