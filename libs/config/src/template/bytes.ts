/**
 * Go strings are bytes, JavaScript strings are UTF-16. Inside the template engine a Go string is a *byte string*: a
 * JavaScript string in which every character is one byte (0–255). Length, index, slice, order and positions are then
 * Go's by nature. Text is converted once on the way in and once on the way out.
 */
// eslint-disable-next-line no-control-regex
const NOT_ASCII = /[^\x00-\x7f]/;

/** JavaScript text → byte string (UTF-8). */
export const toBytes = (text: string): string =>
  NOT_ASCII.test(text) ? Buffer.from(text, 'utf8').toString('latin1') : text;

/** Byte string → JavaScript text. Bytes that are no UTF-8 become U+FFFD. */
export const toText = (bytes: string): string =>
  NOT_ASCII.test(bytes) ? Buffer.from(bytes, 'latin1').toString('utf8') : bytes;

const isAscii = (text: string): boolean => !NOT_ASCII.test(text);

export const RUNE_ERROR = 0xfffd;
export const MAX_RUNE = 0x10ffff;

/** One decoded rune and the number of bytes that it takes; `size` 1 and U+FFFD for a byte that is no UTF-8. */
export interface Rune {
  readonly rune: number;
  readonly size: number;
}

const bad: Rune = { rune: RUNE_ERROR, size: 1 };
const none: Rune = { rune: RUNE_ERROR, size: 0 };

/** Source: Go `unicode/utf8`, DecodeRuneInString; surrogates and overlong forms are errors of one byte. */
export function decodeRune(bytes: string, at: number): Rune {
  const first = bytes.charCodeAt(at);
  if (Number.isNaN(first)) return none;
  if (first < 0x80) return { rune: first, size: 1 };
  if (first < 0xc2 || first > 0xf4) return bad;
  const size = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  let rune = first & (0xff >> (size + 1));
  for (let i = 1; i < size; i++) {
    const next = bytes.charCodeAt(at + i);
    if (!(next >= 0x80 && next <= 0xbf)) return bad;
    rune = (rune << 6) | (next & 0x3f);
  }
  const shortest = size === 2 ? 0x80 : size === 3 ? 0x800 : 0x10000;
  if (rune < shortest || rune > MAX_RUNE || (rune >= 0xd800 && rune <= 0xdfff)) return bad;
  return { rune, size };
}

/** The rune that ends just before `end`. */
export function decodeLastRune(bytes: string, end: number): Rune {
  if (end <= 0) return none;
  for (let start = end - 1; start >= 0 && start >= end - 4; start--) {
    const found = decodeRune(bytes, start);
    if (start + found.size === end && (found.rune !== RUNE_ERROR || found.size === 3 || start === end - 1)) {
      if (found.size > 1 || bytes.charCodeAt(start) < 0x80) return found;
    }
  }
  return bad;
}

/** Encodes one rune; what is no valid rune becomes U+FFFD. */
export function encodeRune(rune: number): string {
  const valid = rune >= 0 && rune <= MAX_RUNE && !(rune >= 0xd800 && rune <= 0xdfff);
  const r = valid ? rune : RUNE_ERROR;
  if (r < 0x80) return String.fromCharCode(r);
  if (r < 0x800) return String.fromCharCode(0xc0 | (r >> 6), 0x80 | (r & 0x3f));
  if (r < 0x10000) return String.fromCharCode(0xe0 | (r >> 12), 0x80 | ((r >> 6) & 0x3f), 0x80 | (r & 0x3f));
  return String.fromCharCode(
    0xf0 | (r >> 18),
    0x80 | ((r >> 12) & 0x3f),
    0x80 | ((r >> 6) & 0x3f),
    0x80 | (r & 0x3f),
  );
}

export function runeCount(bytes: string): number {
  if (isAscii(bytes)) return bytes.length;
  let count = 0;
  for (let i = 0; i < bytes.length; i += decodeRune(bytes, i).size) count++;
  return count;
}

const LETTER = /^\p{L}$/u;
const DIGIT = /^\p{Nd}$/u;
const PRINT = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u;

function isLetter(rune: number): boolean {
  if (rune < 0x80) return (rune >= 65 && rune <= 90) || (rune >= 97 && rune <= 122);
  return LETTER.test(String.fromCodePoint(rune));
}

function isDigit(rune: number): boolean {
  if (rune < 0x80) return rune >= 48 && rune <= 57;
  return DIGIT.test(String.fromCodePoint(rune));
}

/** Go's `unicode.IsPrint`: letters, marks, numbers, punctuation, symbols and the ASCII space. */
export function isPrint(rune: number): boolean {
  if (rune < 0x80) return rune >= 0x20 && rune < 0x7f;
  return PRINT.test(String.fromCodePoint(rune));
}

export const isAlphaNumeric = (rune: number): boolean => rune === 95 || isLetter(rune) || isDigit(rune);

const hex = (n: number, width: number): string => n.toString(16).toUpperCase().padStart(width, '0');

/** Go's `%#U`: `U+0041 'A'`. */
export function describeRune(rune: number): string {
  if (rune < 0) return `U+${hex(2 ** 32 + rune, 8).padStart(16, 'F')}`;
  return `U+${hex(rune, 4)}${isPrint(rune) ? ` '${encodeRune(rune)}'` : ''}`;
}
