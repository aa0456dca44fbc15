import { createHash, type Hash } from 'node:crypto';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  PutObjectCommand,
  UploadPartCommand,
  type CompletedPart,
} from '@aws-sdk/client-s3';
import { FailureError } from '#kernel';
import type { ObjectStorePort, ObjectUpload, ObjectView, StoredUpload } from '#ports';
import { classify } from './classify.js';
import {
  again,
  alreadyThere,
  attributes,
  isMissing,
  nothing,
  objectExists,
  target,
  viewOf,
} from './object-calls.js';
import type { Objects } from './objects.js';
import { partsOf } from './object-parts.js';
import type { SdkClients } from './sdk-clients.js';

/** 10,000 parts at most: up to 78 GiB, ten times what etcd can hold. */
const PART_BYTES = 8 * 1024 * 1024;
const MAX_PARTS = 10_000;

/** What one upload knows of itself while it goes on. */
interface Progress {
  readonly hash: Hash;
  sentBytes: number;
  readonly parts: CompletedPart[];
}

/** Large objects in S3, part by part. */
export class ObjectStreams implements ObjectStorePort {
  constructor(
    private readonly sdk: SdkClients,
    private readonly objects: Objects,
  ) {}

  async upload(upload: ObjectUpload): Promise<StoredUpload> {
    const parts = partsOf(upload.body, PART_BYTES);
    try {
      const first = await parts.next();
      const head = first.done === true ? Buffer.alloc(0) : first.value;
      return head.length < PART_BYTES
        ? await this.#putWhole(upload, head)
        : await this.#putParts(upload, head, parts);
    } catch (thrown) {
      if (alreadyThere(thrown)) throw objectExists(upload, thrown);
      throw thrown;
    } finally {
      await parts.return(undefined).catch(() => undefined);
    }
  }

