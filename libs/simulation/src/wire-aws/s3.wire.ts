import type { IncomingHttpHeaders } from 'node:http';
import { AwsError } from '../aws/aws-error.js';
import type { AwsWorld } from '../aws/aws-world.js';
import type { StoredObject } from '../aws/s3.js';
import type { Reply } from './reply.js';
import { s3Xml } from './reply.js';
import { RawXml, xmlChildren } from './xml.js';

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
  if (key === '') {
    if (method === 'POST' && query.has('delete')) return 'DeleteObjects';
    if (method === 'GET' && query.has('location')) return 'GetBucketLocation';
    const sub = [...query.keys()].find((name) => BUCKET_SETTINGS.has(name));
    if (sub) return `${method}Bucket${sub}`;
    return (
      { PUT: 'CreateBucket', DELETE: 'DeleteBucket', HEAD: 'HeadBucket', GET: 'ListObjectsV2' }[method] ??
      `${method}Bucket`
    );
  }
  return (
    { PUT: 'PutObject', DELETE: 'DeleteObject', HEAD: 'HeadObject', GET: 'GetObject' }[method] ??
    `${method}Object`
  );
}

const BUCKET_SETTINGS = new Set([
  'versioning',
  'encryption',
  'tagging',
  'policy',
  'lifecycle',
  'publicAccessBlock',
  'acl',
]);

type S3Handler = (world: AwsWorld, request: S3Request, target: S3Target) => Reply;

const empty = (status: number, headers: Record<string, string> = {}): Reply => ({
  status,
  headers,
  body: '',
});
const xml = (body: string): Reply => ({ status: 200, headers: { 'content-type': 'application/xml' }, body });

const objectHeaders = (object: StoredObject): Record<string, string> => ({
  etag: object.etag,
  'content-type': object.contentType,
  'last-modified': new Date(object.modifiedAt).toUTCString(),
  'accept-ranges': 'bytes',
  ...Object.fromEntries(Object.entries(object.metadata).map(([key, value]) => [`x-amz-meta-${key}`, value])),
});

const single = (value: string | string[] | undefined): string | undefined =>
  Array.isArray(value) ? value[0] : value;

function putObject(world: AwsWorld, { headers, body, account }: S3Request, { bucket, key }: S3Target): Reply {
  if (headers['x-amz-copy-source'] !== undefined) throw notSimulated('CopyObject');
  const metadata = Object.entries(headers).flatMap(([name, value]) =>
    name.startsWith('x-amz-meta-') ? [[name.slice('x-amz-meta-'.length), String(value)] as const] : [],
  );
  const contentType = single(headers['content-type']);
  const etag = single(headers['if-match']);
  const object = world.objects.put(account, bucket, key, body, {
    metadata: Object.fromEntries(metadata),
    onlyIfAbsent: headers['if-none-match'] === '*',
    ...(contentType !== undefined && { contentType }),
    ...(etag !== undefined && { onlyIfEtag: etag }),
  });
  return empty(200, { etag: object.etag });
}

function getObject(
  world: AwsWorld,
  { headers, account, method }: S3Request,
  { bucket, key }: S3Target,
): Reply {
  const object = world.objects.get(account, bucket, key);
  const own = objectHeaders(object);
  if (headers['if-none-match'] === object.etag) return empty(304, own);
  if (method === 'HEAD') return empty(200, { ...own, 'content-length': String(object.body.length) });
  const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(headers.range ?? '') ?? [];
  if (from === undefined) return { status: 200, headers: own, body: object.body };
  const end = to ? Math.min(Number(to), object.body.length - 1) : object.body.length - 1;
  if (Number(from) > end) throw new AwsError('InvalidRange', 'The requested range is not satisfiable', 416);
  const range = `bytes ${from}-${end}/${object.body.length}`;
  return {
    status: 206,
    headers: { ...own, 'content-range': range },
    body: object.body.slice(Number(from), end + 1),
  };
}

