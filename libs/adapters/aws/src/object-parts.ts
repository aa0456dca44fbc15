/**
 * Cuts a stream into parts of one size; the last one may be shorter, and an empty stream has one empty part. Only one part
 * is held at a time: whoever takes the next one has given the last one away.
 */
export async function* partsOf(body: AsyncIterable<Uint8Array>, size: number): AsyncGenerator<Buffer> {
  let part = Buffer.allocUnsafe(size);
  let filled = 0;
  let given = 0;
  for await (const chunk of body) {
    for (let at = 0; at < chunk.byteLength;) {
      const take = Math.min(size - filled, chunk.byteLength - at);
      part.set(chunk.subarray(at, at + take), filled);
      filled += take;
      at += take;
      if (filled < size) continue;
      yield part;
      given += 1;
      // A new buffer: a retry of the part may still read the old one.
      part = Buffer.allocUnsafe(size);
      filled = 0;
    }
  }
  if (filled > 0 || given === 0) yield part.subarray(0, filled);
}
