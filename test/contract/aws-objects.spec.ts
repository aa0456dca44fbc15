import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FailureError, toFailure } from '#kernel';
import { createAwsAccess } from '#adapters/aws';
import type { AwsPort } from '#ports';
import { AwsError, AwsServer, AwsWorld, ScaledScheduler, SeededRandom } from '#simulation';

const ACCOUNT = '123456789012';
const REGION = 'eu-central-1';
const scheduler = new ScaledScheduler(100);
const world = new AwsWorld({ scheduler, random: new SeededRandom(11) });
const server = new AwsServer(world);

/** Streams of large objects. Also holds for another endpoint: FAIRWAY_TEST_AWS_ENDPOINT, as for the adapter's contract. */
function objectContract(name: string, connect: () => Promise<AwsPort>): void {
  describe(`streams of objects on ${name}`, () => {
    const bucket = `fairway-objects-${randomBytes(4).toString('hex')}`;
    const data = randomBytes(17_000_000);
    let port: AwsPort;
    beforeAll(async () => {
      port = await connect();
    });

    async function* chunks(bytes: Buffer, size = 70_001): AsyncGenerator<Uint8Array> {
      for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
    }
    const read = async (key: string): Promise<Buffer> => {
      const { body } = await port.readObject(bucket, key);
      const parts: Uint8Array[] = [];
      for await (const part of body) parts.push(part);
      return Buffer.concat(parts);
    };
    const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

    it('stores parts as one object, in a bucket that is made for it, and reads it back', async () => {
      const sent: number[] = [];
      const stored = await port.upload({
        bucket,
        key: 'large',
        body: chunks(data),
        metadata: { backup: 'b1' },
        beforeWrite: async (bytes) => void sent.push(bytes),
      });
      expect(stored).toEqual({ sizeBytes: data.length, sha256: sha256(data), parts: 3 });
      expect(sent).toEqual([0, 0, 8_388_608, 16_777_216, data.length]);
      expect(await port.headObject(bucket, 'large')).toMatchObject({
        sizeBytes: data.length,
        metadata: { backup: 'b1' },
      });
      expect(sha256(await read('large'))).toBe(stored.sha256);
    });

    it.each([
      ['nothing', 0],
      ['a little', 10],
      ['exactly one part', 8_388_608],
    ])('stores %s', async (key, size) => {
      const bytes = data.subarray(0, size);
      const stored = await port.upload({ bucket, key, body: chunks(bytes) });
      expect(stored).toEqual({ sizeBytes: size, sha256: sha256(bytes), parts: 1 });
      expect((await read(key)).equals(bytes)).toBe(true);
    });

    it('stores nothing where the stream or the caller ends it, and leaves no parts behind', async () => {
      async function* broken(): AsyncGenerator<Uint8Array> {
        yield data.subarray(0, 9_000_000);
        throw new FailureError({ class: 'transient', code: 'broke-off', message: 'broke off' });
      }
      const upload = port.upload({ bucket, key: 'broken', body: broken() });
      expect(await upload.catch((error: unknown) => toFailure(error).code)).toBe('broke-off');
      const stopped = port.upload({
        bucket,
        key: 'broken',
        body: chunks(data),
        beforeWrite: async (bytes) => {
          if (bytes > 0) throw new FailureError({ class: 'conflict', code: 'lease-lost', message: 'lost' });
        },
      });
      expect(await stopped.catch((error: unknown) => toFailure(error).code)).toBe('lease-lost');
      expect(await port.headObject(bucket, 'broken')).toBeUndefined();
      expect(await port.abortUploads(bucket, 'broken')).toBe(0);
    });

    it('deletes, also what is gone, and tells what is missing', async () => {
      await port.deleteObject(bucket, 'a little');
      await port.deleteObject(bucket, 'a little');
      expect(await port.headObject(bucket, 'a little')).toBeUndefined();
      expect(await port.headObject('fairway-no-such-bucket-1', 'x')).toBeUndefined();
      const missing = port.readObject(bucket, 'a little').catch((error: unknown) => toFailure(error).code);
      expect(await missing).toBe('object-missing');
      expect(await port.abortUploads('fairway-no-such-bucket-1', 'x')).toBe(0);
    });

    it('never replaces an object', async () => {
      const again = port.upload({ bucket, key: 'large', body: chunks(data.subarray(0, 5)) });
      expect(await again.catch((error: unknown) => toFailure(error).code)).toBe('object-exists');
      expect((await port.headObject(bucket, 'large'))?.sizeBytes).toBe(data.length);
    });
  });
}

beforeAll(async () => {
  world.addAccount({ id: ACCOUNT });
  endpoint = await server.listen();
});
let endpoint = '';
afterAll(async () => {
  await server.close();
  scheduler.close();
});

const simulated = () =>
  createAwsAccess({
    endpoint,
    credentialsFor: () => world.accessKey(ACCOUNT),
    requestsPerSecond: 1_000,
  }).connect(ACCOUNT, REGION);
objectContract('the simulated AWS', simulated);

describe('on the simulated AWS', () => {
  it('a part that fails for a moment is sent again, one that was changed on its way is refused', async () => {
    const port = await simulated();
    const slow = new AwsError('SlowDown', 'Please reduce your request rate.', 503);
    world.faults.failNext({ service: 's3', action: 'UploadPart' }, slow, 3);
    async function* body(): AsyncGenerator<Uint8Array> {
      yield Buffer.alloc(9_000_000);
    }
    expect(await port.upload({ bucket: 'retried', key: 'k', body: body() })).toMatchObject({ parts: 2 });
    const { uploads } = world.objects;
    const open = uploads.begin(ACCOUNT, 'retried', 'other', {});
    expect(() => uploads.part(ACCOUNT, open.id, 1, Buffer.from('a'), 'bm90IGl0')).toThrow('SHA256');
    expect(await port.abortUploads('retried', 'other')).toBe(1);
  });
});

const real = process.env['FAIRWAY_TEST_AWS_ENDPOINT'];
if (real !== undefined && real !== '') {
  objectContract('the endpoint of FAIRWAY_TEST_AWS_ENDPOINT', () =>
    createAwsAccess({
      endpoint: real,
      credentialsFor: () => ({
        accessKeyId: process.env['AWS_ACCESS_KEY_ID'] ?? 'test',
        secretAccessKey: process.env['AWS_SECRET_ACCESS_KEY'] ?? 'test',
      }),
      verifyIdentity: false,
    }).connect(process.env['FAIRWAY_TEST_AWS_ACCOUNT'] ?? ACCOUNT, REGION),
  );
}
