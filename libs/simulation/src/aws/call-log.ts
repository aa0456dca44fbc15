import type { Instant } from '#kernel';

export interface LoggedCall {
  /** From 1, without gaps. */
  readonly seq: number;
  readonly at: Instant;
  readonly service: string;
  readonly account: string;
  readonly region: string;
  /** ARN of who called. */
  readonly principal: string;
  readonly action: string;
  /** False for Describe, Get, List, Head, Validate. */
  readonly mutating: boolean;
  /** Scalars and short lists; bodies and secrets are shortened to their length. */
  readonly params: Readonly<Record<string, unknown>>;
  readonly outcome: 'ok' | 'error';
  readonly result?: Readonly<Record<string, unknown>>;
  readonly error?: { readonly code: string; readonly message: string };
  /** The action took effect but the answer was cut off. */
  readonly replyDropped?: true;
}

export interface CallQuery {
  readonly service?: string;
  readonly action?: string;
  readonly account?: string;
  readonly region?: string;
  readonly mutating?: boolean;
  readonly outcome?: 'ok' | 'error';
  /** Only calls after this sequence number. */
  readonly since?: number;
}

/**
 * Append-only: the evidence that nothing was done twice. Mutating calls stay for ever; of the reading ones
 * the oldest go once there are more than `keptReads`, so that an estate can run for days.
 */
export class CallLog {
  private calls: LoggedCall[] = [];
  private reads = 0;
  private last = 0;
  private readonly listeners = new Set<(call: LoggedCall) => void>();

  constructor(private readonly keptReads = 50_000) {}

  append(call: Omit<LoggedCall, 'seq'>): LoggedCall {
    const entry: LoggedCall = { seq: ++this.last, ...call };
    this.calls.push(entry);
    if (!entry.mutating && ++this.reads > this.keptReads) this.forgetReads();
    for (const listener of this.listeners) listener(entry);
    return entry;
  }

  /** The last sequence number: the number of calls ever made. */
  get length(): number {
    return this.last;
  }

  query(query: CallQuery = {}): readonly LoggedCall[] {
    const { since = 0 } = query;
    return this.calls.filter((call) => call.seq > since && matches(call, query));
  }

  count(query: CallQuery = {}): number {
    return this.query(query).length;
  }

  onCall(listener: (call: LoggedCall) => void): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  /** Drops the older half of the reading calls. */
  private forgetReads(): void {
    let drop = Math.ceil(this.reads / 2);
    this.reads -= drop;
    this.calls = this.calls.filter((call) => call.mutating || drop-- <= 0);
  }
}

const KEYS = ['service', 'action', 'account', 'region', 'mutating', 'outcome'] as const;

const matches = (call: LoggedCall, query: CallQuery): boolean =>
  KEYS.every((key) => query[key] === undefined || query[key] === call[key]);

export const isMutating = (action: string): boolean =>
  !/^(Describe|Get|List|Head|Validate|Decrypt|Encrypt|AssumeRole)/.test(action);

const HIDDEN =
  /^(UserData|TemplateBody|Plaintext|CiphertextBlob|StackPolicyBody|Body|SecretAccessKey|SessionToken)$/;

/** Parameters as the log keeps them. */
export function summarise(value: unknown, depth = 0): unknown {
  if (typeof value === 'string')
    return value.length > 200 ? `${value.slice(0, 200)}… (${value.length})` : value;
  if (value instanceof Uint8Array) return `(${value.length} bytes)`;
  if (value === null || typeof value !== 'object') return value;
  if (depth > 5) return '…';
  if (Array.isArray(value)) return value.slice(0, 20).map((item) => summarise(item, depth + 1));
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [
      key,
      HIDDEN.test(key)
        ? `(hidden, ${typeof member === 'string' ? member.length : '?'})`
        : summarise(member, depth + 1),
    ]),
  );
}
