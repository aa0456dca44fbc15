import type { AwsWorld } from '../aws/aws-world.js';
import type { PartName } from '../aws/s3-multipart.js';
import type { Reply } from './reply.js';
import { s3Xml } from './reply.js';
import { putOptions, single, type S3Request, type S3Target } from './s3-requests.js';
import { RawXml, xmlChildren } from './xml.js';

type S3Handler = (world: AwsWorld, request: S3Request, target: S3Target) => Reply;

const xml = (body: string): Reply => ({ status: 200, headers: { 'content-type': 'application/xml' }, body });

const uploadIdOf = ({ url }: S3Request): string => url.searchParams.get('uploadId') ?? '';

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html */
export const MULTIPART_HANDLERS: Readonly<Record<string, S3Handler>> = {
  CreateMultipartUpload: (world, { account, headers }, { bucket, key }) => {
    const upload = world.objects.uploads.begin(account, bucket, key, putOptions(headers));
    return xml(s3Xml('InitiateMultipartUploadResult', { Bucket: bucket, Key: key, UploadId: upload.id }));
  },
  UploadPart: (world, request) => {
    const number = Number(request.url.searchParams.get('partNumber'));
    const told = single(request.headers['x-amz-checksum-sha256']);
    const { account, body } = request;
    const part = world.objects.uploads.part(account, uploadIdOf(request), number, body, told);
    return { status: 200, headers: { etag: part.etag, 'x-amz-checksum-sha256': part.sha256 }, body: '' };
  },
  CompleteMultipartUpload: (world, request, { bucket, key }) => {
    const condition = { onlyIfAbsent: request.headers['if-none-match'] === '*' };
    const names = partNames(Buffer.from(request.body).toString('utf8'));
    const object = world.objects.uploads.complete(request.account, uploadIdOf(request), names, condition);
    return xml(s3Xml('CompleteMultipartUploadResult', { Bucket: bucket, Key: key, ETag: object.etag }));
  },
  AbortMultipartUpload: (world, request) => {
    world.objects.uploads.abort(request.account, uploadIdOf(request));
    return { status: 204, headers: {}, body: '' };
  },
  ListMultipartUploads: (world, { account, url }, { bucket }) => {
    const uploads = world.objects.uploads.list(account, bucket, url.searchParams.get('prefix') ?? '');
    const rows = uploads.map(
      ({ key, id, initiatedAt }) =>
        `<Upload>${xmlChildren({ Key: key, UploadId: id, Initiated: new Date(initiatedAt) }, '')}</Upload>`,
    );
    const head = xmlChildren({ Bucket: bucket, IsTruncated: false }, '');
    return xml(s3Xml('ListMultipartUploadsResult', new RawXml(head + rows.join(''))));
  },
};

function partNames(text: string): readonly PartName[] {
  return [...text.matchAll(/<Part>(.*?)<\/Part>/gs)].map(([, part = '']) => {
    const field = (name: string): string | undefined =>
      new RegExp(`<${name}>([^<]*)</${name}>`).exec(part)?.[1]?.replaceAll('&quot;', '"');
    const sha256 = field('ChecksumSHA256');
    return {
      number: Number(field('PartNumber')),
      etag: field('ETag') ?? '',
      ...(sha256 !== undefined && { sha256 }),
    };
  });
}
