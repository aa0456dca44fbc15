import { createHash, randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { FailureError } from '#kernel';
import { snapshotBytes } from './snapshot-stream.js';

const PART = 32_768;

/** The gateway's text for a database, as etcd 3.4 sends it. */
function* stream(data: Buffer, sealed = createHash('sha256').update(data).digest()): Generator<string> {
  for (let at = 0; at < data.length; at += PART) {
    const remaining = Math.max(0, data.length - at - PART);
    const blob = data.subarray(at, at + PART).toString('base64');
    yield `${JSON.stringify({ result: { ...(remaining > 0 && { remaining_bytes: String(remaining) }), blob } })}\n`;
  }
  yield `${JSON.stringify({ result: { blob: sealed.toString('base64') } })}\n`;
}

/** The same bytes in chunks that respect nothing. */
async function* chopped(text: Iterable<string>, size: number): AsyncGenerator<Uint8Array> {
  const all = Buffer.from([...text].join(''));
  for (let at = 0; at < all.length; at += size) yield all.subarray(at, at + size);
}

const read = async (source: AsyncIterable<Uint8Array>): Promise<Buffer> => {
  const parts: Uint8Array[] = [];
  for await (const part of snapshotBytes(source)) parts.push(part);
  return Buffer.concat(parts);
};

const failureOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'no failure',
    (thrown: unknown) => (thrown as FailureError).failure,
  );

describe('snapshotBytes', () => {
  const data = randomBytes(5 * PART + 4_096);

  it.each([1_000, 43_690, 1 << 20])('gives data and SHA-256, in chunks of %i bytes', async (size) => {
    const all = await read(chopped(stream(data), size));
    expect(all.subarray(0, -32).equals(data)).toBe(true);
    expect(all.subarray(-32).equals(createHash('sha256').update(data).digest())).toBe(true);
  });

  it.each([
    ['without its end', [...stream(data)].slice(0, -1), /SHA-256 are missing/],
    ['in the middle', [...stream(data)].slice(0, 2), /bytes and its SHA-256 are missing/],
    ['before it began', [], /nothing came/],
    ['in the middle of a line', [[...stream(data)].join('').slice(0, 70_000)], /not JSON/],
    ['with another seal', [...stream(data, randomBytes(32))], /does not match/],
    ['and goes on after its end', [...stream(data), ...stream(data)], /more data after its end/],
  ])('refuses one that breaks off %s', async (_, lines, says) => {
    const failure = await failureOf(read(chopped(lines, 10_000)));
    expect(failure).toMatchObject({ class: 'transient', code: 'etcd-snapshot-broken' });
    expect((failure as { message: string }).message).toMatch(says);
  });

  it('refuses one with a bit that flipped on its way', async () => {
    const lines = [...stream(data)];
    const flipped = Buffer.from(data);
    flipped[100_000] = (flipped[100_000] as number) ^ 1;
    const failure = await failureOf(
      read(chopped([...[...stream(flipped)].slice(0, -1), lines.at(-1) as string], 9_999)),
    );
    expect(failure).toMatchObject({ code: 'etcd-snapshot-broken' });
  });

  it('tells what the server says in the middle of it', async () => {
    const lines = [...stream(data)].slice(0, 2);
    const error = { error: { grpc_code: 14, message: 'etcdserver: server stopped' } };
    const failure = await failureOf(read(chopped([...lines, `${JSON.stringify(error)}\n`], 5_000)));
    expect(failure).toMatchObject({ class: 'transient', code: 'etcd-unreachable' });
  });

  it('holds one part at a time, and asks for no more than it is asked for', async () => {
    let given = 0;
    async function* endless(): AsyncGenerator<Uint8Array> {
      for (;;) {
        given += 1;
        const blob = Buffer.alloc(PART, given).toString('base64');
        yield Buffer.from(`${JSON.stringify({ result: { remaining_bytes: '9000000000', blob } })}\n`);
      }
    }
    let taken = 0;
    for await (const part of snapshotBytes(endless())) {
      taken += part.length;
      if (taken === 100 * PART) break;
    }
    expect(given).toBeLessThanOrEqual(102);
  });
});
