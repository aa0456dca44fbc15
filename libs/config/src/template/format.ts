import { decodeRune, encodeRune, isPrint, MAX_RUNE, RUNE_ERROR, runeCount } from './bytes.js';
import { formatFloat } from './float-format.js';
import { canBackquote, quoteRune, quoteString } from './quote.js';

const asRune = (value: bigint): number =>
  value >= 0n && value <= BigInt(MAX_RUNE) ? Number(value) : RUNE_ERROR;

/** Flags, width and precision of one verb, and how basic things look under them. Source: Go `fmt`, "Printing". */
export class Format {
  width = 0;
  hasWidth = false;
  precision = 0;
  hasPrecision = false;
  minus = false;
  plus = false;
  sharp = false;
  space = false;
  zero = false;
  /** `%+v` */
  plusV = false;
  /** `%#v` */
  sharpV = false;

  clear(): void {
    Object.assign(this, new Format());
  }

  padding(count: number): string {
    return count > 0 ? (this.zero && !this.minus ? '0' : ' ').repeat(count) : '';
  }

  pad(bytes: string): string {
    if (!this.hasWidth || this.width === 0) return bytes;
    const padding = this.padding(this.width - runeCount(bytes));
    return this.minus ? bytes + padding : padding + bytes;
  }

  /** Pads with blanks whatever the zero flag says. */
  private padBlank(bytes: string): string {
    const { zero } = this;
    this.zero = false;
    const out = this.pad(bytes);
    this.zero = zero;
    return out;
  }

  boolean(value: boolean): string {
    return this.pad(value ? 'true' : 'false');
  }

  unicode(value: bigint): string {
    const digits = Math.max(4, this.hasPrecision ? this.precision : 0);
    const code = `U+${value.toString(16).toUpperCase().padStart(digits, '0')}`;
    const shown = this.sharp && value <= BigInt(MAX_RUNE) && isPrint(Number(value));
    return this.padBlank(shown ? `${code} '${encodeRune(Number(value))}'` : code);
  }

  /** `value` may be negative; unsigned values are passed as they are. */
  integer(value: bigint, base: 2 | 8 | 10 | 16, verb: string, upper: boolean): string {
    const negative = value < 0n;
    const size = negative ? -value : value;
    let digits = 0;
    if (this.hasPrecision) {
      digits = this.precision;
      if (digits === 0 && size === 0n) {
        return ' '.repeat(this.hasWidth ? Math.max(this.width, 0) : 0);
      }
    } else if (this.zero && !this.minus && this.hasWidth) {
      digits = this.width - (negative || this.plus || this.space ? 1 : 0);
    }
    let text = size.toString(base).padStart(digits, '0');
    if (upper) text = text.toUpperCase();
    if (this.sharp) {
      if (base === 2) text = `0b${text}`;
      if (base === 8 && !text.startsWith('0')) text = `0${text}`;
      if (base === 16) text = (upper ? '0X' : '0x') + text;
    }
    if (verb === 'O') text = `0o${text}`;
    const sign = negative ? '-' : this.plus ? '+' : this.space ? ' ' : '';
    return this.padBlank(sign + text);
  }

  private truncate(bytes: string): string {
    if (!this.hasPrecision) return bytes;
    let at = 0;
    for (let runes = 0; runes < this.precision && at < bytes.length; runes++)
      at += decodeRune(bytes, at).size;
    return bytes.slice(0, at);
  }

  string(bytes: string): string {
    return this.pad(this.truncate(bytes));
  }

  hex(bytes: string, upper: boolean): string {
    const length = this.hasPrecision ? Math.min(this.precision, bytes.length) : bytes.length;
    if (length === 0) return this.hasWidth ? this.padding(this.width) : '';
    let digits = Buffer.from(bytes.slice(0, length), 'latin1').toString('hex');
    if (upper) digits = digits.toUpperCase();
    const prefix = this.sharp ? (upper ? '0X' : '0x') : '';
    const text = this.space
      ? (digits.match(/../g) ?? []).map((pair) => prefix + pair).join(' ')
      : prefix + digits;
    const padding = this.hasWidth ? this.padding(this.width - text.length) : '';
    return this.minus ? text + padding : padding + text;
  }

  quoted(bytes: string): string {
    const text = this.truncate(bytes);
    if (this.sharp && canBackquote(text)) return this.pad(`\`${text}\``);
    return this.pad(quoteString(text, this.plus));
  }

  character(value: bigint): string {
    return this.pad(encodeRune(asRune(value)));
  }

  quotedCharacter(value: bigint): string {
    return this.pad(quoteRune(asRune(value), this.plus));
  }

  float(value: number, bits: 32 | 64, verb: string, precision: number): string {
    const digits = this.hasPrecision ? this.precision : precision;
    let text = formatFloat(value, verb, digits, bits);
    if (!/^[+-]/.test(text)) text = `+${text}`;
    if (this.space && text.startsWith('+') && !this.plus) text = ` ${text.slice(1)}`;
    if (/^.[IN]/.test(text)) {
      return this.padBlank(text[1] === 'N' && !this.space && !this.plus ? text.slice(1) : text);
    }
    if (this.sharp && verb !== 'b') text = this.withPoint(text, verb, digits);
    if (!this.plus && text.startsWith('+')) return this.pad(text.slice(1));
    if (this.zero && !this.minus && this.hasWidth && this.width > text.length) {
      return text[0] + this.padding(this.width - text.length) + text.slice(1);
    }
    return this.pad(text);
  }

  /** The sharp flag keeps a decimal point and, for %g, trailing zeros. */
  private withPoint(signed: string, verb: string, precision: number): string {
    const general = verb === 'g' || verb === 'G' || verb === 'x';
    let wanted = general ? (precision === -1 ? 6 : precision) : 0;
    const hex = verb === 'x' || verb === 'X';
    const tailAt = signed.slice(1).search(hex ? /[pP]/ : /[pPeE]/);
    const tail = tailAt < 0 ? '' : signed.slice(tailAt + 1);
    let body = tailAt < 0 ? signed : signed.slice(0, tailAt + 1);
    let nonZero = false;
    for (const char of body.slice(1)) {
      if (char === '.') continue;
      if (char !== '0') nonZero = true;
      if (nonZero) wanted--;
    }
    if (!body.includes('.')) {
      if (body.length === 2 && body[1] === '0') wanted--;
      body += '.';
    }
    return body + '0'.repeat(Math.max(wanted, 0)) + tail;
  }
}
