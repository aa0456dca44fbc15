import * as asg from '@aws-sdk/client-auto-scaling';
import * as cfn from '@aws-sdk/client-cloudformation';
import * as ec2 from '@aws-sdk/client-ec2';
import * as elb from '@aws-sdk/client-elastic-load-balancing-v2';
import * as s3 from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { defaultImages } from '#simulation';
import { eventually } from '../support/eventually.js';
import { poolChangeSet, startAwsBench, type AwsBench } from './aws-wire.bench.js';
import { poolTemplate } from './aws-wire.fixture.js';

const StackName = 'nodepool-workers';
let bench: AwsBench;
let aws: AwsBench['aws'];
let groupName = '';
let targetGroup = '';
let balancer = '';

const status = async (): Promise<string | undefined> =>
  (await aws.cfn.send(new cfn.DescribeStacksCommand({ StackName }))).Stacks?.[0]?.StackStatus;

const group = async (): Promise<asg.AutoScalingGroup | undefined> =>
  (await aws.asg.send(new asg.DescribeAutoScalingGroupsCommand({ AutoScalingGroupNames: [groupName] })))
    .AutoScalingGroups?.[0];

beforeAll(async () => {
  bench = await startAwsBench();
  aws = bench.aws;
  const image = defaultImages[0]?.id as string;
  const { id } = await poolChangeSet(bench, {
    name: 'create',
    type: 'CREATE',
    image,
    capabilities: ['CAPABILITY_NAMED_IAM'],
  });
  await aws.cfn.send(new cfn.ExecuteChangeSetCommand({ ChangeSetName: id }));
  await eventually(async () => (await status()) === 'CREATE_COMPLETE');
  const physical = async (LogicalResourceId: string): Promise<string> =>
    (await aws.cfn.send(new cfn.DescribeStackResourcesCommand({ StackName, LogicalResourceId })))
      .StackResources?.[0]?.PhysicalResourceId ?? '';
  groupName = await physical('Group');
  targetGroup = await physical('Targets');
  balancer = await physical('Balancer');
});

afterAll(() => bench.close());

