/** Milliseconds since 1970-01-01T00:00:00Z. */
export type Instant = number & { readonly __brand?: 'Instant' };

/** A length of time in milliseconds. Made by the functions below, never a bare number in the code. */
export type Duration = number & { readonly __brand?: 'Duration' };

export const milliseconds = (n: number): Duration => n;
export const seconds = (n: number): Duration => n * 1000;
export const minutes = (n: number): Duration => n * 60_000;
export const hours = (n: number): Duration => n * 3_600_000;
export const days = (n: number): Duration => n * 86_400_000;

/** The only way to read time. Real in the apps, virtual in simulations. */
export interface Clock {
  now(): Instant;
}

export const systemClock: Clock = { now: () => Date.now() };

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Parses `90s`, `2h`, `1h30m`, `500ms`, `3d`. Returns undefined where the text is no duration. */
export function parseDuration(text: string): Duration | undefined {
  if (!/^(\d+(\.\d+)?(ms|s|m|h|d))+$/.test(text)) return undefined;
  let total = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)) {
    total += Number(amount) * (UNITS[unit as string] as number);
  }
  return total;
}

/** `1h30m`, `45s`, `0s`: the two largest units, for people. */
export function formatDuration(duration: Duration): string {
  const parts: string[] = [];
  let rest = Math.max(0, Math.round(duration / 1000));
  for (const [unit, size] of [
    ['d', 86_400],
    ['h', 3600],
    ['m', 60],
    ['s', 1],
  ] as const) {
    const amount = Math.floor(rest / size);
    rest -= amount * size;
    if (amount > 0) parts.push(`${amount}${unit}`);
  }
  return parts.slice(0, 2).join('') || '0s';
}

export const toIso = (instant: Instant): string => new Date(instant).toISOString();
