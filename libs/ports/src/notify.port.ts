import type { Duration, Instant } from '#kernel';
import type { FleetEvent, StoredEvent } from '#fleet';

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

export interface EventFilter {
  readonly channel?: string;
  readonly clusterId?: string;
}

/** The outbox: rows are written by the stores in the transaction of the state change, ordered per (route, subject). */
export interface OutboxPort {
  /** Claims due deliveries for `claimFor`; within one route and subject only the oldest undelivered is handed out. */
  claim(now: Instant, limit: number, claimFor: Duration): Promise<readonly Delivery[]>;
  /** Claims also what comes after these deliveries of one route, of the same subjects, as far as it is due: for a digest. */
  claimFollowers(
    claimed: readonly Delivery[],
    now: Instant,
    limit: number,
    claimFor: Duration,
  ): Promise<readonly Delivery[]>;
  settle(id: string, result: DeliveryResult, now: Instant): Promise<void>;
  /** Trouble that came and went, and has kept still since, is told of once more. Returns how many deliveries follow. */
  settleQuiet(now: Instant): Promise<number>;
  /** Events after `afterId`, oldest first, for SSE replay and `events --follow`. */
  eventsAfter(afterId: number, limit: number, filter?: EventFilter): Promise<readonly StoredEvent[]>;
  /** The last events, oldest first, for whoever asks what happened. */
  newestEvents(limit: number, filter?: EventFilter): Promise<readonly StoredEvent[]>;
  lastEventId(): Promise<number>;
  /** Calls back soon after events are committed (LISTEN/NOTIFY); a hint only. Returns the way to stop. */
  onCommitted(callback: () => void): () => void;
}

/** Sends one delivery to its receiver. Never throws for what the receiver answers. */
export interface NotifierPort {
  deliver(delivery: Delivery): Promise<DeliveryResult>;
  /** One message for many deliveries of one route that people read, in the order of their events. */
  deliverDigest(deliveries: readonly Delivery[]): Promise<DeliveryResult>;
}

/** One delivery as the log shows it. */
export interface RecordedDelivery {
  /** `<event id>.<route>` */
  readonly id: string;
  readonly route: string;
  readonly eventId: number;
  readonly type: string;
  readonly subject: string;
  readonly message: string;
  readonly state: 'pending' | 'delivered' | 'dead';
  readonly attempt: number;
  readonly dueAt: Instant;
  readonly settledAt?: Instant;
  readonly status?: number;
  readonly reason?: string;
}

export interface RouteState {
  readonly name: string;
  readonly pending: number;
  readonly dead: number;
  /** Set when the receiver said that it is gone. */
  readonly disabledAt?: Instant;
  readonly disabledReason?: string;
}

/** What was sent to whom, what never arrived, and sending it again. */
export interface DeliveryLogPort {
  /** Newest first. */
  deliveries(
    filter: { readonly state?: RecordedDelivery['state']; readonly route?: string },
    limit: number,
  ): Promise<readonly RecordedDelivery[]>;
  /** Routes that were disabled or have something that is not delivered. */
  routes(): Promise<readonly RouteState[]>;
  /** One delivery, or all dead ones of a route (which is enabled again). Returns how many will be sent. `not-found`. */
  replay(what: { readonly id: string } | { readonly route: string }, now: Instant): Promise<number>;
  /** Appends an event with its deliveries, e.g. a test of the routes. */
  publish(event: FleetEvent): Promise<void>;
}

/** Messages at receivers that later ones belong to, e.g. Slack's parent of a thread. */
export interface NotificationThreads {
  recall(route: string, key: string): Promise<Readonly<Record<string, unknown>> | undefined>;
  remember(
    route: string,
    key: string,
    reference: Readonly<Record<string, unknown>>,
    now: Instant,
  ): Promise<void>;
}
