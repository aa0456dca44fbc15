import { decodeRune, encodeRune, isPrint, RUNE_ERROR } from './bytes.js';

const ESCAPES: Readonly<Record<string, string>> = {
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
};

const hex = (n: number, width: number): string => n.toString(16).padStart(width, '0');

function quoteRuneInto(rune: number, quote: string, ascii: boolean): string {
  const char = rune < 0x80 ? String.fromCharCode(rune) : '';
  if (char === quote || char === '\\') return `\\${char}`;
  if (ascii ? rune < 0x80 && isPrint(rune) : isPrint(rune)) return encodeRune(rune);
  const known = Object.hasOwn(ESCAPES, char) ? ESCAPES[char] : undefined;
  if (known !== undefined) return known;
  if (rune < 0x20 || rune === 0x7f) return `\\x${hex(rune, 2)}`;
  const valid = rune <= 0x10ffff && !(rune >= 0xd800 && rune <= 0xdfff) ? rune : RUNE_ERROR;
  return valid < 0x10000 ? `\\u${hex(valid, 4)}` : `\\U${hex(valid, 8)}`;
}

/** Go's `strconv.Quote` (or `QuoteToASCII`) of a byte string. */
export function quoteString(bytes: string, ascii = false): string {
  let out = '"';
  for (let i = 0; i < bytes.length;) {
    const { rune, size } = decodeRune(bytes, i);
    out +=
      rune === RUNE_ERROR && size === 1
        ? `\\x${hex(bytes.charCodeAt(i), 2)}`
        : quoteRuneInto(rune, '"', ascii);
    i += size;
  }
  return `${out}"`;
}

/** Go's `strconv.QuoteRune` (or `QuoteRuneToASCII`). */
export function quoteRune(rune: number, ascii = false): string {
  const valid = rune >= 0 && rune <= 0x10ffff && !(rune >= 0xd800 && rune <= 0xdfff) ? rune : RUNE_ERROR;
  return `'${quoteRuneInto(valid, "'", ascii)}'`;
}

/** Go's `strconv.CanBackquote`. */
export function canBackquote(bytes: string): boolean {
  for (let i = 0; i < bytes.length;) {
    const { rune, size } = decodeRune(bytes, i);
    i += size;
    if (size > 1) {
      if (rune === 0xfeff) return false;
      continue;
    }
    if (rune === RUNE_ERROR) return false;
    if ((rune < 0x20 && rune !== 9) || rune === 0x60 || rune === 0x7f) return false;
  }
  return true;
}

const SIMPLE: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  "'": "'",
  '"': '"',
};
const HEX_DIGITS: Readonly<Record<string, number>> = { x: 2, u: 4, U: 8 };

interface Escape {
  readonly bytes: string;
  readonly rune: number;
  readonly next: number;
}

function readEscape(source: string, at: number, quote: string): Escape | undefined {
  const char = source[at] ?? '';
  if (Object.hasOwn(HEX_DIGITS, char)) {
    const width = HEX_DIGITS[char] as number;
    const digits = source.slice(at + 1, at + 1 + width);
    if (digits.length !== width || !/^[0-9a-fA-F]+$/.test(digits)) return undefined;
    const value = Number.parseInt(digits, 16);
    const next = at + 1 + width;
    if (char === 'x') return { bytes: String.fromCharCode(value), rune: value, next };
    if (value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff)) return undefined;
    return { bytes: encodeRune(value), rune: value, next };
  }
  if (char >= '0' && char <= '7') {
    const digits = source.slice(at, at + 3);
    if (!/^[0-7]{3}$/.test(digits)) return undefined;
    const value = Number.parseInt(digits, 8);
    return value > 255 ? undefined : { bytes: String.fromCharCode(value), rune: value, next: at + 3 };
  }
  if ((char === "'" || char === '"') && char !== quote) return undefined;
  if (char === '' || !Object.hasOwn(SIMPLE, char)) return undefined;
  const simple = SIMPLE[char] as string;
  return { bytes: simple, rune: simple.charCodeAt(0), next: at + 1 };
}

/** Go's `strconv.Unquote` for `"…"` and `` `…` ``; undefined where Go says "invalid syntax". */
export function unquote(source: string): string | undefined {
  const quote = source[0];
  const inner = source.slice(1, -1);
  if (quote === '`') return inner.includes('`') ? undefined : inner.replaceAll('\r', '');
  let out = '';
  for (let i = 0; i < inner.length;) {
    const char = inner[i] as string;
    if (char === '"' || char === '\n') return undefined;
    if (char !== '\\') {
      out += char;
      i++;
      continue;
    }
    const escape = readEscape(inner, i + 1, '"');
    if (!escape) return undefined;
    out += escape.bytes;
    i = escape.next;
  }
  return out;
}

/** The rune of a character constant such as `'a'`; a string is the reason why there is none, in Go's words. */
export function unquoteChar(source: string): number | string {
  if (source.length < 3 || source[1] === "'") return 'invalid syntax';
  let rune: number;
  let next: number;
  if (source[1] === '\\') {
    const escape = readEscape(source, 2, "'");
    if (!escape) return 'invalid syntax';
    ({ rune, next } = escape);
  } else {
    const decoded = decodeRune(source, 1);
    rune = decoded.rune;
    next = 1 + decoded.size;
  }
  return source.slice(next) === "'" ? rune : `malformed character constant: ${source}`;
}
