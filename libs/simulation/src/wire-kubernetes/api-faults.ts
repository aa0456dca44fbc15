/**
 * - `none` answers
 * - `unavailable` 503 with HTML: a load balancer without a healthy master behind it
 * - `closed` connections are cut
 * - `blackout` requests hang without an answer until the outage ends
 */
export type Outage = 'none' | 'unavailable' | 'closed' | 'blackout';

export interface CallMatch {
  readonly verb?: string;
  /** `pods`, `deployments.apps`. */
  readonly resource?: string;
  readonly subresource?: string;
  readonly namespace?: string;
  readonly name?: string;
  readonly user?: string;
}

export interface InjectedFailure {
  readonly match: CallMatch;
  /** HTTP status of the answer. Without it, `dropReply` must be set. */
  readonly status?: number;
  readonly reason?: string;
  readonly message?: string;
  readonly retryAfterSeconds?: number;
  /** The request is carried out, then the connection is cut before the answer. */
  readonly dropReply?: boolean;
  /** Body as a proxy in between would send it. */
  readonly html?: string;
}

export interface FaultedCall extends CallMatch {
  readonly verb: string;
}

const matches = (match: CallMatch, call: FaultedCall): boolean =>
  (['verb', 'resource', 'subresource', 'namespace', 'name', 'user'] as const).every(
    (part) => match[part] === undefined || match[part] === call[part],
  );

/** Trouble on demand, per cluster. Everything is off until switched on. */
export class ApiFaults {
  #outage: Outage = 'none';
  #planned: { readonly failure: InjectedFailure; left: number }[] = [];
  readonly #denials = new Set<CallMatch>();
  readonly #outageListeners = new Set<(outage: Outage) => void>();
  /** Added to every answer, in real milliseconds. */
  latencyMs = 0;

  get outage(): Outage {
    return this.#outage;
  }

  /** Watches that are open end when an outage begins. */
  set outage(outage: Outage) {
    if (outage === this.#outage) return;
    this.#outage = outage;
    const listeners = [...this.#outageListeners];
    for (const listener of listeners) listener(outage);
  }

  onOutage(listener: (outage: Outage) => void): () => void {
    this.#outageListeners.add(listener);
    return () => this.#outageListeners.delete(listener);
  }

  /** Fails the next `times` matching calls, oldest plan first. Returns the plan's removal. */
  failNext(failure: InjectedFailure, times = 1): () => void {
    const plan = { failure, left: times };
    this.#planned.push(plan);
    return () => {
      this.#planned = this.#planned.filter((other) => other !== plan);
    };
  }

  /** RBAC says no (403) until the returned function is called. */
  deny(match: CallMatch): () => void {
    this.#denials.add(match);
    return () => this.#denials.delete(match);
  }

  isDenied(call: FaultedCall): boolean {
    return [...this.#denials].some((match) => matches(match, call));
  }

  /** The failure for this call, used up by asking. */
  take(call: FaultedCall): InjectedFailure | undefined {
    const plan = this.#planned.find((one) => one.left > 0 && matches(one.failure.match, call));
    if (!plan) return undefined;
    plan.left -= 1;
    if (plan.left <= 0) this.#planned = this.#planned.filter((other) => other !== plan);
    return plan.failure;
  }

  /** Back to a healthy API. */
  clear(): void {
    this.#planned = [];
    this.#denials.clear();
    this.latencyMs = 0;
    this.outage = 'none';
  }
}
