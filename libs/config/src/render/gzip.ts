/**
 * gzip whose output depends on its input alone. User data is part of a launch template: other bytes from another zlib
 * (a new version of Node) would replace every node of every cluster. Source: RFC 1951 (fixed codes), RFC 1952.
 */
const MIN_MATCH = 3;
const MAX_MATCH = 258;
const WINDOW = 32_768;
const CHAIN = 32;

class BitWriter {
  private readonly bytes: number[] = [];
  private bits = 0;
  private count = 0;

  /** Least significant bit first. */
  write(value: number, length: number): void {
    this.bits |= value << this.count;
    this.count += length;
    while (this.count >= 8) {
      this.bytes.push(this.bits & 0xff);
      this.bits >>>= 8;
      this.count -= 8;
    }
  }

  /** Huffman codes go most significant bit first. */
  writeCode(code: number, length: number): void {
    let reversed = 0;
    for (let i = 0; i < length; i++) reversed |= ((code >> i) & 1) << (length - 1 - i);
    this.write(reversed, length);
  }

  finish(): readonly number[] {
    if (this.count > 0) this.bytes.push(this.bits & 0xff);
    return this.bytes;
  }
}

/** The fixed code of a literal or length symbol. */
function writeSymbol(out: BitWriter, symbol: number): void {
  if (symbol < 144) out.writeCode(0x30 + symbol, 8);
  else if (symbol < 256) out.writeCode(0x190 + symbol - 144, 9);
  else if (symbol < 280) out.writeCode(symbol - 256, 7);
  else out.writeCode(0xc0 + symbol - 280, 8);
}

/** Bases of lengths (symbols 257…285) and distances (0…29), each with its number of extra bits. */
const bases = (first: number, plain: number, step: number, count: number): (readonly [number, number])[] => {
  const table: (readonly [number, number])[] = [];
  let base = first;
  for (let i = 0; i < count; i++) {
    const extra = i < plain ? 0 : Math.floor(i / step) - (plain / step - 1);
    table.push([base, extra]);
    base += 2 ** extra;
  }
  return table;
};
const LENGTHS = [...bases(3, 8, 4, 28), [MAX_MATCH, 0] as const];
const DISTANCES = bases(1, 4, 2, 30);

const indexOf = (table: readonly (readonly [number, number])[], value: number): number => {
  let at = table.length - 1;
  while ((table[at]?.[0] ?? 0) > value) at--;
  return at;
};

function writeMatch(out: BitWriter, length: number, distance: number): void {
  const lengthAt = length === MAX_MATCH ? LENGTHS.length - 1 : indexOf(LENGTHS, length);
  const [lengthBase, lengthBits] = LENGTHS[lengthAt] as readonly [number, number];
  writeSymbol(out, 257 + lengthAt);
  out.write(length - lengthBase, lengthBits);
  const distanceAt = indexOf(DISTANCES, distance);
  const [distanceBase, distanceBits] = DISTANCES[distanceAt] as readonly [number, number];
  out.writeCode(distanceAt, 5);
  out.write(distance - distanceBase, distanceBits);
}

/** Earlier positions of each three bytes, newest first by `previous`. */
class Finder {
  private readonly newest = new Map<number, number>();
  private readonly previous: Int32Array;

  constructor(private readonly data: Uint8Array) {
    this.previous = new Int32Array(data.length).fill(-1);
  }

  private key(at: number): number {
    const { data } = this;
    return ((data[at] ?? 0) << 16) | ((data[at + 1] ?? 0) << 8) | (data[at + 2] ?? 0);
  }

  add(at: number): void {
    if (at + MIN_MATCH > this.data.length) return;
    const key = this.key(at);
    this.previous[at] = this.newest.get(key) ?? -1;
    this.newest.set(key, at);
  }

  longest(at: number): { readonly length: number; readonly distance: number } {
    const { data } = this;
    let best = { length: 0, distance: 0 };
    if (at + MIN_MATCH > data.length) return best;
    let from = this.newest.get(this.key(at)) ?? -1;
    for (let tries = 0; from >= 0 && at - from <= WINDOW && tries < CHAIN; tries++) {
      let length = 0;
      while (length < MAX_MATCH && at + length < data.length && data[from + length] === data[at + length])
        length++;
      if (length > best.length) best = { length, distance: at - from };
      from = this.previous[from] ?? -1;
    }
    return best;
  }
}

function deflate(data: Uint8Array): readonly number[] {
  const out = new BitWriter();
  out.write(1, 1);
  out.write(1, 2);
  const finder = new Finder(data);
  for (let at = 0; at < data.length;) {
    const { length, distance } = finder.longest(at);
    const taken = length >= MIN_MATCH ? length : 1;
    if (taken > 1) writeMatch(out, length, distance);
    else writeSymbol(out, data[at] as number);
    for (let i = 0; i < taken; i++) finder.add(at + i);
    at += taken;
  }
  writeSymbol(out, 256);
  return out.finish();
}

function crc32(data: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of data) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return (crc ^ 0xffffffff) >>> 0;
}

export function gzip(text: string): Buffer {
  const data = Buffer.from(text, 'utf8');
  const trailer = Buffer.alloc(8);
  trailer.writeUInt32LE(crc32(data), 0);
  trailer.writeUInt32LE(data.length >>> 0, 4);
  // Magic, deflate, no flags, no time, no hint, unknown system.
  const header = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]);
  return Buffer.concat([header, Buffer.from(deflate(data)), trailer]);
}
