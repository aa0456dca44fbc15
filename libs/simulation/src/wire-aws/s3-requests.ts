import type { IncomingHttpHeaders } from 'node:http';
import type { PutOptions } from '../aws/s3.js';

export interface S3Request {
  readonly method: string;
  readonly url: URL;
  readonly headers: IncomingHttpHeaders;
  readonly body: Uint8Array;
  readonly account: string;
  readonly region: string;
  readonly pageLimit: number | undefined;
}

export interface S3Target {
  readonly bucket: string;
  readonly key: string;
  readonly action: string;
}

/** Path style `/bucket/key`, or virtual-host style where the host is more than an address or `localhost`. */
export function s3Target(method: string, url: URL, host: string): S3Target {
  const name = host.split(':')[0] ?? '';
  const [, virtual] = /^(.+)\.(?:localhost|s3[.-].*|127\.0\.0\.1)$/.exec(name) ?? [];
  const path = decodeURIComponent(url.pathname.slice(1));
  const slash = path.indexOf('/');
  const bucket = virtual ?? (slash < 0 ? path : path.slice(0, slash));
  const key = virtual ? path : slash < 0 ? '' : path.slice(slash + 1);
  return { bucket, key, action: s3Action(method, bucket, key, url.searchParams) };
}

function s3Action(method: string, bucket: string, key: string, query: URLSearchParams): string {
  if (bucket === '') return 'ListBuckets';
  if (key === '') return bucketAction(method, query);
  if (query.has('uploads') && method === 'POST') return 'CreateMultipartUpload';
  const byMethod = query.has('uploadId') ? PARTS : OBJECTS;
  return byMethod[method] ?? `${method}Object`;
}

function bucketAction(method: string, query: URLSearchParams): string {
  if (method === 'POST' && query.has('delete')) return 'DeleteObjects';
  if (method === 'GET' && query.has('location')) return 'GetBucketLocation';
  if (method === 'GET' && query.has('uploads')) return 'ListMultipartUploads';
  const sub = [...query.keys()].find((name) => BUCKET_SETTINGS.has(name));
  return sub ? `${method}Bucket${sub}` : (BUCKETS[method] ?? `${method}Bucket`);
}

type ByMethod = Readonly<Record<string, string>>;

const BUCKETS: ByMethod = {
  PUT: 'CreateBucket',
  DELETE: 'DeleteBucket',
  HEAD: 'HeadBucket',
  GET: 'ListObjectsV2',
};
const OBJECTS: ByMethod = {
  PUT: 'PutObject',
  DELETE: 'DeleteObject',
  HEAD: 'HeadObject',
  GET: 'GetObject',
};
const PARTS: ByMethod = {
  PUT: 'UploadPart',
  POST: 'CompleteMultipartUpload',
  DELETE: 'AbortMultipartUpload',
};

const BUCKET_SETTINGS = new Set([
  'versioning',
  'encryption',
  'tagging',
  'policy',
  'lifecycle',
  'publicAccessBlock',
  'acl',
]);

export const single = (value: string | string[] | undefined): string | undefined =>
  Array.isArray(value) ? value[0] : value;

/** What the headers of a write say about the object. */
export function putOptions(headers: IncomingHttpHeaders): PutOptions {
  const metadata = Object.entries(headers).flatMap(([name, value]) =>
    name.startsWith('x-amz-meta-') ? [[name.slice('x-amz-meta-'.length), String(value)] as const] : [],
  );
  const contentType = single(headers['content-type']);
  const etag = single(headers['if-match']);
  return {
    metadata: Object.fromEntries(metadata),
    onlyIfAbsent: headers['if-none-match'] === '*',
    ...(contentType !== undefined && { contentType }),
    ...(etag !== undefined && { onlyIfEtag: etag }),
  };
}
