import {
  CreateAutoScalingGroupCommand,
  DescribeAutoScalingGroupsCommand,
  ResumeProcessesCommand,
  SuspendProcessesCommand,
  type AutoScalingGroup,
} from '@aws-sdk/client-auto-scaling';
import { DescribeStacksCommand, ValidateTemplateCommand } from '@aws-sdk/client-cloudformation';
import {
  DescribeAvailabilityZonesCommand,
  DescribeImagesCommand,
  DescribeInstancesCommand,
  DescribeInstanceTypesCommand,
  DescribeSubnetsCommand,
  CreateLaunchTemplateCommand,
} from '@aws-sdk/client-ec2';
import { DecryptCommand, EncryptCommand } from '@aws-sdk/client-kms';
import {
  CreateBucketCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { AssumeRoleCommand, GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AwsError, defaultImages } from '#simulation';
import { ACCOUNT, OTHER, REGION, startAwsBench, type AwsBench } from './aws-wire.bench.js';
import { poolTemplate } from './aws-wire.fixture.js';

let bench: AwsBench;
let aws: AwsBench['aws'];

beforeAll(async () => {
  bench = await startAwsBench();
  aws = bench.aws;
});

afterAll(() => bench.close());

async function group(): Promise<AutoScalingGroup | undefined> {
  const { AutoScalingGroups } = await aws.asg.send(
    new DescribeAutoScalingGroupsCommand({ AutoScalingGroupNames: ['workers'] }),
  );
  return AutoScalingGroups?.[0];
}

async function createGroup(): Promise<void> {
  const LaunchTemplateName = 'workers';
  await aws.ec2.send(
    new CreateLaunchTemplateCommand({
      LaunchTemplateName,
      LaunchTemplateData: { ImageId: defaultImages[0]?.id, InstanceType: 'm5.large' },
    }),
  );
  const size = { MinSize: 1, MaxSize: 2 };
  await aws.asg.send(
    new CreateAutoScalingGroupCommand({
      AutoScalingGroupName: 'workers',
      LaunchTemplate: { LaunchTemplateName, Version: '1' },
      AvailabilityZones: [`${REGION}a`],
      ...size,
    }),
  );
}

describe('identity', () => {
  it('tells who calls, and assumes roles of other accounts', async () => {
    expect((await aws.sts.send(new GetCallerIdentityCommand({}))).Account).toBe(ACCOUNT);
    const role = { RoleArn: `arn:aws:iam::${OTHER}:role/fairway`, RoleSessionName: 'test' };
    const { Credentials } = await aws.sts.send(new AssumeRoleCommand(role));
    const credentials = {
      accessKeyId: Credentials?.AccessKeyId as string,
      secretAccessKey: Credentials?.SecretAccessKey as string,
      sessionToken: Credentials?.SessionToken as string,
    };
    const there = new STSClient({ ...bench.settings(), credentials });
    const identity = await there.send(new GetCallerIdentityCommand({}));
    expect(identity).toMatchObject({
      Account: OTHER,
      Arn: `arn:aws:sts::${OTHER}:assumed-role/fairway/test`,
    });
    const foreign = { RoleArn: `arn:aws:iam::${OTHER}:role/admin`, RoleSessionName: 'test' };
    await expect(aws.sts.send(new AssumeRoleCommand(foreign))).rejects.toMatchObject({
      name: 'AccessDenied',
    });
  });

  it('refuses unknown keys', async () => {
    const client = new STSClient({
      ...bench.settings(),
      credentials: { accessKeyId: 'AKIANOBODY', secretAccessKey: 'x' },
    });
    await expect(client.send(new GetCallerIdentityCommand({}))).rejects.toMatchObject({
      name: 'InvalidClientTokenId',
      $metadata: { httpStatusCode: 403 },
    });
  });
});

describe('the rest of the estate', () => {
  it('knows zones, images and instance types', async () => {
    const { AvailabilityZones } = await aws.ec2.send(new DescribeAvailabilityZonesCommand({}));
    expect(AvailabilityZones?.map(({ ZoneName }) => ZoneName)).toEqual([
      'eu-central-1a',
      'eu-central-1b',
      'eu-central-1c',
    ]);
    const { Images } = await aws.ec2.send(
      new DescribeImagesCommand({ Filters: [{ Name: 'name', Values: ['*broken'] }] }),
    );
    expect(Images?.map(({ ImageId }) => ImageId)).toEqual(['ami-0bad00000000000bd']);
    const { InstanceTypes } = await aws.ec2.send(
      new DescribeInstanceTypesCommand({ InstanceTypes: ['m5.large'] }),
    );
    expect(InstanceTypes?.[0]).toMatchObject({
      VCpuInfo: { DefaultVCpus: 2 },
      MemoryInfo: { SizeInMiB: 8192 },
    });
    const filter = { Filters: [{ Name: 'tag:fairway.dev/role', Values: ['nodes'] }] };
    const first = await aws.ec2.send(new DescribeSubnetsCommand(filter));
    const rest = await aws.ec2.send(new DescribeSubnetsCommand({ ...filter, NextToken: first.NextToken }));
    expect([first.Subnets?.length, rest.Subnets?.length, rest.NextToken]).toEqual([2, 1, undefined]);
    await expect(
      aws.ec2.send(new DescribeInstancesCommand({ InstanceIds: ['i-nope'] })),
    ).rejects.toMatchObject({
      name: 'InvalidInstanceID.NotFound',
    });
  });

  it('stores objects, by buffer and by stream, and pages their list', async () => {
    await aws.s3.send(new CreateBucketCommand({ Bucket: 'templates' }));
    for (const key of ['a/1', 'a/2', 'a/3 & more']) {
      await aws.s3.send(
        new PutObjectCommand({
          Bucket: 'templates',
          Key: key,
          Body: `body of ${key}`,
          Metadata: { digest: key },
        }),
      );
    }
    const streamed = Buffer.alloc(200_000, 'x');
    await aws.s3.send(
      new PutObjectCommand({
        Bucket: 'templates',
        Key: 'stream',
        Body: Readable.from([streamed]),
        ContentLength: streamed.length,
      }),
    );
    const { ContentLength } = await aws.s3.send(
      new HeadObjectCommand({ Bucket: 'templates', Key: 'stream' }),
    );
    expect(ContentLength).toBe(200_000);
    const { Body, Metadata } = await aws.s3.send(
      new GetObjectCommand({ Bucket: 'templates', Key: 'a/3 & more' }),
    );
    expect([await Body?.transformToString(), Metadata]).toEqual([
      'body of a/3 & more',
      { digest: 'a/3 & more' },
    ]);
    const first = await aws.s3.send(new ListObjectsV2Command({ Bucket: 'templates', Prefix: 'a/' }));
    expect(first).toMatchObject({ IsTruncated: true, KeyCount: 2 });
    const rest = await aws.s3.send(
      new ListObjectsV2Command({
        Bucket: 'templates',
        Prefix: 'a/',
        ContinuationToken: first.NextContinuationToken,
      }),
    );
    expect(rest.Contents?.map(({ Key }) => Key)).toEqual(['a/3 & more']);
    await expect(
      aws.s3.send(new GetObjectCommand({ Bucket: 'templates', Key: 'none' })),
    ).rejects.toMatchObject({ name: 'NoSuchKey' });
    await expect(
      aws.s3.send(new HeadObjectCommand({ Bucket: 'templates', Key: 'none' })),
    ).rejects.toMatchObject({ name: 'NotFound' });
    const again = new PutObjectCommand({ Bucket: 'templates', Key: 'a/1', Body: 'x', IfNoneMatch: '*' });
    await expect(aws.s3.send(again)).rejects.toMatchObject({ name: 'PreconditionFailed' });
    const other = new S3Client({ ...bench.settings(OTHER), forcePathStyle: true });
    await expect(other.send(new GetObjectCommand({ Bucket: 'templates', Key: 'a/1' }))).rejects.toMatchObject(
      { name: 'AccessDenied' },
    );
  });

  it('takes large templates from S3 only', async () => {
    const large = `${poolTemplate}\n#${'x'.repeat(60_000)}`;
    await expect(aws.cfn.send(new ValidateTemplateCommand({ TemplateBody: large }))).rejects.toMatchObject({
      name: 'ValidationError',
    });
    await aws.s3.send(new PutObjectCommand({ Bucket: 'templates', Key: 'pool.yaml', Body: large }));
    const validated = await aws.cfn.send(
      new ValidateTemplateCommand({ TemplateURL: `${bench.endpoint}/templates/pool.yaml` }),
    );
    expect(validated.Parameters?.map(({ ParameterKey }) => ParameterKey)).toEqual([
      'Image',
      'Size',
      'Subnets',
    ]);
    expect(validated.Capabilities).toEqual(['CAPABILITY_NAMED_IAM']);
  });

  it('encrypts and decrypts, under the same context only', async () => {
    const key = bench.world.region(ACCOUNT, REGION).kms.createKey('alias/fairway');
    const EncryptionContext = { file: 'a' };
    const { CiphertextBlob } = await aws.kms.send(
      new EncryptCommand({ KeyId: 'alias/fairway', Plaintext: Buffer.from('hush'), EncryptionContext }),
    );
    const { Plaintext, KeyId } = await aws.kms.send(
      new DecryptCommand({ CiphertextBlob, EncryptionContext }),
    );
    expect([Buffer.from(Plaintext ?? []).toString(), KeyId]).toEqual(['hush', key.arn]);
    await expect(aws.kms.send(new DecryptCommand({ CiphertextBlob }))).rejects.toMatchObject({
      name: 'InvalidCiphertextException',
    });
    expect(JSON.stringify(bench.world.calls.query({ service: 'kms' }))).not.toContain(
      Buffer.from('hush').toString('base64'),
    );
  });
});

describe('faults and the log', () => {
  beforeAll(createGroup);

  it('fails, throttles, denies', async () => {
    bench.world.faults.failNext(
      { action: 'DescribeStacks' },
      new AwsError('ServiceUnavailable', 'try later', 503),
    );
    await expect(aws.cfn.send(new DescribeStacksCommand({}))).rejects.toMatchObject({
      name: 'ServiceUnavailable',
    });
    const calm = bench.world.faults.throttle({ service: 'ec2' });
    await expect(aws.ec2.send(new DescribeInstancesCommand({}))).rejects.toMatchObject({
      name: 'RequestLimitExceeded',
    });
    calm();
    const allow = bench.world.faults.deny(ACCOUNT, { service: 'autoscaling' });
    await expect(group()).rejects.toMatchObject({ name: 'AccessDenied', $metadata: { httpStatusCode: 403 } });
    allow();
    expect(await group()).toMatchObject({ DesiredCapacity: 1 });
  });

  it('cuts the reply of a call that took effect', async () => {
    const name = 'workers';
    bench.world.faults.dropReplyNext({ action: 'SuspendProcesses' });
    const since = bench.world.calls.length;
    await expect(
      aws.asg.send(new SuspendProcessesCommand({ AutoScalingGroupName: name, ScalingProcesses: ['Launch'] })),
    ).rejects.toThrow();
    expect(bench.world.calls.query({ since, action: 'SuspendProcesses' })).toMatchObject([
      {
        outcome: 'ok',
        replyDropped: true,
        mutating: true,
        account: ACCOUNT,
        region: REGION,
        params: { AutoScalingGroupName: name },
      },
    ]);
    expect((await group())?.SuspendedProcesses?.map(({ ProcessName }) => ProcessName)).toEqual(['Launch']);
    await aws.asg.send(
      new ResumeProcessesCommand({ AutoScalingGroupName: name, ScalingProcesses: ['Launch'] }),
    );
  });
});
