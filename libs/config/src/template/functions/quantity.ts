import { callError } from '../errors.js';

type QuantityFormat = 'DecimalSI' | 'BinarySI' | 'DecimalExponent' | '';

/**
 * A Kubernetes quantity: an exact number with at most nine decimals, and the notation that it prints in.
 * Source: Kubernetes `k8s.io/apimachinery/pkg/api/resource`, documentation of Quantity.
 */
export interface Quantity {
  /** In billionths. */
  readonly nano: bigint;
  readonly format: QuantityFormat;
  /** Whether Kubernetes takes the text for a whole number; it does not look through decimals or very large binary ones. */
  readonly whole: boolean;
}

const NANO = 1_000_000_000n;
const MAX = (2n ** 63n - 1n) * NANO;
const DECIMAL = ['n', 'u', 'm', '', 'k', 'M', 'G', 'T', 'P', 'E'] as const;
const BINARY = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'] as const;
const WRONG = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";

interface Suffix {
  readonly base: 2 | 10;
  readonly exponent: number;
  readonly format: QuantityFormat;
}

function suffixOf(text: string): Suffix | undefined {
  const binary = BINARY.indexOf(text as (typeof BINARY)[number]);
  if (binary > 0) return { base: 2, exponent: 10 * binary, format: 'BinarySI' };
  const decimal = DECIMAL.indexOf(text as (typeof DECIMAL)[number]);
  if (decimal >= 0) return { base: 10, exponent: 3 * (decimal - 3), format: 'DecimalSI' };
  const power = /^[eE]([+-]?\d{1,4})$/.exec(text);
  return power ? { base: 10, exponent: Number(power[1]), format: 'DecimalExponent' } : undefined;
}

/** What takes longer to read than any quantity is none. */
const LONGEST = 1_000;

const divideUp = (value: bigint, by: bigint): bigint => (value + by - 1n) / by;

export function parseQuantity(text: string): Quantity {
  if (text.length > LONGEST) return callError(WRONG);
  const parts = /^([+-]?)(\d*)(?:\.(\d*))?([eEinumkKMGTP]*[-+]?\d*)$/.exec(text);
  const [, sign = '', digits = '', decimals = '', tail = ''] = parts ?? [];
  if (!parts || digits + decimals === '') return callError(WRONG);
  const suffix = suffixOf(tail);
  if (!suffix) return callError("unable to parse quantity's suffix");
  const number = BigInt(digits + decimals);
  const significant = digits.replace(/^0+(?=\d)/, '').length;
  const { base, exponent, format } = suffix;
  const up = base === 2 ? 2n ** BigInt(exponent) : 10n ** BigInt(Math.max(0, exponent));
  const down = 10n ** BigInt(decimals.length + (base === 10 ? Math.max(0, -exponent) : 0));
  const nano = divideUp(number * up * NANO, down);
  const capped = nano > MAX ? MAX : nano;
  const room =
    base === 10 ? 18 - significant - decimals.length : 15 - significant - Math.trunc((exponent * 3) / 10) - 1;
  const whole = room >= 0 && (base === 2 ? decimals === '' : exponent - decimals.length >= 0);
  return { nano: sign === '-' ? -capped : capped, format, whole };
}

function decimalText(nano: bigint, format: QuantityFormat): string {
  let mantissa = nano;
  let exponent = -9;
  while (mantissa % 1000n === 0n) {
    mantissa /= 1000n;
    exponent += 3;
  }
  if (format === 'DecimalExponent') return exponent === 0 ? `${mantissa}` : `${mantissa}e${exponent}`;
  while (exponent > 18) {
    mantissa *= 1000n;
    exponent -= 3;
  }
  return `${mantissa}${DECIMAL[exponent / 3 + 3]}`;
}

export function formatQuantity({ nano, format }: Quantity): string {
  if (nano === 0n) return '0';
  const small = nano > -1024n * NANO && nano < 1024n * NANO;
  if (format !== 'BinarySI' || small || nano % NANO !== 0n) {
    return decimalText(nano, format === 'DecimalExponent' ? format : 'DecimalSI');
  }
  let mantissa = nano / NANO;
  let power = 0;
  while (mantissa % 1024n === 0n && power < BINARY.length - 1) {
    mantissa /= 1024n;
    power++;
  }
  return `${mantissa}${BINARY[power]}`;
}

export const addQuantities = (a: Quantity, b: Quantity): Quantity => ({
  nano: a.nano + b.nano,
  format: a.nano === 0n ? b.format : a.format,
  whole: a.whole && b.whole,
});

export const NO_QUANTITY: Quantity = { nano: 0n, format: '', whole: true };

const awayFromZero = (value: bigint, by: bigint): bigint =>
  value < 0n ? -divideUp(-value, by) : divideUp(value, by);

/** Whole units, rounded away from zero. */
export const valueOf = (quantity: Quantity): bigint => awayFromZero(quantity.nano, NANO);
const milliOf = (quantity: Quantity): bigint => awayFromZero(quantity.nano, 1_000_000n);

/** Product in 32-bit floating point, cut to an integer, as Go computes it. */
const scaled = (value: bigint, factor: number): bigint =>
  BigInt(Math.trunc(Math.fround(Math.fround(Number(value)) * Math.fround(factor))));

/** Small decimal quantities (CPU) are scaled in thousandths, others in whole units. */
export function scaleQuantity(quantity: Quantity, factor: number): Quantity {
  const milli = quantity.format === 'DecimalSI' && valueOf(quantity) < 1024n;
  const nano = milli
    ? scaled(milliOf(quantity), factor) * 1_000_000n
    : scaled(valueOf(quantity), factor) * NANO;
  return { ...quantity, nano };
}

export const wholeQuantity = (value: bigint): Quantity => ({
  nano: value * NANO,
  format: 'BinarySI',
  whole: true,
});
