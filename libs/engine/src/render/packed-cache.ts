import { createHash } from 'node:crypto';
import { deserialize, serialize } from 'node:v8';
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { createRenderCache, type RenderCache } from '#config';

/** Of the bytes: for what cannot be packed (parsed templates), and for what was unpacked last. */
const LIVE_SHARE = 0.25;
/** Longer bodies are compressed. */
const DEFLATE_FROM = 4 * 1024;
const FASTEST = { level: 1 } as const;
/** About, of an entry or a body beside its key and bytes. */
const OVERHEAD = 256;
/** One value takes no more than this part of the room, so that a huge one does not cost all others theirs. */
const LARGEST_SHARE = 1 / 8;

interface Body {
  readonly digest: string;
  readonly bytes: Uint8Array;
  readonly deflated: boolean;
  /** Keys that name it. */
  keys: number;
}

/**
 * A cache for many clusters: plain data is kept as bytes outside the JavaScript heap, and once for all keys under which it is
 * the same. Bounded in bytes, keys and bodies together; the least recently used key goes first. What is read again soon
 * is the same object again; later it is an equal one.
 */
export class PackedCache implements RenderCache {
  private readonly live: RenderCache;
  private readonly room: number;
  private readonly entries = new Map<string, Body>();
  private readonly bodies = new Map<string, Body>();
  private used = 0;

  constructor(maxBytes: number) {
    this.live = createRenderCache(undefined, maxBytes * LIVE_SHARE);
    this.room = maxBytes * (1 - LIVE_SHARE);
  }

  /** Bytes, about, of what is packed. */
  get packedBytes(): number {
    return this.used;
  }

  get(key: string): unknown {
    const body = this.entries.get(key);
    if (!body) return this.live.get(key);
    this.entries.delete(key);
    this.entries.set(key, body);
    const known = this.live.get(body.digest);
    if (known !== undefined) return known;
    const bytes = body.deflated ? inflateRawSync(body.bytes) : body.bytes;
    const value: unknown = deserialize(bytes);
    this.live.set(body.digest, value, LIVE_COST * bytes.length);
    return value;
  }

  set(key: string, value: unknown, bytes?: number, copyable = false): void {
    this.drop(key);
    if (!copyable) {
      this.live.set(key, value, bytes);
      return;
    }
    const serialized = serialize(value);
    const digest = createHash('sha256').update(serialized).digest('base64');
    const body = this.bodies.get(digest) ?? bodyOf(digest, serialized);
    if (body.bytes.length > this.room * LARGEST_SHARE) return;
    if (body.keys === 0) {
      this.bodies.set(digest, body);
      this.used += costOfBody(body);
    }
    body.keys += 1;
    this.entries.set(key, body);
    this.used += costOfKey(key);
    if (this.live.get(digest) === undefined) this.live.set(digest, value, LIVE_COST * serialized.length);
    for (const oldest of this.entries.keys()) {
      if (this.used <= this.room) return;
      this.drop(oldest);
    }
  }

  private drop(key: string): void {
    const body = this.entries.get(key);
    if (!body) return;
    this.entries.delete(key);
    this.used -= costOfKey(key);
    body.keys -= 1;
    if (body.keys > 0) return;
    this.bodies.delete(body.digest);
    this.used -= costOfBody(body);
  }
}

/** Objects take several times the memory of their bytes. */
const LIVE_COST = 4;
const costOfKey = (key: string): number => OVERHEAD + key.length;
const costOfBody = (body: Body): number => OVERHEAD + body.bytes.length;

/** Copied, because what serializing and compressing return may be a window of something larger. */
function bodyOf(digest: string, serialized: Buffer): Body {
  const deflated = serialized.length > DEFLATE_FROM;
  const bytes = new Uint8Array(deflated ? deflateRawSync(serialized, FASTEST) : serialized);
  return { digest, bytes, deflated, keys: 0 };
}
