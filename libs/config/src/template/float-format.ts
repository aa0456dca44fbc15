/** Decimal digits of a finite, non-negative number: value = 0.DIGITS × 10^point. */
interface Decimal {
  readonly digits: string;
  readonly point: number;
}

const buffer = new DataView(new ArrayBuffer(8));

/** Mantissa and binary exponent: value = mantissa × 2^exponent, exactly. */
function decompose(value: number): { readonly mantissa: bigint; readonly exponent: number } {
  buffer.setFloat64(0, value);
  const bits = buffer.getBigUint64(0);
  const biased = Number((bits >> 52n) & 0x7ffn);
  const fraction = bits & 0xfffffffffffffn;
  return biased === 0
    ? { mantissa: fraction, exponent: -1074 }
    : { mantissa: fraction | 0x10000000000000n, exponent: biased - 1075 };
}

/** All digits that the binary value has. */
function exactDecimal(value: number): Decimal {
  if (value === 0) return { digits: '', point: 0 };
  const { mantissa, exponent } = decompose(value);
  // mantissa × 2^-n = mantissa × 5^n / 10^n
  const whole = exponent >= 0 ? mantissa << BigInt(exponent) : mantissa * 5n ** BigInt(-exponent);
  const text = whole.toString();
  const point = text.length + Math.min(0, exponent);
  return { digits: text.replace(/0+$/, ''), point };
}

/** The fewest digits that read back as the same number (of 32 or 64 bits). */
function shortestDecimal(value: number, bits: 32 | 64): Decimal {
  if (value === 0) return { digits: '', point: 0 };
  let text = value.toExponential();
  if (bits === 32) {
    for (let digits = 0; digits <= 9; digits++) {
      text = value.toExponential(digits);
      if (Math.fround(Number(text)) === value) break;
    }
  }
  const [mantissa = '', exponent = '0'] = text.split('e');
  return { digits: mantissa.replace('.', '').replace(/0+$/, ''), point: Number(exponent) + 1 };
}

/** Rounds to `count` digits, ties to even. */
function round(decimal: Decimal, count: number): Decimal {
  const { digits, point } = decimal;
  if (count < 0) return { digits: '', point: 0 };
  if (count >= digits.length) return decimal;
  const next = digits.charCodeAt(count) - 48;
  const tie = next === 5 && count + 1 === digits.length;
  const odd = count > 0 && (digits.charCodeAt(count - 1) - 48) % 2 === 1;
  const kept = digits.slice(0, count);
  if (tie ? !odd : next < 5) return trimmed(kept, point);
  let at = kept.length - 1;
  while (at >= 0 && kept[at] === '9') at--;
  if (at < 0) return { digits: '1', point: point + 1 };
  return { digits: kept.slice(0, at) + String(Number(kept[at]) + 1), point };
}

const trimmed = (digits: string, point: number): Decimal => {
  const rest = digits.replace(/0+$/, '');
  return { digits: rest, point: rest ? point : 0 };
};

function scientific(decimal: Decimal, precision: number, letter: string): string {
  const { digits } = decimal;
  const exponent = digits === '' ? 0 : decimal.point - 1;
  const head = digits[0] ?? '0';
  const tail = precision > 0 ? `.${digits.slice(1, precision + 1).padEnd(precision, '0')}` : '';
  const size = Math.abs(exponent).toString().padStart(2, '0');
  return `${head}${tail}${letter}${exponent < 0 ? '-' : '+'}${size}`;
}

function fixed(decimal: Decimal, precision: number): string {
  const { digits, point } = decimal;
  const whole = point > 0 ? digits.slice(0, point).padEnd(point, '0') : '0';
  if (precision <= 0) return whole;
  const fraction = point >= 0 ? digits.slice(point) : '0'.repeat(-point) + digits;
  return `${whole}.${fraction.slice(0, precision).padEnd(precision, '0')}`;
}

