import {
  DescribeScalingActivitiesCommand,
  paginateDescribeAutoScalingGroups,
  type AutoScalingGroup,
  type DescribeScalingActivitiesCommandOutput,
  type Instance as GroupInstance,
  type LaunchTemplateSpecification,
} from '@aws-sdk/client-auto-scaling';
import { paginateDescribeInstances, type Instance } from '@aws-sdk/client-ec2';
import { DescribeTargetHealthCommand } from '@aws-sdk/client-elastic-load-balancing-v2';
import { hours, toIso, type Clock } from '#kernel';
import type { InstanceView, NodeGroupView } from '#fleet';
import { failureCode, isUnsupported } from './classify.js';
import { LaunchTemplates, type ResolvedTemplate } from './launch-templates.js';
import type { SdkClients } from './sdk-clients.js';

/** EC2 takes this many values in one filter. */
const INSTANCE_BATCH = 200;
const MAX_FAILURES = 5;
const ACTIVITIES = 'autoscaling DescribeScalingActivities';
const FAILURES_WITHIN = hours(1);

/** Worst first: an instance may be registered under several ports. */
const HEALTH_ORDER = [
  'unhealthy',
  'unhealthy.draining',
  'draining',
  'unavailable',
  'initial',
  'unused',
  'healthy',
];

/** What AWS says of a cluster's node pools. */
export class NodeGroups {
  readonly #templates: LaunchTemplates;

  constructor(
    private readonly sdk: SdkClients,
    private readonly clock: Clock,
  ) {
    this.#templates = new LaunchTemplates(sdk);
  }

  /** ASGs that carry the cluster's tag and name a pool; an ASG without a pool (etcd's, say) is nobody's nodes. */
  async describe(clusterId: string): Promise<readonly NodeGroupView[]> {
    const groups = await this.#groups(`tag:kubernetes.io/cluster/${clusterId}`, 'owned');
    return this.#views(groups.filter((group) => poolOf(tagsOf(group)) !== undefined));
  }

  async newestTemplateVersion(name: string): Promise<string | undefined> {
    const found = await this.#templates.resolve({ LaunchTemplateName: name, Version: '$Latest' });
    return found?.version;
  }

  /** CloudFormation tags the ASGs that it makes with their stack. */
  async describeStack(stackName: string): Promise<readonly NodeGroupView[]> {
    return this.#views(await this.#groups('tag:aws:cloudformation:stack-name', stackName));
  }

