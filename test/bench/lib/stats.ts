/** Nearest-rank percentile of unsorted samples; NaN without samples. */
export function percentile(samples: readonly number[], rank: number): number {
  if (samples.length === 0) return Number.NaN;
  const sorted = [...samples].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil((rank / 100) * sorted.length) - 1)] as number;
}

export const median = (samples: readonly number[]): number => percentile(samples, 50);

/** Three significant digits are enough for a machine that others use as well. */
export const rounded = (value: number): number => (value === 0 ? 0 : Number(value.toPrecision(3)));
