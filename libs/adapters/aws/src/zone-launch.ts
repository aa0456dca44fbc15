import {
  AttachInstancesCommand,
  DescribeAutoScalingGroupsCommand,
  DescribeAutoScalingInstancesCommand,
  type AutoScalingGroup,
} from '@aws-sdk/client-auto-scaling';
import { paginateDescribeSubnets, RunInstancesCommand, type Subnet, type Tag } from '@aws-sdk/client-ec2';
import { FailureError, sha256Hex } from '#kernel';
import { awsError } from './classify.js';
import type { SdkClients } from './sdk-clients.js';

/** On a machine that was launched for a group and may not be in it yet: whose it is, should nobody remember. */
const SURGE_TAG = 'fairway.dev/surge-of';

/** Launches in one zone of an ASG, which itself only launches where it likes (EC2 RunInstances, then AttachInstances). */
export class ZoneLaunch {
  constructor(private readonly sdk: SdkClients) {}

  /** One machine as the group would launch it: its template, a subnet of the zone, its propagated tags. */
  async launch(groupName: string, zone: string, token: string, instanceType?: string): Promise<string> {
    const group = await this.#group(groupName);
    const mixed = group.MixedInstancesPolicy;
    const template = group.LaunchTemplate ?? mixed?.LaunchTemplate?.LaunchTemplateSpecification;
    const id = template?.LaunchTemplateId;
    const type = instanceType ?? mixed?.LaunchTemplate?.Overrides?.[0]?.InstanceType;
    const allSpot =
      mixed?.InstancesDistribution?.OnDemandPercentageAboveBaseCapacity === 0 &&
      (mixed.InstancesDistribution.OnDemandBaseCapacity ?? 0) === 0;
    const answer = await this.sdk.ec2.send(
      new RunInstancesCommand({
        MinCount: 1,
        MaxCount: 1,
        // The token makes the call repeatable: EC2 takes at most 64 characters.
        ClientToken: sha256Hex(token),
        SubnetId: await this.#subnet(group, zone),
        LaunchTemplate: {
          ...(id === undefined
            ? { LaunchTemplateName: template?.LaunchTemplateName }
            : { LaunchTemplateId: id }),
          Version: template?.Version,
        },
        ...(type !== undefined && { InstanceType: type as never }),
        ...(allSpot && { InstanceMarketOptions: { MarketType: 'spot' as const } }),
        TagSpecifications: [{ ResourceType: 'instance', Tags: tagsFor(group, groupName) }],
      }),
    );
    const launched = answer.Instances?.[0]?.InstanceId;
    if (launched !== undefined) return launched;
    throw new FailureError({
      class: 'transient',
      code: 'launch-empty',
      message: `EC2 launched nothing for ${groupName}`,
    });
  }

  /** Attached already is success; `instance-not-running` (conflict) while the machine still starts. */
  async attach(groupName: string, instanceId: string): Promise<void> {
    if (await this.#isMember(groupName, instanceId)) return;
    try {
      await this.sdk.autoScaling.send(
        new AttachInstancesCommand({ AutoScalingGroupName: groupName, InstanceIds: [instanceId] }),
      );
    } catch (thrown) {
      if (awsError(thrown).name !== 'ValidationError') throw thrown;
      if (await this.#isMember(groupName, instanceId)) return;
      throw new FailureError({
        class: 'conflict',
        code: 'instance-not-running',
        message: `${instanceId} cannot be attached to ${groupName} now: ${awsError(thrown).message}`,
      });
    }
  }

  async #group(name: string): Promise<AutoScalingGroup> {
    const command = new DescribeAutoScalingGroupsCommand({ AutoScalingGroupNames: [name] });
    const group = (await this.sdk.autoScaling.send(command)).AutoScalingGroups?.[0];
    if (group) return group;
    throw new FailureError({
      class: 'conflict',
      code: 'group-missing',
      message: `the ASG ${name} does not exist`,
    });
  }

  async #subnet(group: AutoScalingGroup, zone: string): Promise<string> {
    const ids = (group.VPCZoneIdentifier ?? '').split(/[\s,]+/).filter((id) => id !== '');
    const inZone: Subnet[] = [];
    for await (const page of paginateDescribeSubnets({ client: this.sdk.ec2 }, { SubnetIds: ids })) {
      inZone.push(...(page.Subnets ?? []).filter((subnet) => subnet.AvailabilityZone === zone));
    }
    const [roomiest] = inZone.sort(
      (a, b) => (b.AvailableIpAddressCount ?? 0) - (a.AvailableIpAddressCount ?? 0),
    );
    if (roomiest?.SubnetId !== undefined) return roomiest.SubnetId;
    throw new FailureError({
      class: 'blocked',
      code: 'zone-without-subnet',
      message: `the ASG ${group.AutoScalingGroupName ?? ''} has no subnet in ${zone}`,
    });
  }

  async #isMember(groupName: string, instanceId: string): Promise<boolean> {
    const command = new DescribeAutoScalingInstancesCommand({ InstanceIds: [instanceId] });
    const [member] = (await this.sdk.autoScaling.send(command)).AutoScalingInstances ?? [];
    return member?.AutoScalingGroupName === groupName;
  }
}

/** Names under `aws:` are AWS's own. */
const tagsFor = (group: AutoScalingGroup, groupName: string): Tag[] => [
  ...(group.Tags ?? [])
    .filter(({ Key, PropagateAtLaunch }) => PropagateAtLaunch === true && !Key?.startsWith('aws:'))
    .map(({ Key, Value }) => ({ Key, Value })),
  { Key: SURGE_TAG, Value: groupName },
];
