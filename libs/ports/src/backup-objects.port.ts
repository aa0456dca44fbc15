/** A stored object as S3 tells it. */
export interface ObjectView {
  readonly key: string;
  readonly sizeBytes: number;
  /** With quotes. */
  readonly etag: string;
  /** User metadata, keys in lower case. */
  readonly metadata: Readonly<Record<string, string>>;
}

export interface ObjectUpload {
  readonly bucket: string;
  readonly key: string;
  /** Pulled as fast as S3 takes the parts; what it throws ends the upload, and nothing is stored. */
  readonly body: AsyncIterable<Uint8Array>;
  readonly metadata?: Readonly<Record<string, string>>;
  /** Encrypt at rest under this KMS key; otherwise by the bucket's default. */
  readonly kmsKey?: string;
  /**
   * Called before every write (begin, each part, completion) with what was sent until then. What it throws ends the
   * upload: the place to check that the lease is still ours.
   */
  readonly beforeWrite?: (sentBytes: number) => Promise<void>;
}

export interface StoredUpload {
  readonly sizeBytes: number;
  /** Of the whole object, computed while it was sent. Hexadecimal. */
  readonly sha256: string;
  readonly parts: number;
}

/**
 * Large objects of one account in S3, as streams: memory stays within a few parts whatever the size. Every part carries
 * its SHA-256, which S3 checks. Rejects with classified `FailureError`s.
 */
export interface ObjectStorePort {
  /**
   * Multipart upload that becomes visible as a whole or not at all. When anything fails before completion it is aborted;
   * when the answer to the completion is lost, the object may exist: callers look before they trust or repeat. Never
   * replaces an object: a key that exists is refused (`object-exists`, conflict).
   */
  upload(upload: ObjectUpload): Promise<StoredUpload>;
  /** Undefined where there is none. */
  headObject(bucket: string, key: string): Promise<ObjectView | undefined>;
  /** Reads the whole object; rejects `object-missing` (invalid), and `object-truncated` (transient) when the stream ends early. */
  readObject(
    bucket: string,
    key: string,
  ): Promise<{ readonly view: ObjectView; readonly body: AsyncIterable<Uint8Array> }>;
  /** Already gone is success. With versioning this leaves a delete marker: the bucket's lifecycle removes the rest. */
  deleteObject(bucket: string, key: string): Promise<void>;
  /** Aborts unfinished multipart uploads of exactly this key. Returns how many there were. */
  abortUploads(bucket: string, key: string): Promise<number>;
}