  async #views(groups: readonly AutoScalingGroup[]): Promise<readonly NodeGroupView[]> {
    const ids = groups.flatMap((group) => (group.Instances ?? []).map((one) => one.InstanceId ?? ''));
    const arns = [...new Set(groups.flatMap(targetGroupsOf))];
    const [machines, health] = await Promise.all([this.#machines(ids), this.#health(arns)]);
    return Promise.all(groups.map((group) => this.#view(group, machines, health)));
  }

  async #groups(filter: string, value: string): Promise<readonly AutoScalingGroup[]> {
    const groups: AutoScalingGroup[] = [];
    const input = { Filters: [{ Name: filter, Values: [value] }] };
    for await (const page of paginateDescribeAutoScalingGroups(
      { client: this.sdk.autoScaling, pageSize: 100 },
      input,
    )) {
      groups.push(...(page.AutoScalingGroups ?? []));
    }
    return groups.sort((a, b) => ((a.AutoScalingGroupName ?? '') < (b.AutoScalingGroupName ?? '') ? -1 : 1));
  }

  /** By filter, because one unknown id in a list of ids would fail the whole call. */
  async #machines(ids: readonly string[]): Promise<ReadonlyMap<string, Instance>> {
    const machines = new Map<string, Instance>();
    for (let at = 0; at < ids.length; at += INSTANCE_BATCH) {
      const input = { Filters: [{ Name: 'instance-id', Values: ids.slice(at, at + INSTANCE_BATCH) }] };
      for await (const page of paginateDescribeInstances({ client: this.sdk.ec2 }, input)) {
        for (const reservation of page.Reservations ?? []) {
          for (const one of reservation.Instances ?? []) machines.set(one.InstanceId ?? '', one);
        }
      }
    }
    return machines;
  }

  /** Target group → instance → state. */
  async #health(arns: readonly string[]): Promise<ReadonlyMap<string, ReadonlyMap<string, string>>> {
    const found = await Promise.all(arns.map(async (arn) => [arn, await this.#healthOf(arn)] as const));
    return new Map(found);
  }

  async #healthOf(arn: string): Promise<ReadonlyMap<string, string>> {
    const states = new Map<string, string>();
    try {
      const answer = await this.sdk.loadBalancing.send(
        new DescribeTargetHealthCommand({ TargetGroupArn: arn }),
      );
      for (const { Target, TargetHealth } of answer.TargetHealthDescriptions ?? []) {
        const id = Target?.Id ?? '';
        const state = TargetHealth?.State ?? 'unavailable';
        const known = states.get(id);
        if (known === undefined || rank(state) < rank(known)) states.set(id, state);
      }
    } catch (thrown) {
      // The group still names a target group that was deleted.
      if (failureCode(thrown) !== 'aws-missing') throw thrown;
    }
    return states;
  }

  async #view(
    group: AutoScalingGroup,
    machines: ReadonlyMap<string, Instance>,
    health: ReadonlyMap<string, ReadonlyMap<string, string>>,
  ): Promise<NodeGroupView> {
    const tags = tagsOf(group);
    const arns = targetGroupsOf(group);
    const template = await this.#templates.resolve(templateOf(group));
    const members = group.Instances ?? [];
    const short =
      members.filter((one) => one.LifecycleState === 'InService').length < (group.DesiredCapacity ?? 0);
    return {
      pool: poolOf(tags) ?? '',
      groupName: group.AutoScalingGroupName ?? '',
      minSize: group.MinSize ?? 0,
      maxSize: group.MaxSize ?? 0,
      desiredCapacity: group.DesiredCapacity ?? 0,
      zones: [...(group.AvailabilityZones ?? [])].sort(),
      subnetIds: (group.VPCZoneIdentifier ?? '').split(/[\s,]+/).filter((id) => id !== ''),
      suspendedProcesses: (group.SuspendedProcesses ?? []).map((one) => one.ProcessName ?? '').sort(),
      instanceTypes: typesOf(group, template),
      targetGroupArns: arns,
      tags,
      instances: members.map((one) => instanceView(one, machines.get(one.InstanceId ?? ''), arns, health)),
      // Asked for only where machines are missing: the call is throttled early.
      recentFailures: short ? await this.#failures(group.AutoScalingGroupName ?? '') : [],
      ...(template && {
        launchTemplate: {
          name: template.name,
          version: template.version,
          ...(template.floating !== undefined && { floating: template.floating }),
        },
      }),
    };
  }

  /** They only explain what is short; an endpoint without them is no reason to stand still. */
  async #activities(group: string): Promise<Partial<DescribeScalingActivitiesCommandOutput>> {
    if (this.sdk.isLacking(ACTIVITIES)) return {};
    try {
      return await this.sdk.autoScaling.send(
        new DescribeScalingActivitiesCommand({ AutoScalingGroupName: group, MaxRecords: 20 }),
      );
    } catch (thrown) {
      if (!isUnsupported(thrown, this.sdk.stranger)) throw thrown;
      this.sdk.lacks(ACTIVITIES, thrown);
      return {};
    }
  }

  async #failures(group: string): Promise<NodeGroupView['recentFailures']> {
    const answer = await this.#activities(group);
    const since = this.clock.now() - FAILURES_WITHIN;
    return (answer.Activities ?? [])
      .filter((one) => one.StatusCode === 'Failed' || one.StatusCode === 'Cancelled')
      .map((one) => ({
        at: one.StartTime?.getTime() ?? 0,
        message: one.StatusMessage ?? one.Description ?? '',
      }))
      .filter((one) => one.at >= since)
      .sort((a, b) => b.at - a.at)
      .slice(0, MAX_FAILURES)
      .map((one) => ({ at: toIso(one.at), message: one.message }));
  }
}

