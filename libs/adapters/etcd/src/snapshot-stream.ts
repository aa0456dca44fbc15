import { createHash } from 'node:crypto';
import { fail, FailureError } from '#kernel';
import { classifyAnswer, classifyThrown } from './classify.js';

const ACTION = 'snapshot';
/** The server sends parts of 32 KiB (3.4, 3.5) as base64 in one line of JSON each. */
const MAX_LINE_BYTES = 8 * 1024 * 1024;

interface Part {
  readonly blob: Buffer;
  readonly remaining: number;
}

/**
 * The bytes of a snapshot out of the gateway's stream: lines `{"result":{"remaining_bytes":"…","blob":"…"}}`. One line
 * is held at a time. It rejects unless the stream ends as a whole one does: nothing remaining, then the SHA-256 of all
 * that came before, which must be right.
 */
export async function* snapshotBytes(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256');
  let received = 0;
  let remaining: number | undefined;
  let sealed = false;
  try {
    for await (const line of lines(source)) {
      const part = partOf(line);
      if (sealed) damaged('more data after its end', received);
      if (remaining === 0) {
        sealed = true;
        if (!part.blob.equals(hash.digest())) damaged('its SHA-256 does not match its data', received);
      } else {
        hash.update(part.blob);
        remaining = part.remaining;
      }
      received += part.blob.length;
      yield part.blob;
    }
  } catch (thrown) {
    throw thrown instanceof FailureError
      ? thrown
      : new FailureError(classifyThrown(ACTION, thrown), { cause: thrown });
  }
  if (!sealed) {
    damaged(
      remaining === undefined ? 'nothing came' : `${remaining} bytes and its SHA-256 are missing`,
      received,
    );
  }
}

function partOf(line: Buffer): Part {
  let parsed: { result?: { blob?: unknown; remaining_bytes?: unknown }; error?: unknown };
  try {
    parsed = JSON.parse(line.toString('latin1')) as typeof parsed;
  } catch {
    return damaged('a part of it is not JSON', line.length);
  }
  if (parsed.error !== undefined) throw new FailureError(classifyAnswer(ACTION, 500, line.toString('utf8')));
  const { blob, remaining_bytes: remaining } = parsed.result ?? {};
  return {
    blob: Buffer.from(typeof blob === 'string' ? blob : '', 'base64'),
    remaining: Number(remaining ?? 0),
  };
}

/** Splits at line feeds; what is held is the unfinished line only. */
async function* lines(source: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  let held: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of source) {
    let from = 0;
    for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, from)) {
      held.push(chunk.subarray(from, at));
      const line = Buffer.concat(held);
      if (line.length > 0) yield line;
      held = [];
      size = 0;
      from = at + 1;
    }
    if (from < chunk.length) held.push(chunk.subarray(from));
    size += chunk.length - from;
    if (size > MAX_LINE_BYTES) damaged(`a part of it is longer than ${MAX_LINE_BYTES} bytes`, size);
  }
  if (size > 0) yield Buffer.concat(held);
}

function damaged(why: string, received: number): never {
  return fail({
    class: 'transient',
    code: 'etcd-snapshot-broken',
    message: `the snapshot broke off or is damaged after ${received} bytes: ${why}`,
    hint: 'Nothing of it may be used. It is taken again.',
  });
}
