import type { Duration } from '#kernel';

/** How long what has ended is kept; undefined keeps it for ever. */
export interface RetentionPolicy {
  /** Events, and with them their settled deliveries. An event with a pending delivery stays. */
  readonly events?: Duration;
  /** Deliveries that were made or given up. */
  readonly deliveries?: Duration;
  /**
   * Finished updates with their intents, old versions of input locks, settled requests of people, and problems that are
   * resolved. Open updates, open problems, unsettled intents and the newest twenty updates of a cluster always stay.
   */
  readonly updates?: Duration;
}

/** Rows that were removed, by table. */
export type Removed = Readonly<Record<string, number>>;

/** Clears away what nobody needs any more. */
export interface RetentionPort {
  /** One bounded round; to be asked again soon where `more` says that rows are left. May run in several processes. */
  clear(policy: RetentionPolicy): Promise<{ readonly removed: Removed; readonly more: boolean }>;
}
