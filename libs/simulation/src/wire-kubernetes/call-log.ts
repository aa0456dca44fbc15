/** One request that reached a simulated API server. */
export interface CallRecord {
  /** Counts from 1 without gaps, in the order of answers. */
  readonly seq: number;
  /** Time of the simulated world, milliseconds since 1970. */
  readonly at: number;
  readonly cluster: string;
  /** get, list, watch, create, update, patch, delete, deletecollection; `raw` for paths that are no resource. */
  readonly verb: string;
  /** `pods`, `deployments.apps`; the path for `raw`. */
  readonly resource: string;
  readonly subresource?: string;
  readonly namespace?: string;
  readonly name?: string;
  readonly user?: string;
  /** Field manager of a write. */
  readonly manager?: string;
  readonly userAgent?: string;
  readonly dryRun: boolean;
  /** HTTP status; 0 when the connection was cut instead of an answer. */
  readonly code: number;
}

const KEPT = 200_000;

/** Append-only. Only the newest 200,000 calls are kept in memory; `seq` goes on. */
export class CallLog {
  #calls: CallRecord[] = [];
  #seq = 0;
  readonly #listeners = new Set<(call: CallRecord) => void>();

  get entries(): readonly CallRecord[] {
    return this.#calls;
  }

  append(call: Omit<CallRecord, 'seq'>): CallRecord {
    const record = { seq: (this.#seq += 1), ...call };
    this.#calls.push(record);
    if (this.#calls.length > KEPT * 1.1) this.#calls = this.#calls.slice(-KEPT);
    const listeners = [...this.#listeners];
    for (const listener of listeners) listener(record);
    return record;
  }

  /** Returns the end of the subscription. */
  subscribe(listener: (call: CallRecord) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
