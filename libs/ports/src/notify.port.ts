import type { Duration, Instant } from '#kernel';
import type { StoredEvent } from '#fleet';

/** One event on its way to one receiver. */
export interface Delivery {
  readonly id: string;
  /** Name of the configured route, e.g. `slack`. */
  readonly route: string;
  readonly event: StoredEvent;
  readonly attempt: number;
  readonly dueAt: Instant;
}

export type DeliveryResult =
  | { readonly kind: 'delivered'; readonly status: number }
  | { readonly kind: 'retry'; readonly reason: string; readonly after?: Duration }
  /** 410: the receiver is gone; the route is disabled. */
  | { readonly kind: 'disable'; readonly reason: string }
  | { readonly kind: 'dead'; readonly reason: string };

/** The outbox: rows are written by the stores in the transaction of the state change, ordered per (route, subject). */
export interface OutboxPort {
  /** Claims due deliveries for `claimFor`; within one route and subject only the oldest undelivered is handed out. */
  claim(now: Instant, limit: number, claimFor: Duration): Promise<readonly Delivery[]>;
  settle(id: string, result: DeliveryResult, now: Instant): Promise<void>;
  /** Events after `afterId`, oldest first, for SSE replay and `events --follow`. */
  eventsAfter(
    afterId: number,
    limit: number,
    filter?: { readonly channel?: string; readonly clusterId?: string },
  ): Promise<readonly StoredEvent[]>;
  lastEventId(): Promise<number>;
  /** Calls back soon after events are committed (LISTEN/NOTIFY); a hint only. Returns the way to stop. */
  onCommitted(callback: () => void): () => void;
}

/** Sends one delivery to its receiver. Never throws for what the receiver answers. */
export interface NotifierPort {
  deliver(delivery: Delivery): Promise<DeliveryResult>;
}
