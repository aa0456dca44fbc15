import type { Complex } from './types.js';

const MAX_INT64 = 2n ** 63n - 1n;
const MIN_INT64 = -(2n ** 63n);
const MAX_UINT64 = 2n ** 64n - 1n;

/** Go's rule: an underscore stands between digits, or between a base prefix and a digit. */
function underscoresOk(digits: string): boolean {
  const body = digits.replace(/^[+-]/, '');
  const prefix = /^0[bBoOxX]/.test(body);
  const hex = /^0[xX]/.test(body);
  const isDigit = hex ? /[0-9a-fA-F]/ : /[0-9]/;
  let seen = prefix ? '0' : '^';
  for (const char of prefix ? body.slice(2) : body) {
    if (isDigit.test(char)) seen = '0';
    else if (char === '_') {
      if (seen !== '0') return false;
      seen = '_';
    } else {
      if (seen === '_') return false;
      seen = '!';
    }
  }
  return seen !== '_';
}

function parseDigits(text: string): bigint | undefined {
  if (text.includes('_') && !underscoresOk(text)) return undefined;
  const clean = text.replaceAll('_', '');
  if (/^0[xX][0-9a-fA-F]+$/.test(clean) || /^0[bB][01]+$/.test(clean) || /^0[oO][0-7]+$/.test(clean)) {
    return BigInt(clean.toLowerCase());
  }
  if (/^0[0-7]+$/.test(clean)) return BigInt(`0o${clean.slice(1)}`);
  return /^(0|[1-9][0-9]*)$/.test(clean) ? BigInt(clean) : undefined;
}

/** Go's `strconv.ParseUint(text, 0, 64)`. */
function parseUint(text: string): bigint | undefined {
  const value = parseDigits(text);
  return value !== undefined && value <= MAX_UINT64 ? value : undefined;
}

/** Go's `strconv.ParseInt(text, 0, 64)`. */
function parseInt64(text: string): bigint | undefined {
  const signed = /^[+-]/.test(text);
  const digits = parseDigits(signed ? text.slice(1) : text);
  if (digits === undefined) return undefined;
  const value = text.startsWith('-') ? -digits : digits;
  return value >= MIN_INT64 && value <= MAX_INT64 ? value : undefined;
}

/** The nearest double of `mantissa · 2^exponent`, ties to even. */
function scale(mantissa: bigint, exponent: number): number {
  const bits = mantissa.toString(2).length;
  // Keep 64 bits and a sticky one, so that the one rounding of Number() is the only rounding, save for subnormals.
  const drop = Math.max(0, bits - 64, -1074 - exponent - 1);
  let kept = mantissa >> BigInt(drop);
  if (kept << BigInt(drop) !== mantissa) kept |= 1n;
  let result = Number(kept);
  for (let rest = exponent + drop; rest !== 0;) {
    const part = Math.max(-1000, Math.min(1000, rest));
    result *= 2 ** part;
    rest -= part;
  }
  return result;
}

/** Go's `strconv.ParseFloat(text, 64)` for what the lexer lets through; undefined for bad syntax or a range error. */
function parseFloat64(text: string): number | undefined {
  if (text.includes('_') && !underscoresOk(text)) return undefined;
  const clean = text.replaceAll('_', '');
  const hex = /^([+-]?)0[xX]([0-9a-fA-F]*)(?:\.([0-9a-fA-F]*))?[pP]([+-]?\d+)$/.exec(clean);
  let value: number;
  if (hex) {
    const [, sign, whole = '', fraction = '', power = '0'] = hex;
    if (whole + fraction === '') return undefined;
    value =
      scale(BigInt(`0x${whole}${fraction}`), Number(power) - 4 * fraction.length) * (sign === '-' ? -1 : 1);
  } else {
    if (!/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(clean)) return undefined;
    value = Number(clean);
  }
  return Number.isFinite(value) ? value : undefined;
}

/** The types that hold a constant, in Go's way of untyped constants. */
export interface NumberForms {
  readonly int?: bigint;
  readonly uint?: bigint;
  readonly float?: number;
  readonly complex?: Complex;
}

function integralForms(value: number): Pick<NumberForms, 'int' | 'uint'> {
  if (!Number.isInteger(value)) return {};
  const exact = BigInt(value);
  return {
    ...(exact >= MIN_INT64 && exact <= MAX_INT64 && { int: exact }),
    ...(exact >= 0n && exact <= MAX_UINT64 && { uint: exact }),
  };
}

function complexForms(complex: Complex): NumberForms {
  return complex.im === 0 ? { complex, float: complex.re, ...integralForms(complex.re) } : { complex };
}

export const runeForms = (rune: number): NumberForms => ({
  int: BigInt(rune),
  uint: BigInt(rune),
  float: rune,
});

/** `1+2i`; undefined where Go cannot read it. */
export function complexConstant(text: string): NumberForms | undefined {
  const parts = /^([+-]?[0-9a-fA-FxXpP._]+(?:[eEpP][+-]?[0-9_]+)?)([+-].*)i$/.exec(text);
  const re = parts && parseComponent(parts[1] as string);
  const im = parts && parseComponent(parts[2] as string);
  return typeof re === 'number' && typeof im === 'number' ? complexForms({ re, im }) : undefined;
}

const parseComponent = (text: string): number | undefined => {
  const whole = parseInt64(text);
  return parseFloat64(text) ?? (whole === undefined ? undefined : Number(whole));
};

/** A number token; a string is the reason why it is none, in Go's words. */
export function numberConstant(text: string, quoted: string): NumberForms | string {
  if (text.endsWith('i')) {
    const im = parseFloat64(text.slice(0, -1));
    if (im !== undefined) return complexForms({ re: 0, im });
  }
  const uint = parseUint(text);
  const int = parseInt64(text);
  if (int !== undefined || uint !== undefined) {
    return {
      ...(int !== undefined && { int }),
      ...(uint !== undefined ? { uint } : int === 0n && { uint: 0n }),
      float: Number(int ?? uint),
    };
  }
  const float = parseFloat64(text);
  if (float === undefined) return `illegal number syntax: ${quoted}`;
  if (!/[.eEpP]/.test(text)) return `integer overflow: ${quoted}`;
  return { float, ...integralForms(float) };
}
