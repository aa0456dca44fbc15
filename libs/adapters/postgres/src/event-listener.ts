import pg from 'pg';
import { seconds } from '#kernel';
import { connectionSettings, type PoolOptions } from './database.js';

const CHANNEL = 'fairway_events';
const FIRST_RETRY = 200;

/**
 * One connection that listens for committed events, open while somebody is subscribed. When it breaks it comes back by
 * itself, and calls everybody then: what was committed meanwhile was not heard.
 */
export class EventListener {
  private readonly callbacks = new Set<() => void>();
  private client: pg.Client | undefined;
  private timer: NodeJS.Timeout | undefined;
  private retryAfter = FIRST_RETRY;
  private closed = false;

  constructor(private readonly options: PoolOptions) {}

  subscribe(callback: () => void): () => void {
    // A wrapper, so that one function may be subscribed twice.
    const entry = (): void => callback();
    this.callbacks.add(entry);
    if (this.callbacks.size === 1) void this.connect();
    return () => {
      this.callbacks.delete(entry);
      if (this.callbacks.size === 0) void this.disconnect();
    };
  }

  async close(): Promise<void> {
    this.closed = true;
    this.callbacks.clear();
    await this.disconnect();
  }

  private async connect(): Promise<void> {
    if (this.client || this.closed || this.callbacks.size === 0) return;
    const client = new pg.Client({ connectionString: this.options.url, ...connectionSettings(this.options) });
    this.client = client;
    client.on('notification', () => this.notify());
    // After an error the driver ends the connection; both must lead to one reconnect.
    client.on('error', () => this.lost(client));
    client.on('end', () => this.lost(client));
    try {
      await client.connect();
      await client.query(`LISTEN ${CHANNEL}`);
      this.retryAfter = FIRST_RETRY;
      if (this.client === client) this.notify();
    } catch {
      this.lost(client);
    }
  }

  private lost(client: pg.Client): void {
    if (this.client !== client) return;
    this.client = undefined;
    void client.end().catch(() => undefined);
    if (this.closed || this.callbacks.size === 0) return;
    this.timer = setTimeout(() => void this.connect(), this.retryAfter);
    this.timer.unref();
    this.retryAfter = Math.min(this.retryAfter * 2, seconds(10));
  }

  private async disconnect(): Promise<void> {
    clearTimeout(this.timer);
    const client = this.client;
    this.client = undefined;
    await client?.end().catch(() => undefined);
  }

  private notify(): void {
    for (const callback of this.callbacks) callback();
  }
}
