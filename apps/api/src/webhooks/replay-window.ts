import { minutes, sha256Hex, type Instant } from '#kernel';

const WINDOW = minutes(60);
const MOST = 10_000;

/**
 * Deliveries of the last hour. A repeated one is answered but rings nobody: most hosts sign no time, so a copy of a
 * delivery stays valid, and all it could do is to make us fetch.
 */
export class ReplayWindow {
  private readonly seen = new Map<string, Instant>();

  /** True for the first time within the window. */
  isNew(sender: string, deliveryId: string | undefined, body: Buffer, now: Instant): boolean {
    for (const [key, at] of this.seen) {
      if (now - at < WINDOW && this.seen.size <= MOST) break;
      this.seen.delete(key);
    }
    // The id is not signed where only the body is: both together make a delivery, and the body alone a copy of it.
    const key = sha256Hex(`${sender}\n${deliveryId === undefined ? '' : 'id'}\n${sha256Hex(body)}`);
    if (this.seen.has(key)) return false;
    this.seen.set(key, now);
    return true;
  }
}
