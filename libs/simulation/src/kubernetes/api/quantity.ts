const BINARY = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'] as const;
const DECIMAL: readonly (readonly [string, number])[] = [
  ['n', -9],
  ['u', -6],
  ['m', -3],
  ['', 0],
  ['k', 3],
  ['M', 6],
  ['G', 9],
  ['T', 12],
  ['P', 15],
  ['E', 18],
];

interface ParsedQuantity {
  /** In units of 10⁻⁹. */
  readonly nanos: bigint;
  readonly binary: boolean;
}

function parse(text: string): ParsedQuantity | undefined {
  const match = /^([+-]?)(\d+)?(?:\.(\d*))?(?:([KMGTPE]i)|([numkMGTPE])|[eE]([+-]?\d+))?$/.exec(text);
  if (!match || (match[2] === undefined && !match[3])) return undefined;
  const fraction = match[3] ?? '';
  const digits = BigInt((match[2] ?? '0') + fraction);
  const binaryPower = match[4] ? BINARY.indexOf(match[4] as (typeof BINARY)[number]) : 0;
  const decimalPower = match[5]
    ? (DECIMAL.find(([suffix]) => suffix === match[5])?.[1] ?? 0)
    : Number(match[6] ?? 0);
  const exponent = 9 + decimalPower - fraction.length;
  let nanos = digits * 1024n ** BigInt(binaryPower);
  if (exponent >= 0) nanos *= 10n ** BigInt(exponent);
  else nanos = -(-nanos / 10n ** BigInt(-exponent)); // rounds up, as the server does below nano
  return { nanos: match[1] === '-' ? -nanos : nanos, binary: match[4] !== undefined };
}

/** The value in base units (cores, bytes, items); undefined where the text is no quantity. */
export function quantityValue(text: string): number | undefined {
  const parsed = parse(text);
  return parsed && Number(parsed.nanos) / 1e9;
}

/** The text that the server stores: `1000m` → `1`, `0.5` → `500m`, `1024Mi` → `1Gi`. Undefined for what is no quantity. */
export function canonicalQuantity(input: string | number): string | undefined {
  const parsed = parse(String(input));
  if (!parsed) return undefined;
  const { nanos, binary } = parsed;
  if (nanos === 0n) return '0';
  if (binary && nanos % 1_000_000_000n === 0n) return canonicalBinary(nanos / 1_000_000_000n);
  for (const [suffix, power] of [...DECIMAL].reverse()) {
    const unit = 10n ** BigInt(power + 9);
    if (nanos % unit === 0n) return `${nanos / unit}${suffix}`;
  }
  return `${nanos}n`;
}

function canonicalBinary(value: bigint): string {
  let power = 0;
  let rest = value;
  while (power < BINARY.length - 1 && rest % 1024n === 0n) {
    rest /= 1024n;
    power += 1;
  }
  return `${rest}${BINARY[power]}`;
}
