import { AutoScalingClient } from '@aws-sdk/client-auto-scaling';
import {
  CloudFormationClient,
  CreateChangeSetCommand,
  DescribeChangeSetCommand,
} from '@aws-sdk/client-cloudformation';
import { EC2Client } from '@aws-sdk/client-ec2';
import { ElasticLoadBalancingV2Client } from '@aws-sdk/client-elastic-load-balancing-v2';
import { KMSClient } from '@aws-sdk/client-kms';
import { S3Client } from '@aws-sdk/client-s3';
import { STSClient } from '@aws-sdk/client-sts';
import { AwsServer, AwsWorld, ScaledScheduler, SeededRandom } from '#simulation';
import { eventually } from '../support/eventually.js';
import { poolTemplate } from './aws-wire.fixture.js';

export const ACCOUNT = '123456789012';
export const OTHER = '210987654321';
export const REGION = 'eu-central-1';

/** The simulated AWS on a free port, with the real SDK's clients pointed at it; pages have two entries. */
export async function startAwsBench() {
  const scheduler = new ScaledScheduler(2000);
  const world = new AwsWorld({ scheduler, random: new SeededRandom(7) });
  const server = new AwsServer(world, { pageLimit: 2 });
  world.addAccount({ id: ACCOUNT });
  world.addAccount({ id: OTHER, roles: ['fairway'] });
  const endpoint = await server.listen();
  const settings = (account = ACCOUNT) => {
    const { accessKeyId, secretAccessKey } = world.accessKey(account);
    return { endpoint, region: REGION, credentials: { accessKeyId, secretAccessKey }, maxAttempts: 1 };
  };
  const aws = {
    asg: new AutoScalingClient(settings()),
    cfn: new CloudFormationClient(settings()),
    ec2: new EC2Client(settings()),
    elb: new ElasticLoadBalancingV2Client(settings()),
    kms: new KMSClient(settings()),
    s3: new S3Client({ ...settings(), forcePathStyle: true }),
    sts: new STSClient(settings()),
  };
  const close = async (): Promise<void> => {
    for (const client of Object.values(aws)) client.destroy();
    await server.close();
    scheduler.close();
  };
  return { world, aws, endpoint, settings, close };
}

export type AwsBench = Awaited<ReturnType<typeof startAwsBench>>;

export interface PoolChangeSet {
  readonly name: string;
  readonly type: 'CREATE' | 'UPDATE';
  readonly image: string;
  readonly capabilities: ['CAPABILITY_NAMED_IAM'] | [];
}

/** Creates a change set for the stack `nodepool-workers` and waits until it is computed. */
export async function poolChangeSet(
  { aws, world }: AwsBench,
  { name, type, image, capabilities }: PoolChangeSet,
) {
  const { subnets } = world.region(ACCOUNT, REGION).network;
  const nodeSubnets = subnets.filter(({ role }) => role === 'nodes').map(({ id }) => id);
  const { Id } = await aws.cfn.send(
    new CreateChangeSetCommand({
      StackName: 'nodepool-workers',
      ChangeSetName: name,
      ChangeSetType: type,
      TemplateBody: poolTemplate,
      Capabilities: capabilities,
      Parameters: [
        { ParameterKey: 'Image', ParameterValue: image },
        { ParameterKey: 'Subnets', ParameterValue: nodeSubnets.join(',') },
      ],
      Tags: [{ Key: 'team', Value: 'platform & <friends>' }],
    }),
  );
  const found = await eventually(async () => {
    const described = await aws.cfn.send(new DescribeChangeSetCommand({ ChangeSetName: Id }));
    return described.Status === 'CREATE_IN_PROGRESS' ? undefined : described;
  });
  return { id: Id as string, found };
}