describe('actions beside the main road', () => {
  it('autoscaling: update, tags, detach', async () => {
    await aws.asg.send(
      new asg.UpdateAutoScalingGroupCommand({ AutoScalingGroupName: groupName, MinSize: 1, MaxSize: 7 }),
    );
    const Tags = [{ ResourceId: groupName, ResourceType: 'auto-scaling-group', Key: 'team' }];
    await aws.asg.send(new asg.DeleteTagsCommand({ Tags }));
    const now = await group();
    expect([now?.MinSize, now?.MaxSize, now?.Tags?.some(({ Key }) => Key === 'team')]).toEqual([1, 7, false]);
    const InstanceIds = [now?.Instances?.[0]?.InstanceId as string];
    const detach = { AutoScalingGroupName: groupName, InstanceIds, ShouldDecrementDesiredCapacity: true };
    const { Activities } = await aws.asg.send(new asg.DetachInstancesCommand(detach));
    expect(Activities?.[0]?.StatusCode).toBe('Successful');
    expect(await group()).toMatchObject({ DesiredCapacity: 2 });
    await aws.ec2.send(
      new ec2.CreateTagsCommand({ Resources: InstanceIds, Tags: [{ Key: 'mark', Value: '1' }] }),
    );
    const marked = new ec2.DescribeInstancesCommand({ Filters: [{ Name: 'tag:mark', Values: ['1'] }] });
    expect((await aws.ec2.send(marked)).Reservations?.[0]?.Instances?.[0]?.InstanceId).toBe(InstanceIds[0]);
    const { TerminatingInstances } = await aws.ec2.send(new ec2.TerminateInstancesCommand({ InstanceIds }));
    expect(TerminatingInstances?.[0]).toMatchObject({
      PreviousState: { Name: 'running' },
      CurrentState: { Name: 'shutting-down' },
    });
    const all = new ec2.DescribeInstanceStatusCommand({ InstanceIds, IncludeAllInstances: true });
    // An hour of the simulation later it is forgotten, which is two seconds here.
    const state = (): Promise<string | undefined> =>
      aws.ec2.send(all).then(
        ({ InstanceStatuses }) => InstanceStatuses?.[0]?.InstanceState?.Name,
        (error: Error) => error.name,
      );
    await eventually(async () => /^terminated$|NotFound/.test((await state()) ?? ''), 'its end');
  });

  it('ec2: templates and networks', async () => {
    const { LaunchTemplates } = await aws.ec2.send(new ec2.DescribeLaunchTemplatesCommand({}));
    expect(LaunchTemplates).toMatchObject([{ DefaultVersionNumber: 1, LatestVersionNumber: 1 }]);
    const { Vpcs } = await aws.ec2.send(
      new ec2.DescribeVpcsCommand({ Filters: [{ Name: 'is-default', Values: ['true'] }] }),
    );
    expect(Vpcs?.[0]?.CidrBlock).toBe('10.0.0.0/16');
  });

  it('elbv2: balancers, tags, targets', async () => {
    const { LoadBalancers } = await aws.elb.send(
      new elb.DescribeLoadBalancersCommand({ LoadBalancerArns: [balancer] }),
    );
    expect(LoadBalancers?.[0]).toMatchObject({
      State: { Code: 'active' },
      Type: 'network',
      Scheme: 'internal',
    });
    const { TagDescriptions } = await aws.elb.send(
      new elb.DescribeTagsCommand({ ResourceArns: [targetGroup, balancer] }),
    );
    expect(TagDescriptions?.map(({ Tags }) => Tags?.some(({ Key }) => Key === 'team'))).toEqual([true, true]);
    const target = {
      TargetGroupArn: targetGroup,
      Targets: [{ Id: (await group())?.Instances?.[0]?.InstanceId }],
    };
    await aws.elb.send(new elb.DeregisterTargetsCommand(target));
    const health = async (): Promise<string | undefined> =>
      (await aws.elb.send(new elb.DescribeTargetHealthCommand(target))).TargetHealthDescriptions?.[0]
        ?.TargetHealth?.State;
    await eventually(async () => (await health()) === 'unused');
    await aws.elb.send(new elb.RegisterTargetsCommand(target));
    await eventually(async () => (await health()) === 'healthy');
    const none = new elb.DescribeTargetHealthCommand({ TargetGroupArn: 'arn:none' });
    await expect(aws.elb.send(none)).rejects.toMatchObject({ name: 'TargetGroupNotFoundException' });
  });

  it('cloudformation: change set lists, policies, failed and continued rollbacks', async () => {
    const image = defaultImages[1]?.id as string;
    await poolChangeSet(bench, {
      name: 'unused',
      type: 'UPDATE',
      image,
      capabilities: ['CAPABILITY_NAMED_IAM'],
    });
    const { Summaries } = await aws.cfn.send(new cfn.ListChangeSetsCommand({ StackName }));
    expect(Summaries?.map(({ ChangeSetName }) => ChangeSetName)).toContain('unused');
    await aws.cfn.send(new cfn.DeleteChangeSetCommand({ StackName, ChangeSetName: 'unused' }));
    const gone = new cfn.DescribeChangeSetCommand({ StackName, ChangeSetName: 'unused' });
    await expect(aws.cfn.send(gone)).rejects.toMatchObject({ name: 'ChangeSetNotFoundException' });
    const StackPolicyBody = JSON.stringify({
      Statement: [{ Effect: 'Allow', Action: 'Update:*', Principal: '*', Resource: '*' }],
    });
    await aws.cfn.send(new cfn.SetStackPolicyCommand({ StackName, StackPolicyBody }));
    bench.world.faults.failResource({ logicalId: 'Group', verb: 'update', reason: 'no luck' });
    bench.world.faults.failResource({ logicalId: 'Template', verb: 'rollback', reason: 'still none' });
    const Parameters = [
      { ParameterKey: 'Image', ParameterValue: image },
      { ParameterKey: 'Subnets', UsePreviousValue: true },
    ];
    const Capabilities = ['CAPABILITY_NAMED_IAM' as const];
    await aws.cfn.send(
      new cfn.UpdateStackCommand({ StackName, UsePreviousTemplate: true, Parameters, Capabilities }),
    );
    await eventually(async () => (await status()) === 'UPDATE_ROLLBACK_FAILED');
    await aws.cfn.send(new cfn.ContinueUpdateRollbackCommand({ StackName }));
    await eventually(async () => (await status()) === 'UPDATE_ROLLBACK_COMPLETE');
    const events: cfn.StackEvent[] = [];
    for await (const page of cfn.paginateDescribeStackEvents({ client: aws.cfn }, { StackName }))
      events.push(...(page.StackEvents ?? []));
    expect(events.map(({ ResourceStatusReason }) => ResourceStatusReason)).toContain('no luck');
    const create = new cfn.CreateStackCommand({
      StackName,
      TemplateBody: poolTemplate,
      Parameters: [],
      Capabilities,
    });
    await expect(aws.cfn.send(create)).rejects.toMatchObject({ name: 'AlreadyExistsException' });
  });

  it('s3: delete one and several', async () => {
    const Bucket = 'bucket';
    await aws.s3.send(new s3.CreateBucketCommand({ Bucket }));
    for (const Key of ['a', 'b', 'c']) await aws.s3.send(new s3.PutObjectCommand({ Bucket, Key, Body: Key }));
    await expect(aws.s3.send(new s3.DeleteBucketCommand({ Bucket }))).rejects.toMatchObject({
      name: 'BucketNotEmpty',
    });
    await aws.s3.send(new s3.DeleteObjectCommand({ Bucket, Key: 'a' }));
    const { Deleted } = await aws.s3.send(
      new s3.DeleteObjectsCommand({ Bucket, Delete: { Objects: [{ Key: 'b' }, { Key: 'c' }] } }),
    );
    expect(Deleted?.map(({ Key }) => Key)).toEqual(['b', 'c']);
    await aws.s3.send(new s3.DeleteBucketCommand({ Bucket }));
    await expect(aws.s3.send(new s3.HeadBucketCommand({ Bucket }))).rejects.toMatchObject({
      name: 'NotFound',
    });
  });

  it('names an action that it does not know, and logs it', async () => {
    const unknown = new ec2.DescribeVolumesCommand({});
    await expect(aws.ec2.send(unknown)).rejects.toMatchObject({
      name: 'InvalidAction',
      message: expect.stringContaining('DescribeVolumes') as string,
    });
    expect(bench.world.calls.query({ action: 'DescribeVolumes' })).toMatchObject([
      { outcome: 'error', error: { code: 'InvalidAction' } },
    ]);
  });
});
