import type { Finding } from '#fleet';
import type { Reading } from './observation.js';

/** What one check has to say. */
export interface Verdict {
  readonly findings: readonly Finding[];
  /** What was seen when nothing is wrong. */
  readonly summary: string;
  /** Parts of the check that could not be judged, and why. */
  readonly unknown: readonly string[];
  /** Set where the cluster has nothing of the kind. */
  readonly notApplicable?: string;
}

export const verdict = (
  summary: string,
  findings: readonly Finding[],
  unknown: readonly string[] = [],
): Verdict => ({ summary, findings, unknown });

/** Judges what was read; what was not read makes the check unknown, whatever else it would say. */
export function judge<T>(reading: Reading<T>, judgement: (value: T) => Verdict): Verdict {
  switch (reading.state) {
    case 'read':
      return judgement(reading.value);
    case 'unknown':
      return verdict('', [], [reading.why]);
    case 'none':
      return { ...verdict('', []), notApplicable: reading.why };
  }
}

/** The value where it was read. For facts that only sharpen a judgement. */
export const known = <T>(reading: Reading<T>): T | undefined =>
  reading.state === 'read' ? reading.value : undefined;

/** `a, b and 3 more` */
export function some(names: readonly string[], most = 3): string {
  const rest = names.length - most;
  return rest > 0 ? `${names.slice(0, most).join(', ')} and ${rest} more` : names.join(', ');
}

export const plural = (count: number, one: string, many = `${one}s`): string =>
  `${count} ${count === 1 ? one : many}`;