function general(value: number, precision: number, bits: 32 | 64, letter: string): string {
  const shortest = precision < 0;
  const wanted = shortest ? 6 : Math.max(precision, 1);
  const decimal = shortest ? shortestDecimal(value, bits) : round(exactDecimal(value), wanted);
  const count = decimal.digits.length;
  let limit = wanted;
  if (limit > count && count >= decimal.point) limit = count;
  if (shortest) limit = 6;
  const exponent = decimal.point - 1;
  if (exponent < -4 || exponent >= limit) {
    return scientific(decimal, (shortest ? count : Math.min(wanted, count)) - 1, letter);
  }
  return fixed(decimal, Math.max(count - decimal.point, 0));
}

function binary(value: number, bits: 32 | 64): string {
  const { mantissa, exponent } = decompose(value);
  if (bits === 64) return `${mantissa}p${exponent < 0 ? '' : '+'}${exponent}`;
  const field = new DataView(new ArrayBuffer(4));
  field.setFloat32(0, value);
  const raw = field.getUint32(0);
  const biased = (raw >>> 23) & 0xff;
  const fraction = raw & 0x7fffff;
  const power = (biased === 0 ? 1 : biased) - 150;
  return `${biased === 0 ? fraction : fraction | 0x800000}p${power < 0 ? '' : '+'}${power}`;
}

function hexadecimal(value: number, precision: number, upper: boolean): string {
  let { mantissa, exponent } = decompose(value);
  if (mantissa === 0n) exponent = 0;
  else {
    while (!(mantissa & (1n << 60n))) {
      mantissa <<= 1n;
      exponent--;
    }
    exponent += 60;
  }
  if (precision >= 0 && precision < 15) {
    const extra = (mantissa << BigInt(precision * 4)) & ((1n << 60n) - 1n);
    mantissa >>= 60n - BigInt(precision * 4);
    if ((extra | (mantissa & 1n)) > 1n << 59n) mantissa++;
    mantissa <<= 60n - BigInt(precision * 4);
    if (mantissa & (1n << 61n)) {
      mantissa >>= 1n;
      exponent++;
    }
  }
  const lead = mantissa >> 60n;
  let fraction = (mantissa & ((1n << 60n) - 1n)).toString(16).padStart(15, '0');
  fraction =
    precision < 0 ? fraction.replace(/0+$/, '') : fraction.slice(0, precision).padEnd(precision, '0');
  const size = Math.abs(exponent).toString().padStart(2, '0');
  const text = `0x${lead}${fraction ? `.${fraction}` : ''}p${exponent < 0 ? '-' : '+'}${size}`;
  return upper ? text.toUpperCase() : text;
}

/**
 * Go's `strconv.FormatFloat`. Precision −1 is the fewest digits that read back as the same number.
 * Forms: `e E` scientific, `f` fixed, `g G` whichever is shorter, `b` binary exponent, `x X` hexadecimal.
 */
export function formatFloat(value: number, form: string, precision: number, bits: 32 | 64): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  const sign = value < 0 || Object.is(value, -0) ? '-' : '';
  const size = Math.abs(value);
  switch (form) {
    case 'e':
    case 'E': {
      const decimal = precision < 0 ? shortestDecimal(size, bits) : round(exactDecimal(size), precision + 1);
      return (
        sign + scientific(decimal, precision < 0 ? Math.max(decimal.digits.length - 1, 0) : precision, form)
      );
    }
    case 'f': {
      if (precision < 0) {
        const decimal = shortestDecimal(size, bits);
        return sign + fixed(decimal, Math.max(decimal.digits.length - decimal.point, 0));
      }
      const exact = exactDecimal(size);
      return sign + fixed(round(exact, exact.point + precision), precision);
    }
    case 'b':
      return sign + binary(size, bits);
    case 'x':
    case 'X':
      return sign + hexadecimal(size, precision, form === 'X');
    default:
      return sign + general(size, precision, bits, form === 'G' ? 'E' : 'e');
  }
}
