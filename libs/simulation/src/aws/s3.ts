import { createHash } from 'node:crypto';
import type { Instant } from '#kernel';
import { AwsError } from './aws-error.js';
import { MultipartUploads } from './s3-multipart.js';
import type { Scheduler } from '../time/scheduler.js';

export interface StoredObject {
  readonly key: string;
  readonly body: Uint8Array;
  /** With quotes, as in the header. */
  readonly etag: string;
  readonly contentType: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly modifiedAt: Instant;
}

export interface Bucket {
  readonly name: string;
  readonly account: string;
  readonly region: string;
  readonly createdAt: Instant;
  readonly objects: Map<string, StoredObject>;
}

export interface PutOptions {
  readonly contentType?: string;
  readonly metadata?: Readonly<Record<string, string>>;
  /** Refuse where the key exists (`If-None-Match: *`). */
  readonly onlyIfAbsent?: boolean;
  /** Refuse unless the key has this ETag (`If-Match`). */
  readonly onlyIfEtag?: string;
  /** Of a multipart upload; otherwise the MD5 of the body. */
  readonly etag?: string;
}

/** S3: one name space for all accounts, each bucket readable and writable by its owner only. */
export class ObjectStore {
  private readonly buckets = new Map<string, Bucket>();

  readonly uploads: MultipartUploads;

  constructor(private readonly scheduler: Scheduler) {
    this.uploads = new MultipartUploads(this, scheduler);
  }

  all(account?: string): readonly Bucket[] {
    return [...this.buckets.values()].filter((bucket) => account === undefined || bucket.account === account);
  }

  createBucket(account: string, region: string, name: string): Bucket {
    const known = this.buckets.get(name);
    if (known?.account === account) {
      throw new AwsError(
        'BucketAlreadyOwnedByYou',
        'Your previous request to create the named bucket succeeded and you already own it.',
        409,
      );
    }
    if (known) throw new AwsError('BucketAlreadyExists', 'The requested bucket name is not available.', 409);
    const bucket: Bucket = { name, account, region, createdAt: this.scheduler.now(), objects: new Map() };
    this.buckets.set(name, bucket);
    return bucket;
  }

  deleteBucket(account: string, name: string): void {
    const bucket = this.bucket(account, name);
    if (bucket.objects.size > 0)
      throw new AwsError('BucketNotEmpty', 'The bucket you tried to delete is not empty', 409);
    this.buckets.delete(name);
  }

  bucket(account: string, name: string): Bucket {
    const bucket = this.buckets.get(name);
    if (!bucket) throw new AwsError('NoSuchBucket', 'The specified bucket does not exist', 404);
    if (bucket.account !== account) throw new AwsError('AccessDenied', 'Access Denied', 403);
    return bucket;
  }

  /** Undefined where nobody has a bucket of that name. */
  bucketOwner(name: string): string | undefined {
    return this.buckets.get(name)?.account;
  }

  put(
    account: string,
    bucketName: string,
    key: string,
    body: Uint8Array,
    options: PutOptions = {},
  ): StoredObject {
    const bucket = this.bucket(account, bucketName);
    const known = bucket.objects.get(key);
    const refused =
      (options.onlyIfAbsent && known) || (options.onlyIfEtag && known?.etag !== options.onlyIfEtag);
    if (refused) {
      throw new AwsError(
        'PreconditionFailed',
        'At least one of the pre-conditions you specified did not hold',
        412,
      );
    }
    const object: StoredObject = {
      key,
      body,
      etag: options.etag ?? `"${createHash('md5').update(body).digest('hex')}"`,
      contentType: options.contentType ?? 'binary/octet-stream',
      metadata: options.metadata ?? {},
      modifiedAt: this.scheduler.now(),
    };
    bucket.objects.set(key, object);
    return object;
  }

  get(account: string, bucketName: string, key: string): StoredObject {
    const object = this.bucket(account, bucketName).objects.get(key);
    if (!object) throw new AwsError('NoSuchKey', 'The specified key does not exist.', 404);
    return object;
  }

  /** Deleting what is not there is success, as in S3. */
  delete(account: string, bucketName: string, key: string): void {
    this.bucket(account, bucketName).objects.delete(key);
  }

  /** In UTF-8 order of keys. */
  list(account: string, bucketName: string, prefix = ''): readonly StoredObject[] {
    return [...this.bucket(account, bucketName).objects.values()]
      .filter(({ key }) => key.startsWith(prefix))
      .sort((a, b) => Buffer.compare(Buffer.from(a.key), Buffer.from(b.key)));
  }
}
