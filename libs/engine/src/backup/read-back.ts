import { createHash } from 'node:crypto';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { FailureError, toFailure } from '#kernel';
import type { BackupRecord } from '#fleet';
import type { ObjectStorePort } from '#ports';

/** `s3://bucket/key` taken apart. */
export function placeOf(location: string): { readonly bucket: string; readonly key: string } {
  const [, bucket = '', key = ''] = /^s3:\/\/([^/]+)\/(.+)$/.exec(location) ?? [];
  return { bucket, key };
}

export const isStored = ({ location }: Pick<BackupRecord, 'location'>): boolean =>
  location.startsWith('s3://');

/** etcd appends the SHA-256 of the database file, whose pages are multiples of 512 bytes. */
const TRAILER_BYTES = 32;
const PAGE_BYTES = 512;

/** Watches bytes go by: their digest, and whether they end with the digest of what came before, as etcd's snapshots do. */
export class SnapshotCheck {
  private readonly whole = createHash('sha256');
  private readonly data = createHash('sha256');
  private held: Buffer = Buffer.alloc(0);
  private size = 0;

  update(chunk: Uint8Array): void {
    this.whole.update(chunk);
    this.size += chunk.byteLength;
    const bytes = Buffer.concat([this.held, chunk]);
    const end = Math.max(0, bytes.length - TRAILER_BYTES);
    this.data.update(bytes.subarray(0, end));
    this.held = Buffer.from(bytes.subarray(end));
  }

  finish(): { readonly sizeBytes: number; readonly sha256: string; readonly sealed: boolean } {
    const aligned = this.size > TRAILER_BYTES && (this.size - TRAILER_BYTES) % PAGE_BYTES === 0;
    const sealed = aligned && this.held.equals(this.data.digest());
    return { sizeBytes: this.size, sha256: this.whole.digest('hex'), sealed };
  }
}

export type Expectation = Pick<BackupRecord, 'provider' | 'location'> & {
  readonly sizeBytes: number;
  readonly sha256: string;
  /** Documents of a resource export that is not encrypted. */
  readonly documents?: number;
};

/**
 * Reads the stored object to its end and compares. Rejects `backup-damaged` (terminal) where it is not what was sent, and
 * `object-missing` where it is gone. `tap` sees the bytes on their way, for example to restore them.
 */
export async function readBack(
  objects: ObjectStorePort,
  expected: Expectation,
  tap?: (body: AsyncIterable<Uint8Array>) => Promise<void>,
): Promise<void> {
  const { bucket, key } = placeOf(expected.location);
  const { body } = await objects.readObject(bucket, key);
  const check = new SnapshotCheck();
  const watched = watch(body, check);
  const counter = expected.documents === undefined ? undefined : new DocumentCounter();
  let trouble: unknown;
  try {
    if (tap) await tap(watched);
    else if (counter) await counter.read(watched);
    else await drain(watched);
  } catch (thrown) {
    trouble = thrown;
  }
  const found = check.finish();
  // What cannot be unpacked or restored is damaged only if the bytes are others; a network error is one whatever they are.
  if (trouble !== undefined && isOutside(trouble)) throw trouble;
  const whole = found.sizeBytes === expected.sizeBytes;
  if (trouble === undefined || whole) judge(expected, found, counter?.documents);
  if (trouble !== undefined) throw unpackable(expected, trouble);
}

const isOutside = (thrown: unknown): boolean => {
  const { class: kind } = toFailure(thrown);
  return thrown instanceof FailureError && kind !== 'terminal';
};

function judge(
  expected: Expectation,
  found: { readonly sizeBytes: number; readonly sha256: string; readonly sealed: boolean },
  documents: number | undefined,
): void {
  if (found.sizeBytes !== expected.sizeBytes)
    throw damaged(expected, `it has ${found.sizeBytes} bytes, ${expected.sizeBytes} were stored`);
  if (found.sha256 !== expected.sha256)
    throw damaged(expected, `its SHA-256 is ${found.sha256}, ${expected.sha256} was stored`);
  if (expected.provider === 'etcd' && !found.sealed)
    throw damaged(expected, 'the SHA-256 that etcd appended does not match its data');
  if (documents !== expected.documents)
    throw damaged(expected, `it holds ${documents} objects, ${expected.documents} were stored`);
}

const damaged = ({ location }: Expectation, why: string): FailureError =>
  new FailureError({
    class: 'terminal',
    code: 'backup-damaged',
    message: `${location} is damaged: ${why}`,
    hint: 'It is no evidence any more. Make a new backup now, and find out who wrote to the bucket.',
  });

function unpackable(expected: Expectation, thrown: unknown): unknown {
  if (thrown instanceof FailureError) return thrown;
  return damaged(
    expected,
    `it cannot be unpacked (${thrown instanceof Error ? thrown.message : String(thrown)})`,
  );
}

async function* watch(body: AsyncIterable<Uint8Array>, check: SnapshotCheck): AsyncGenerator<Uint8Array> {
  for await (const chunk of body) {
    check.update(chunk);
    yield chunk;
  }
}

async function drain(body: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const _chunk of body);
}

/** Counts the documents of a gzipped YAML stream: each begins with a line `---`. */
class DocumentCounter {
  documents = 0;

  async read(body: AsyncIterable<Uint8Array>): Promise<void> {
    await pipeline(body, createGunzip(), async (unpacked: AsyncIterable<Buffer>) => {
      let held = '\n';
      for await (const chunk of unpacked) {
        const text = held + chunk.toString('latin1');
        this.documents += text.split('\n---\n').length - 1;
        // Four characters of a mark may be split over two chunks; a whole one must not be counted twice.
        held = text.slice(-4);
      }
    });
  }
}