  async headObject(bucket: string, key: string): Promise<ObjectView | undefined> {
    try {
      const answer = await this.sdk.s3.send(
        new HeadObjectCommand({ Bucket: bucket, Key: key, ...this.#owner }),
      );
      return viewOf(key, answer);
    } catch (thrown) {
      if (isMissing(thrown)) return undefined;
      throw thrown;
    }
  }

  async readObject(
    bucket: string,
    key: string,
  ): Promise<{ readonly view: ObjectView; readonly body: AsyncIterable<Uint8Array> }> {
    try {
      const answer = await this.sdk.s3.send(
        new GetObjectCommand({ Bucket: bucket, Key: key, ...this.#owner }),
      );
      const view = viewOf(key, answer);
      const body = answer.Body as AsyncIterable<Uint8Array> | undefined;
      return { view, body: this.#whole(body ?? nothing(), view, `${bucket}/${key}`) };
    } catch (thrown) {
      if (!isMissing(thrown)) throw thrown;
      throw new FailureError(
        {
          class: 'invalid',
          code: 'object-missing',
          message: `s3://${bucket}/${key} is not there`,
          hint: 'Somebody or a lifecycle rule of the bucket deleted it.',
        },
        { cause: thrown },
      );
    }
  }

  async deleteObject(bucket: string, key: string): Promise<void> {
    try {
      await this.sdk.s3.send(new DeleteObjectCommand({ Bucket: bucket, Key: key, ...this.#owner }));
    } catch (thrown) {
      if (!isMissing(thrown)) throw thrown;
    }
  }

  async abortUploads(bucket: string, key: string): Promise<number> {
    const found: string[] = [];
    try {
      for (let after: { KeyMarker?: string; UploadIdMarker?: string } = {}; ;) {
        const page = await this.sdk.s3.send(
          new ListMultipartUploadsCommand({ Bucket: bucket, Prefix: key, ...this.#owner, ...after }),
        );
        for (const { Key, UploadId } of page.Uploads ?? [])
          if (Key === key && UploadId !== undefined) found.push(UploadId);
        if (page.IsTruncated !== true || page.NextKeyMarker === undefined) break;
        after = {
          KeyMarker: page.NextKeyMarker,
          ...(page.NextUploadIdMarker !== undefined && { UploadIdMarker: page.NextUploadIdMarker }),
        };
      }
    } catch (thrown) {
      if (isMissing(thrown)) return 0;
      throw thrown;
    }
    for (const uploadId of found) await this.#abort(bucket, key, uploadId);
    return found.length;
  }

  get #owner(): { readonly ExpectedBucketOwner: string } {
    return { ExpectedBucketOwner: this.sdk.account };
  }

  /** What fits into one part becomes visible with one call. */
  async #putWhole(upload: ObjectUpload, body: Buffer): Promise<StoredUpload> {
    await upload.beforeWrite?.(0);
    const digest = createHash('sha256').update(body).digest();
    await this.objects.inBucket(upload.bucket, () =>
      this.sdk.s3.send(
        new PutObjectCommand({
          ...target(upload),
          ...this.#owner,
          ...attributes(upload),
          Body: body,
          ChecksumSHA256: digest.toString('base64'),
          IfNoneMatch: '*',
        }),
      ),
    );
    return { sizeBytes: body.length, sha256: digest.toString('hex'), parts: 1 };
  }

  async #putParts(upload: ObjectUpload, first: Buffer, rest: AsyncGenerator<Buffer>): Promise<StoredUpload> {
    await upload.beforeWrite?.(0);
    const uploadId = await this.#begin(upload);
    const progress: Progress = { hash: createHash('sha256'), sentBytes: 0, parts: [] };
    try {
      await this.#sendPart(upload, uploadId, first, progress);
      for await (const part of rest) await this.#sendPart(upload, uploadId, part, progress);
      await upload.beforeWrite?.(progress.sentBytes);
    } catch (thrown) {
      await this.#abort(upload.bucket, upload.key, uploadId).catch(() => undefined);
      throw thrown;
    }
    await this.#complete(upload, uploadId, progress);
    const { sentBytes, hash, parts } = progress;
    return { sizeBytes: sentBytes, sha256: hash.digest('hex'), parts: parts.length };
  }

  async #begin(upload: ObjectUpload): Promise<string> {
    const answer = await this.objects.inBucket(upload.bucket, () =>
      this.sdk.s3.send(
        new CreateMultipartUploadCommand({
          ...target(upload),
          ...this.#owner,
          ...attributes(upload),
          ChecksumAlgorithm: 'SHA256',
        }),
      ),
    );
    if (answer.UploadId !== undefined) return answer.UploadId;
    throw new FailureError({ class: 'transient', code: 'aws-error', message: 's3 gave no upload id' });
  }

  async #sendPart(upload: ObjectUpload, uploadId: string, body: Buffer, progress: Progress): Promise<void> {
    const number = progress.parts.length + 1;
    if (number > MAX_PARTS) {
      throw new FailureError({
        class: 'invalid',
        code: 'object-too-large',
        message: `s3://${upload.bucket}/${upload.key} would have more than ${MAX_PARTS} parts`,
      });
    }
    await upload.beforeWrite?.(progress.sentBytes);
    progress.hash.update(body);
    const checksum = createHash('sha256').update(body).digest('base64');
    const command = {
      ...target(upload),
      ...this.#owner,
      UploadId: uploadId,
      PartNumber: number,
      Body: body,
      ContentLength: body.length,
      ChecksumSHA256: checksum,
    };
    const answer = await again(() => this.sdk.s3.send(new UploadPartCommand(command)));
    progress.parts.push({ PartNumber: number, ETag: answer.ETag, ChecksumSHA256: checksum });
    progress.sentBytes += body.length;
  }

  /** After a lost answer the object may be visible: then there is nothing left to abort, and the caller has to look. */
  async #complete(upload: ObjectUpload, uploadId: string, { parts }: Progress): Promise<void> {
    try {
      await this.sdk.s3.send(
        new CompleteMultipartUploadCommand({
          ...target(upload),
          ...this.#owner,
          UploadId: uploadId,
          MultipartUpload: { Parts: parts },
          IfNoneMatch: '*',
        }),
      );
    } catch (thrown) {
      await this.#abort(upload.bucket, upload.key, uploadId).catch(() => undefined);
      throw thrown;
    }
  }

  async #abort(bucket: string, key: string, uploadId: string): Promise<void> {
    const command = { Bucket: bucket, Key: key, UploadId: uploadId, ...this.#owner };
    await again(() => this.sdk.s3.send(new AbortMultipartUploadCommand(command))).catch((thrown: unknown) => {
      if (!isMissing(thrown)) throw thrown;
    });
  }

  /** Errors of the stream leave classified, and fewer bytes than announced are an error. */
  async *#whole(body: AsyncIterable<Uint8Array>, view: ObjectView, name: string): AsyncGenerator<Uint8Array> {
    const action = `s3 GetObject ${name} in ${this.sdk.account}/${this.sdk.region}`;
    let read = 0;
    try {
      for await (const chunk of body) {
        read += chunk.byteLength;
        yield chunk;
      }
    } catch (thrown) {
      const failure = classify(thrown, action);
      throw new FailureError(
        failure.class === 'bug' ? { ...failure, class: 'transient', code: 'object-truncated' } : failure,
        {
          cause: thrown,
        },
      );
    }
    if (read === view.sizeBytes) return;
    throw new FailureError({
      class: 'transient',
      code: 'object-truncated',
      message: `${action}: ${read} of ${view.sizeBytes} bytes came`,
    });
  }
}
