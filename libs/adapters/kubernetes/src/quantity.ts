const SCALE: Readonly<Record<string, number>> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

/** A Kubernetes quantity (`250m`, `1.5Gi`, `2e3`, `4`) as a number of its base unit; undefined where it is none. */
export function parseQuantity(quantity: unknown): number | undefined {
  if (typeof quantity === 'number') return Number.isFinite(quantity) ? quantity : undefined;
  if (typeof quantity !== 'string') return undefined;
  const match = /^([+-]?(?:\d+\.?\d*|\.\d+))(?:([eE][+-]?\d+)|([numkMGTPE]|[KMGTPE]i)?)$/.exec(
    quantity.trim(),
  );
  if (!match) return undefined;
  const scale = SCALE[match[3] ?? ''];
  return scale === undefined ? undefined : Number(`${match[1]}${match[2] ?? ''}`) * scale;
}

/** CPU as millicores, rounded up as the scheduler does. */
export const cpuMillis = (quantity: unknown): number =>
  Math.ceil(round((parseQuantity(quantity) ?? 0) * 1000));

/** Bytes, rounded up. */
export const bytes = (quantity: unknown): number => Math.ceil(round(parseQuantity(quantity) ?? 0));

/** Takes the dust of binary fractions away, so that `0.1` is 100 millicores and not 101. */
const round = (value: number): number => Number(value.toPrecision(15));
