import { FailureError, toFailure } from '#kernel';
import type { ObjectUpload, ObjectView } from '#ports';
import { awsError } from './classify.js';

const TRIES = 3;

/** A part is the same whenever it is sent: what may pass is tried again here, because starting over costs the whole file. */
export async function again<T>(call: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await call();
    } catch (thrown) {
      const { class: kind, retryAfterMs } = toFailure(thrown);
      if (tries === TRIES || (kind !== 'transient' && kind !== 'throttled')) throw thrown;
      await new Promise((resolve) => setTimeout(resolve, Math.min(retryAfterMs ?? 200 * 2 ** tries, 10_000)));
    }
  }
}

export const target = ({ bucket, key }: ObjectUpload) => ({ Bucket: bucket, Key: key });

export const attributes = ({ metadata, kmsKey }: ObjectUpload) => ({
  ...(metadata && { Metadata: { ...metadata } }),
  ...(kmsKey !== undefined && { ServerSideEncryption: 'aws:kms' as const, SSEKMSKeyId: kmsKey }),
});

export function viewOf(
  key: string,
  answer: {
    readonly ContentLength?: number | undefined;
    readonly ETag?: string | undefined;
    readonly Metadata?: Record<string, string> | undefined;
  },
): ObjectView {
  const { ContentLength: sizeBytes = 0, ETag: etag = '', Metadata: metadata = {} } = answer;
  return { key, sizeBytes, etag, metadata };
}

/** HEAD answers without a body: a missing key and a missing bucket both are a bare 404. */
export const isMissing = (thrown: unknown): boolean =>
  ['NotFound', 'NoSuchKey', 'NoSuchBucket', 'NoSuchUpload'].includes(awsError(thrown).name);

export const alreadyThere = (thrown: unknown): boolean => awsError(thrown).name === 'PreconditionFailed';

export const objectExists = ({ bucket, key }: ObjectUpload, cause: unknown): FailureError =>
  new FailureError(
    {
      class: 'conflict',
      code: 'object-exists',
      message: `s3://${bucket}/${key} is there already; it is not replaced`,
    },
    { cause },
  );

export async function* nothing(): AsyncGenerator<Uint8Array> {}
