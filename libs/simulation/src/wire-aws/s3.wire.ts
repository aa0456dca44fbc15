import { AwsError } from '../aws/aws-error.js';
import type { AwsWorld } from '../aws/aws-world.js';
import { checkedDigest } from '../aws/s3-multipart.js';
import type { StoredObject } from '../aws/s3.js';
import type { Reply } from './reply.js';
import { s3Xml } from './reply.js';
import { MULTIPART_HANDLERS } from './s3-multipart.wire.js';
import { putOptions, single, type S3Request, type S3Target } from './s3-requests.js';
import { RawXml, xmlChildren } from './xml.js';

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

function putObject(world: AwsWorld, { headers, body, account }: S3Request, { bucket, key }: S3Target): Reply {
  if (headers['x-amz-copy-source'] !== undefined) throw notSimulated('CopyObject');
  checkedDigest(body, single(headers['x-amz-checksum-sha256']));
  const object = world.objects.put(account, bucket, key, body, putOptions(headers));
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
  ...MULTIPART_HANDLERS,
  DeleteObject: (world, { account }, { bucket, key }) => {
    world.objects.delete(account, bucket, key);
    return empty(204);
  },
};

const notSimulated = (action: string): AwsError =>
  new AwsError('NotImplemented', `The simulated S3 does not know ${action}.`, 501);

export function s3Reply(world: AwsWorld, request: S3Request, target: S3Target): Reply {
  const owner = single(request.headers['x-amz-expected-bucket-owner']);
  if (owner !== undefined && target.action !== 'CreateBucket') {
    const actual = world.objects.bucketOwner(target.bucket) ?? owner;
    if (actual !== owner) throw new AwsError('AccessDenied', 'Access Denied', 403);
  }
  const handler = HANDLERS[target.action];
  if (!handler) throw notSimulated(target.action);
  return handler(world, request, target);
}
