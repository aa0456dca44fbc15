import { decodeLastRune, decodeRune } from './bytes.js';

export const EOF = -1;

/** A place in a text of bytes, moved rune by rune. */
export class Cursor {
  protected pos = 0;
  private atEof = false;

  constructor(readonly input: string) {}

  protected advance(): number {
    if (this.pos >= this.input.length) {
      this.atEof = true;
      return EOF;
    }
    const { rune, size } = decodeRune(this.input, this.pos);
    this.pos += size;
    return rune;
  }

  protected backup(): void {
    if (!this.atEof && this.pos > 0) this.pos -= decodeLastRune(this.input, this.pos).size;
  }

  protected peek(): number {
    const rune = this.advance();
    this.backup();
    return rune;
  }

  protected accept(valid: string): boolean {
    const code = this.input.charCodeAt(this.pos);
    if (Number.isNaN(code) || !valid.includes(String.fromCharCode(code))) return false;
    this.pos++;
    return true;
  }

  protected acceptRun(valid: string): void {
    while (this.accept(valid));
  }

  protected at(text: string, offset = 0): boolean {
    return this.input.startsWith(text, this.pos + offset);
  }
}
