import type { Duration } from '#kernel';

/** How often a kubelet renews its lease. */
const HEARTBEAT_MS = 10_000;

type Listener = (node: string) => void;

/**
 * When each kubelet was last heard of, worked out instead of written: a live kubelet costs nothing, so that a thousand nodes do
 * not make a storm of lease writes. A kubelet reports only when it falls silent and when it speaks again.
 */
export class Heartbeats {
  private readonly silentSince = new Map<string, number>();
  private readonly since = new Map<string, number>();
  private readonly listeners: Listener[] = [];

  onChange(listener: Listener): void {
    this.listeners.push(listener);
  }

  /** Times are those of the ProcessClock. */
  alive(node: string, now: number): void {
    if (this.since.has(node) && !this.silentSince.has(node)) return;
    this.since.set(node, now);
    this.silentSince.delete(node);
    this.tell(node);
  }

  silent(node: string, now: number): void {
    if (!this.since.has(node) || this.silentSince.has(node)) return;
    this.silentSince.set(node, now);
    this.tell(node);
  }

  forget(node: string): void {
    this.since.delete(node);
    this.silentSince.delete(node);
  }

  /** Since the last renewal of a lease; undefined for a node without a kubelet of ours: its lease is its own business. */
  silence(node: string, now: number): Duration | undefined {
    const since = this.since.get(node);
    if (since === undefined) return undefined;
    const until = this.silentSince.get(node) ?? now;
    return now - (since + Math.floor((until - since) / HEARTBEAT_MS) * HEARTBEAT_MS);
  }

  isSilent(node: string): boolean {
    return this.silentSince.has(node);
  }

  private tell(node: string): void {
    for (const listener of this.listeners) listener(node);
  }
}
