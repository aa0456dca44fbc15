import {
  AttachInstancesCommand,
  CreateOrUpdateTagsCommand,
  DescribeAutoScalingInstancesCommand,
  DescribeScalingActivitiesCommand,
  paginateDescribeAutoScalingGroups,
  ResumeProcessesCommand,
  SetDesiredCapacityCommand,
  SetInstanceProtectionCommand,
  SuspendProcessesCommand,
  TerminateInstanceInAutoScalingGroupCommand,
  type AutoScalingGroup,
} from '@aws-sdk/client-auto-scaling';
import {
  DescribeStackEventsCommand,
  DescribeStacksCommand,
  DeleteStackCommand,
  ExecuteChangeSetCommand,
  GetTemplateCommand,
  ListStackResourcesCommand,
  UpdateStackCommand,
  UpdateTerminationProtectionCommand,
} from '@aws-sdk/client-cloudformation';
import {
  DescribeInstancesCommand,
  DescribeLaunchTemplateVersionsCommand,
  RunInstancesCommand,
} from '@aws-sdk/client-ec2';
import {
  DescribeTargetGroupsCommand,
  DescribeTargetHealthCommand,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { defaultImages } from '#simulation';
import { eventually } from '../support/eventually.js';
import { ACCOUNT, REGION, poolChangeSet, startAwsBench, type AwsBench } from './aws-wire.bench.js';
import { poolTemplate } from './aws-wire.fixture.js';

let bench: AwsBench;
let aws: AwsBench['aws'];

beforeAll(async () => {
  bench = await startAwsBench();
  aws = bench.aws;
});

afterAll(() => bench.close());

const CLUSTER_TAG = 'kubernetes.io/cluster/aws:123456789012:eu-central-1:kube-1';

async function group(): Promise<AutoScalingGroup> {
  const pages = paginateDescribeAutoScalingGroups(
    { client: aws.asg },
    { Filters: [{ Name: `tag:${CLUSTER_TAG}`, Values: ['owned'] }] },
  );
  const all: AutoScalingGroup[] = [];
  for await (const { AutoScalingGroups = [] } of pages) all.push(...AutoScalingGroups);
  return all[0] as AutoScalingGroup;
}

const inService = (current: AutoScalingGroup): number =>
  current.Instances?.filter((instance) => instance.LifecycleState === 'InService').length ?? 0;

const changeSet = (name: string, type: 'CREATE' | 'UPDATE', image: string, capabilities?: []) =>
  poolChangeSet(bench, { name, type, image, capabilities: capabilities ?? ['CAPABILITY_NAMED_IAM'] });

const stackStatus = async (wanted: RegExp): Promise<string> =>
  eventually(async () => {
    const { Stacks } = await aws.cfn.send(new DescribeStacksCommand({ StackName: 'nodepool-workers' }));
    const status = Stacks?.[0]?.StackStatus ?? '';
    return wanted.test(status) ? status : undefined;
  }, `stack ${wanted}`);

const [oldImage, newImage] = defaultImages.map(({ id }) => id) as [string, string];

describe('a node pool stack', () => {
  it('needs its capability', async () => {
    await expect(changeSet('no-capability', 'CREATE', oldImage, [])).rejects.toMatchObject({
      name: 'InsufficientCapabilitiesException',
    });
    await expect(
      aws.cfn.send(new DescribeStacksCommand({ StackName: 'nodepool-workers' })),
    ).rejects.toMatchObject({
      name: 'ValidationError',
      message: 'Stack with id nodepool-workers does not exist',
    });
  });

  it('is created by a change set', async () => {
    const { id, found } = await changeSet('create', 'CREATE', oldImage);
    expect(found).toMatchObject({ Status: 'CREATE_COMPLETE', ExecutionStatus: 'AVAILABLE' });
    expect(found.Changes?.[0]?.ResourceChange?.Action).toBe('Add');
    await aws.cfn.send(new ExecuteChangeSetCommand({ ChangeSetName: id, ClientRequestToken: 'once' }));
    await aws.cfn.send(new ExecuteChangeSetCommand({ ChangeSetName: id, ClientRequestToken: 'once' }));
    await stackStatus(/^CREATE_COMPLETE$/);
    const { Stacks } = await aws.cfn.send(new DescribeStacksCommand({ StackName: 'nodepool-workers' }));
    expect(Stacks?.[0]?.Tags).toEqual([{ Key: 'team', Value: 'platform & <friends>' }]);
    expect(Stacks?.[0]?.Outputs?.map(({ OutputKey }) => OutputKey)).toEqual(['GroupName', 'Endpoint']);
    const { StackEvents } = await aws.cfn.send(
      new DescribeStackEventsCommand({ StackName: 'nodepool-workers' }),
    );
    expect(StackEvents?.[0]).toMatchObject({
      LogicalResourceId: 'nodepool-workers',
      ResourceStatus: 'CREATE_COMPLETE',
    });
    expect(StackEvents?.[0]?.Timestamp).toBeInstanceOf(Date);
  });

  it('has a group with running instances in three zones', async () => {
    const current = await group();
    expect(current).toMatchObject({ MinSize: 3, MaxSize: 6, DesiredCapacity: 3 });
    expect(inService(current)).toBe(3);
    expect(new Set(current.Instances?.map((instance) => instance.AvailabilityZone)).size).toBe(3);
    expect(current.Instances?.[0]?.LaunchTemplate?.Version).toBe('1');
    const ids = current.Instances?.map(({ InstanceId }) => InstanceId as string) ?? [];
    const { Reservations } = await aws.ec2.send(
      new DescribeInstancesCommand({ InstanceIds: ids.slice(0, 1) }),
    );
    const instance = Reservations?.[0]?.Instances?.[0];
    expect(instance?.State?.Name).toBe('running');
    expect(instance?.LaunchTime).toBeInstanceOf(Date);
    expect(instance?.Tags).toContainEqual({ Key: 'kubernetes.io/node-pool', Value: 'workers' });
    const { LaunchTemplateVersions } = await aws.ec2.send(
      new DescribeLaunchTemplateVersionsCommand({
        LaunchTemplateId: current.LaunchTemplate?.LaunchTemplateId,
        Versions: ['$Latest'],
      }),
    );
    const userData = LaunchTemplateVersions?.[0]?.LaunchTemplateData?.UserData ?? '';
    expect(Buffer.from(userData, 'base64').toString()).toBe(`#!/bin/sh\necho nodepool-workers ${oldImage}\n`);
  });

  it('turns targets healthy after they have booted', async () => {
    const { TargetGroups } = await aws.elb.send(new DescribeTargetGroupsCommand({}));
    const arn = TargetGroups?.[0]?.TargetGroupArn as string;
    const healthy = await eventually(async () => {
      const { TargetHealthDescriptions = [] } = await aws.elb.send(
        new DescribeTargetHealthCommand({ TargetGroupArn: arn }),
      );
      const states = TargetHealthDescriptions.map(({ TargetHealth }) => TargetHealth?.State);
      return states.every((state) => state === 'healthy') ? states.length : undefined;
    });
    expect(healthy).toBe(3);
  });

  it('answers a change set without changes with FAILED, and an update with ValidationError', async () => {
    const { found } = await changeSet('nothing', 'UPDATE', oldImage);
    expect(found).toMatchObject({
      Status: 'FAILED',
      ExecutionStatus: 'UNAVAILABLE',
      StatusReason:
        "The submitted information didn't contain changes. Submit different information to create a change set.",
    });
    const same = {
      StackName: 'nodepool-workers',
      UsePreviousTemplate: true,
      Capabilities: ['CAPABILITY_NAMED_IAM' as const],
    };
    const Parameters = ['Image', 'Subnets'].map((key) => ({ ParameterKey: key, UsePreviousValue: true }));
    await expect(aws.cfn.send(new UpdateStackCommand({ ...same, Parameters }))).rejects.toMatchObject({
      name: 'ValidationError',
      message: 'No updates are to be performed.',
    });
  });

  it('gives the group a new template version and leaves the instances alone', async () => {
    const before = (await group()).Instances?.map(({ InstanceId }) => InstanceId).sort();
    const { id, found } = await changeSet('new-image', 'UPDATE', newImage);
    const changes = found.Changes?.map(({ ResourceChange: change }) => [
      change?.LogicalResourceId,
      change?.Action,
      change?.Replacement,
    ]);
    expect(changes).toEqual([
      ['Template', 'Modify', 'False'],
      ['Group', 'Modify', 'False'],
    ]);
    await aws.cfn.send(new ExecuteChangeSetCommand({ ChangeSetName: id }));
    await stackStatus(/^UPDATE_COMPLETE$/);
    const after = await group();
    expect(after.LaunchTemplate?.Version).toBe('2');
    expect(after.Instances?.map(({ InstanceId }) => InstanceId).sort()).toEqual(before);
    expect(after.Instances?.every(({ LaunchTemplate }) => LaunchTemplate?.Version === '1')).toBe(true);
  });
});

describe('replacing an instance', () => {
  it('surges, terminates with decrement, and refuses the repetition', async () => {
    const { AutoScalingGroupName: name = '', Instances = [] } = await group();
    await aws.asg.send(
      new SuspendProcessesCommand({ AutoScalingGroupName: name, ScalingProcesses: ['AZRebalance'] }),
    );
    await aws.asg.send(new SetDesiredCapacityCommand({ AutoScalingGroupName: name, DesiredCapacity: 4 }));
    const grown = await eventually(async () => {
      const current = await group();
      return inService(current) === 4 ? current : undefined;
    });
    expect(grown.SuspendedProcesses?.map(({ ProcessName }) => ProcessName)).toEqual(['AZRebalance']);
    expect(grown.Instances?.filter(({ LaunchTemplate }) => LaunchTemplate?.Version === '2')).toHaveLength(1);
    const victim = Instances[0]?.InstanceId as string;
    const terminate = { InstanceId: victim, ShouldDecrementDesiredCapacity: true };
    const { Activity } = await aws.asg.send(new TerminateInstanceInAutoScalingGroupCommand(terminate));
    expect(Activity?.Description).toBe(`Terminating EC2 instance: ${victim}`);
    await expect(
      aws.asg.send(new TerminateInstanceInAutoScalingGroupCommand(terminate)),
    ).rejects.toMatchObject({
      name: 'ValidationError',
      $metadata: { httpStatusCode: 400 },
    });
    await eventually(async () => inService(await group()) === 3 && (await group()).Instances?.length === 3);
    expect((await group()).DesiredCapacity).toBe(3);
    await aws.asg.send(
      new ResumeProcessesCommand({ AutoScalingGroupName: name, ScalingProcesses: ['AZRebalance'] }),
    );
  });

  it('refuses a desired capacity above the maximum', async () => {
    const { AutoScalingGroupName: name } = await group();
    const tooMany = new SetDesiredCapacityCommand({ AutoScalingGroupName: name, DesiredCapacity: 9 });
    await expect(aws.asg.send(tooMany)).rejects.toMatchObject({ name: 'ValidationError' });
  });

  it('tags, protects and attaches', async () => {
    const { AutoScalingGroupName: name = '', Instances = [], LaunchTemplate } = await group();
    const InstanceIds = [Instances[0]?.InstanceId as string];
    await aws.asg.send(
      new SetInstanceProtectionCommand({
        AutoScalingGroupName: name,
        InstanceIds,
        ProtectedFromScaleIn: true,
      }),
    );
    const { AutoScalingInstances } = await aws.asg.send(
      new DescribeAutoScalingInstancesCommand({ InstanceIds }),
    );
    expect(AutoScalingInstances?.[0]).toMatchObject({ ProtectedFromScaleIn: true, HealthStatus: 'HEALTHY' });
    const tag = {
      ResourceId: name,
      ResourceType: 'auto-scaling-group',
      Key: 'fairway.dev/marker',
      Value: 'x',
      PropagateAtLaunch: false,
    };
    await aws.asg.send(new CreateOrUpdateTagsCommand({ Tags: [tag] }));
    expect((await group()).Tags).toContainEqual(
      expect.objectContaining({ Key: 'fairway.dev/marker', Value: 'x' }),
    );
    const reference = { LaunchTemplateId: LaunchTemplate?.LaunchTemplateId, Version: '2' };
    const run = new RunInstancesCommand({
      LaunchTemplate: reference,
      MinCount: 1,
      MaxCount: 1,
      ClientToken: 'surge-1',
    });
    const first = (await aws.ec2.send(run)).Instances?.[0]?.InstanceId as string;
    expect((await aws.ec2.send(run)).Instances?.[0]?.InstanceId).toBe(first);
    const attach = new AttachInstancesCommand({ AutoScalingGroupName: name, InstanceIds: [first] });
    await eventually(() => aws.asg.send(attach));
    expect(await group()).toMatchObject({ DesiredCapacity: 4 });
    const { Activities = [] } = await aws.asg.send(
      new DescribeScalingActivitiesCommand({ AutoScalingGroupName: name }),
    );
    expect(Activities.map(({ Description }) => Description)).toContain(
      `Attaching an existing EC2 instance: ${first}`,
    );
  });
});

describe('its end', () => {
  it('deletes the stack with all that it made, unless protected', async () => {
    const StackName = 'nodepool-workers';
    await aws.cfn.send(
      new UpdateTerminationProtectionCommand({ StackName, EnableTerminationProtection: true }),
    );
    await expect(aws.cfn.send(new DeleteStackCommand({ StackName }))).rejects.toMatchObject({
      name: 'ValidationError',
    });
    await aws.cfn.send(
      new UpdateTerminationProtectionCommand({ StackName, EnableTerminationProtection: false }),
    );
    expect((await aws.cfn.send(new GetTemplateCommand({ StackName }))).TemplateBody).toBe(poolTemplate);
    const { Stacks } = await aws.cfn.send(new DescribeStacksCommand({ StackName }));
    await aws.cfn.send(new DeleteStackCommand({ StackName }));
    const StackId = Stacks?.[0]?.StackId as string;
    await eventually(async () => {
      const gone = await aws.cfn.send(new DescribeStacksCommand({ StackName: StackId }));
      return gone.Stacks?.[0]?.StackStatus === 'DELETE_COMPLETE';
    });
    await expect(aws.cfn.send(new ListStackResourcesCommand({ StackName }))).rejects.toMatchObject({
      name: 'ValidationError',
    });
    expect(await group()).toBeUndefined();
    expect(
      bench.world
        .region(ACCOUNT, REGION)
        .instances.all()
        .filter(({ state }) => state === 'running'),
    ).toEqual([]);
  });
});
