import { createHash, randomUUID } from 'node:crypto';
import type { Instant } from '#kernel';
import type { Scheduler } from '../time/scheduler.js';
import { AwsError } from './aws-error.js';
import type { ObjectStore, PutOptions, StoredObject } from './s3.js';

export interface MultipartUpload {
  readonly id: string;
  readonly account: string;
  readonly bucket: string;
  readonly key: string;
  readonly options: PutOptions;
  readonly initiatedAt: Instant;
  readonly parts: Map<number, UploadedPart>;
}

interface UploadedPart {
  readonly body: Uint8Array;
  readonly etag: string;
  /** Base64. */
  readonly sha256: string;
}

export interface PartName {
  readonly number: number;
  readonly etag: string;
  readonly sha256?: string;
}

const SMALLEST_PART = 5 * 1024 * 1024;

/** Multipart uploads that are neither completed nor aborted. Their parts are no objects. */
export class MultipartUploads {
  private readonly open = new Map<string, MultipartUpload>();

  constructor(
    private readonly objects: ObjectStore,
    private readonly scheduler: Scheduler,
  ) {}

  begin(account: string, bucket: string, key: string, options: PutOptions): MultipartUpload {
    this.objects.bucket(account, bucket);
    const upload = {
      id: randomUUID().replaceAll('-', ''),
      account,
      bucket,
      key,
      options,
      initiatedAt: this.scheduler.now(),
      parts: new Map<number, UploadedPart>(),
    };
    this.open.set(upload.id, upload);
    return upload;
  }

  /** Sending a part again replaces it. */
  part(
    account: string,
    id: string,
    number: number,
    body: Uint8Array,
    sha256: string | undefined,
  ): UploadedPart {
    const upload = this.required(account, id);
    if (!(number >= 1 && number <= 10_000))
      throw new AwsError('InvalidArgument', 'Part number must be an integer between 1 and 10000, inclusive');
    const part = {
      body: Uint8Array.prototype.slice.call(body),
      etag: `"${createHash('md5').update(body).digest('hex')}"`,
      sha256: checkedDigest(body, sha256),
    };
    upload.parts.set(number, part);
    return part;
  }

  complete(
    account: string,
    id: string,
    names: readonly PartName[],
    condition: Pick<PutOptions, 'onlyIfAbsent' | 'onlyIfEtag'>,
  ): StoredObject {
    const upload = this.required(account, id);
    if (names.length === 0) throw new AwsError('MalformedXML', 'You must specify at least one part');
    const parts = names.map((name, index) => this.named(upload, names, name, index));
    const digests = Buffer.concat(parts.map(({ etag }) => Buffer.from(etag.slice(1, -1), 'hex')));
    const etag = `"${createHash('md5').update(digests).digest('hex')}-${parts.length}"`;
    const body = Buffer.concat(parts.map((part) => part.body));
    const options = { ...upload.options, ...condition, etag };
    const object = this.objects.put(account, upload.bucket, upload.key, body, options);
    this.open.delete(id);
    return object;
  }

  abort(account: string, id: string): void {
    this.required(account, id);
    this.open.delete(id);
  }

  list(account: string, bucket: string, prefix = ''): readonly MultipartUpload[] {
    this.objects.bucket(account, bucket);
    return [...this.open.values()]
      .filter((upload) => upload.bucket === bucket && upload.key.startsWith(prefix))
      .sort((a, b) => (a.key === b.key ? a.initiatedAt - b.initiatedAt : a.key < b.key ? -1 : 1));
  }

  private named(
    upload: MultipartUpload,
    names: readonly PartName[],
    name: PartName,
    index: number,
  ): UploadedPart {
    const before = names[index - 1];
    if (before && before.number >= name.number)
      throw new AwsError('InvalidPartOrder', 'The list of parts was not in ascending order.');
    const part = upload.parts.get(name.number);
    const same = part?.etag.replaceAll('"', '') === name.etag.replaceAll('"', '');
    if (!part || !same || (name.sha256 !== undefined && name.sha256 !== part.sha256))
      throw new AwsError('InvalidPart', 'One or more of the specified parts could not be found.');
    if (index < names.length - 1 && part.body.length < SMALLEST_PART)
      throw new AwsError('EntityTooSmall', 'Your proposed upload is smaller than the minimum allowed size');
    return part;
  }

  private required(account: string, id: string): MultipartUpload {
    const upload = this.open.get(id);
    if (upload?.account === account) return upload;
    throw new AwsError(
      'NoSuchUpload',
      'The specified upload does not exist. The upload ID may be invalid.',
      404,
    );
  }
}

/** SHA-256 of the body in base64; refuses where the sender's differs. */
export function checkedDigest(body: Uint8Array, told: string | undefined): string {
  const actual = createHash('sha256').update(body).digest('base64');
  if (told === undefined || told === actual) return actual;
  throw new AwsError('BadDigest', 'The SHA256 you specified did not match the calculated checksum.');
}
