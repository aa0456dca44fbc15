import type { Failure, Instant } from '#kernel';

export type Severity = 'info' | 'warning' | 'error' | 'critical';

/** Typed, deduplicated trouble shown to people (RFC 9457 shape plus first and last seen). */
export interface Problem {
  /** URI reference, `https://fairway.dev/problems/<code>`. */
  readonly type: string;
  readonly title: string;
  readonly status?: number;
  readonly detail?: string;
  /** What it is about: `cluster/<id>`, `channel/<name>`, `repository/<url>` … */
  readonly instance?: string;
  readonly hint?: string;
  readonly severity: Severity;
  readonly firstSeen?: Instant;
  readonly lastSeen?: Instant;
}

export const problemType = (code: string): string => `https://fairway.dev/problems/${code}`;

/** A failure as people see it. Code and text make its identity; times do not. */
export function problemOf(failure: Failure, instance: string, severity: Severity = 'error'): Problem {
  const place = failure.place;
  const where = place?.file
    ? `${place.file}${place.line ? `:${place.line}${place.column ? `:${place.column}` : ''}` : ''}: `
    : '';
  return {
    type: problemType(failure.code),
    title: failure.code.replaceAll('-', ' '),
    detail: `${where}${failure.message}`,
    instance,
    severity,
    ...(failure.hint !== undefined && { hint: failure.hint }),
  };
}
