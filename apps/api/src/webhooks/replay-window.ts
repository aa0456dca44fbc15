import { minutes, sha256Hex, type Instant } from '#kernel';

const WINDOW = minutes(10);
const MOST = 10_000;

/**
 * Bodies of the last minutes, by sender. A copy is answered but rings nobody: most hosts sign no time, so a recorded
 * delivery stays valid for ever, and all that is left of it afterwards is one fetch that changes nothing.
 */
export class ReplayWindow {
  private readonly seen = new Map<string, Instant>();

  /** True for the first time within the window. */
  isNew(sender: string, body: Buffer, now: Instant): boolean {
    for (const [key, at] of this.seen) {
      if (now - at < WINDOW && this.seen.size <= MOST) break;
      this.seen.delete(key);
    }
    const key = `${sender} ${sha256Hex(body)}`;
    if (this.seen.has(key)) return false;
    this.seen.set(key, now);
    return true;
  }
}
