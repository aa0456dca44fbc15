/** The part of `meta/v1 Status` that decisions need. Source: Kubernetes API conventions, "Response Status Kind". */
export interface ApiStatus {
  readonly message: string;
  readonly reason: string;
  readonly name?: string;
  readonly group?: string;
  readonly kind?: string;
  readonly causes: readonly { readonly type: string; readonly message: string; readonly field?: string }[];
  readonly retryAfterSeconds?: number;
}

/** An answer of the API server, or of something that stands in front of it. Header names in lower case. */
export interface ApiAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: string;
}

/** Undefined where the body is no `Status`: then a proxy, a load balancer or a wrong address spoke. */
export function parseStatus(body: string): ApiStatus | undefined {
  const parsed = parseJson(body);
  if (!isRecord(parsed) || parsed['kind'] !== 'Status') return undefined;
  const details = isRecord(parsed['details']) ? parsed['details'] : {};
  const causes = Array.isArray(details['causes']) ? details['causes'].filter(isRecord) : [];
  return {
    message: text(parsed['message']),
    reason: text(parsed['reason']),
    causes: causes.map((cause) => ({
      type: text(cause['reason']),
      message: text(cause['message']),
      ...(typeof cause['field'] === 'string' && { field: cause['field'] }),
    })),
    ...(typeof details['name'] === 'string' && { name: details['name'] }),
    ...(typeof details['group'] === 'string' && { group: details['group'] }),
    ...(typeof details['kind'] === 'string' && { kind: details['kind'] }),
    ...(typeof details['retryAfterSeconds'] === 'number' && {
      retryAfterSeconds: details['retryAfterSeconds'],
    }),
  };
}

/** Milliseconds that the answer asks to wait: the body's word first, then `Retry-After` in seconds or as a date. */
export function retryAfterMs(answer: ApiAnswer, now: number = Date.now()): number | undefined {
  const inBody = parseStatus(answer.body)?.retryAfterSeconds;
  if (inBody !== undefined && inBody > 0) return inBody * 1000;
  const raw = answer.headers['retry-after'];
  const header = typeof raw === 'string' ? raw.trim() : undefined;
  if (header === undefined || header === '') return undefined;
  if (/^\d+(\.\d+)?$/.test(header)) return Number(header) * 1000;
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}

/** What a body that is no `Status` says, short enough for a message: the title of an HTML page, or its first words. */
export function excerpt(body: string): string {
  const title = /<title>([^<]{1,200})<\/title>/i.exec(body)?.[1];
  const plain = (title ?? body.slice(0, 2000).replace(/<[^>]*>/g, ' ')).replace(/\s+/g, ' ').trim();
  return plain.length > 160 ? `${plain.slice(0, 160)}…` : plain;
}

export function parseJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const text = (value: unknown): string => (typeof value === 'string' ? value : '');
