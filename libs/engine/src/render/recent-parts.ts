/**
 * Values by digest, the least recently used dropped first. Both ends of the render thread keep one and do the same with it
 * in the same order, so that each knows what the other still has.
 */
export class RecentParts<T> {
  private readonly entries = new Map<string, { readonly value: T; readonly bytes: number }>();
  private bytes = 0;

  constructor(private readonly maxBytes: number) {}

  get(id: string): T | undefined {
    const found = this.entries.get(id);
    if (!found) return undefined;
    this.entries.delete(id);
    this.entries.set(id, found);
    return found.value;
  }

  add(id: string, value: T, bytes: number): void {
    this.bytes += bytes - (this.entries.get(id)?.bytes ?? 0);
    this.entries.delete(id);
    this.entries.set(id, { value, bytes });
    for (const [oldest, entry] of this.entries) {
      if (this.bytes <= this.maxBytes) return;
      this.entries.delete(oldest);
      this.bytes -= entry.bytes;
    }
  }
}

/** Bytes of JSON of components that both ends keep. */
export const KEPT_COMPONENT_BYTES = 24 * 1024 * 1024;