function listObjects(world: AwsWorld, { url, account, pageLimit }: S3Request, { bucket }: S3Target): Reply {
  const query = url.searchParams;
  const prefix = query.get('prefix') ?? '';
  const delimiter = query.get('delimiter') ?? '';
  const after = query.get('continuation-token') ?? query.get('start-after') ?? '';
  const size = Math.min(Number(query.get('max-keys') ?? 1000), pageLimit ?? 1000);
  const rows = new Map<string, StoredObject | undefined>();
  for (const object of world.objects.list(account, bucket, prefix)) {
    const cut = delimiter ? object.key.indexOf(delimiter, prefix.length) : -1;
    if (cut >= 0) rows.set(object.key.slice(0, cut + delimiter.length), undefined);
    else rows.set(object.key, object);
  }
  const names = [...rows.keys()].filter((name) => name > after);
  const shown = names.slice(0, size);
  const contents = shown
    .flatMap((name) => rows.get(name) ?? [])
    .map(
      (object) =>
        `<Contents>${xmlChildren({ Key: object.key, LastModified: new Date(object.modifiedAt), ETag: object.etag, Size: object.body.length, StorageClass: 'STANDARD' }, '')}</Contents>`,
    );
  const prefixes = shown
    .filter((name) => rows.get(name) === undefined)
    .map((name) => `<CommonPrefixes>${xmlChildren({ Prefix: name }, '')}</CommonPrefixes>`);
  const more = names.length > shown.length;
  const head = xmlChildren(
    {
      Name: bucket,
      Prefix: prefix,
      MaxKeys: size,
      KeyCount: shown.length,
      IsTruncated: more,
      NextContinuationToken: more ? shown.at(-1) : undefined,
    },
    '',
  );
  return xml(s3Xml('ListBucketResult', new RawXml(head + contents.join('') + prefixes.join(''))));
}

function deleteObjects(world: AwsWorld, { body, account }: S3Request, { bucket }: S3Target): Reply {
  const keys = [
    ...Buffer.from(body)
      .toString('utf8')
      .matchAll(/<Key>([^<]*)<\/Key>/g),
  ].map(([, key]) => unescapeXml(key as string));
  for (const key of keys) world.objects.delete(account, bucket, key);
  const deleted = keys.map((key) => `<Deleted>${xmlChildren({ Key: key }, '')}</Deleted>`);
  return xml(s3Xml('DeleteResult', new RawXml(deleted.join(''))));
}

const unescapeXml = (text: string): string =>
  text
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&apos;', "'")
    .replaceAll('&amp;', '&');

const HANDLERS: Readonly<Record<string, S3Handler>> = {
  ListBuckets: (world, { account }) => {
    const buckets = world.objects
      .all(account)
      .map(({ name, createdAt }) => ({ Name: name, CreationDate: new Date(createdAt) }));
    const rows = buckets.map((bucket) => `<Bucket>${xmlChildren(bucket, '')}</Bucket>`).join('');
    return xml(s3Xml('ListAllMyBucketsResult', { Owner: { ID: account }, Buckets: new RawXml(rows) }));
  },
  CreateBucket: (world, { account, region }, { bucket }) => {
    world.objects.createBucket(account, region, bucket);
    return empty(200, { location: `/${bucket}` });
  },
  DeleteBucket: (world, { account }, { bucket }) => {
    world.objects.deleteBucket(account, bucket);
    return empty(204);
  },
  HeadBucket: (world, { account }, { bucket }) =>
    empty(200, { 'x-amz-bucket-region': world.objects.bucket(account, bucket).region }),
  GetBucketLocation: (world, { account }, { bucket }) => {
    const { region } = world.objects.bucket(account, bucket);
    return xml(s3Xml('LocationConstraint', new RawXml(region === 'us-east-1' ? '' : region)));
  },
  ListObjectsV2: listObjects,
  DeleteObjects: deleteObjects,
  PutObject: putObject,
  GetObject: getObject,
  HeadObject: getObject,
  DeleteObject: (world, { account }, { bucket, key }) => {
    world.objects.delete(account, bucket, key);
    return empty(204);
  },
};

const notSimulated = (action: string): AwsError =>
  new AwsError('NotImplemented', `The simulated S3 does not know ${action}.`, 501);

export function s3Reply(world: AwsWorld, request: S3Request, target: S3Target): Reply {
  const handler = HANDLERS[target.action];
  if (!handler) throw notSimulated(target.action);
  return handler(world, request, target);
}