function instanceView(
  member: GroupInstance,
  machine: Instance | undefined,
  arns: readonly string[],
  health: ReadonlyMap<string, ReadonlyMap<string, string>>,
): InstanceView {
  const id = member.InstanceId ?? '';
  const template = launchedFrom(member, machine);
  const states = arns.flatMap((arn) => {
    const state = health.get(arn)?.get(id);
    return state === undefined ? [] : [[arn, state] as const];
  });
  return {
    instanceId: id,
    zone: member.AvailabilityZone ?? '',
    instanceType: member.InstanceType ?? machine?.InstanceType ?? '',
    market: machine?.InstanceLifecycle === 'spot' ? 'spot' : 'on-demand',
    lifecycleState: member.LifecycleState ?? '',
    healthStatus: member.HealthStatus?.toLowerCase() === 'unhealthy' ? 'Unhealthy' : 'Healthy',
    protectedFromScaleIn: member.ProtectedFromScaleIn === true,
    targetHealth: Object.fromEntries(states),
    ...(template && { launchTemplate: template }),
    ...(machine?.State?.Name !== undefined && { ec2State: machine.State.Name }),
    ...(machine?.PrivateDnsName !== undefined &&
      machine.PrivateDnsName !== '' && { privateDnsName: machine.PrivateDnsName }),
    ...(machine?.PrivateIpAddress !== undefined && { privateIp: machine.PrivateIpAddress }),
    ...(machine?.LaunchTime !== undefined && { launchedAt: machine.LaunchTime.toISOString() }),
  };
}

/** What the instance was really launched from. EC2's own tags know the number where the group says `$Latest`. */
function launchedFrom(member: GroupInstance, machine: Instance | undefined): InstanceView['launchTemplate'] {
  const template = member.LaunchTemplate;
  const name = template?.LaunchTemplateName ?? template?.LaunchTemplateId;
  if (name === undefined) return undefined;
  const tag = machine?.Tags?.find(({ Key }) => Key === 'aws:ec2launchtemplate:version')?.Value;
  const version = /^\d+$/.test(template?.Version ?? '') ? template?.Version : tag;
  return version === undefined ? undefined : { name, version };
}

const templateOf = (group: AutoScalingGroup): LaunchTemplateSpecification | undefined =>
  group.LaunchTemplate ?? group.MixedInstancesPolicy?.LaunchTemplate?.LaunchTemplateSpecification;

function typesOf(group: AutoScalingGroup, template: ResolvedTemplate | undefined): readonly string[] {
  const overrides = group.MixedInstancesPolicy?.LaunchTemplate?.Overrides ?? [];
  const types = overrides.flatMap((one) => (one.InstanceType === undefined ? [] : [one.InstanceType]));
  if (types.length > 0) return types;
  return template?.instanceType === undefined ? [] : [template.instanceType];
}

const targetGroupsOf = (group: AutoScalingGroup): readonly string[] => [
  ...new Set([
    ...(group.TargetGroupARNs ?? []),
    ...(group.TrafficSources ?? []).flatMap((one) =>
      one.Type === 'elbv2' && one.Identifier ? [one.Identifier] : [],
    ),
  ]),
];

const tagsOf = (group: AutoScalingGroup): Readonly<Record<string, string>> =>
  Object.fromEntries((group.Tags ?? []).map(({ Key, Value }) => [Key ?? '', Value ?? '']));

const poolOf = (tags: Readonly<Record<string, string>>): string | undefined =>
  tags['kubernetes.io/node-pool'] ?? tags['NodePool'];

const rank = (state: string): number => {
  const at = HEALTH_ORDER.indexOf(state);
  return at < 0 ? 0 : at;
};
