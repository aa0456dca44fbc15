import { validationError } from '../aws/aws-error.js';
import {
  groupSettings,
  groupTags,
  type Activity,
  type Group,
  type GroupInstance,
} from '../aws/auto-scaling-model.js';
import { bool, integer, list, props, text, texts, type Props } from '../aws/props.js';
import { instant, type Actions, type WireRequest } from './handler.js';
import { page } from './pages.js';

const nameOf = (params: Props): string => {
  const name = text(params['AutoScalingGroupName']);
  if (!name)
    throw validationError(
      "1 validation error detected: Value null at 'autoScalingGroupName' failed to satisfy constraint: Member must not be null",
    );
  return name;
};

const numberOf = (params: Props, name: string): number => {
  const value = integer(params[name]);
  if (value === undefined)
    throw validationError(
      `1 validation error detected: Value null at '${name}' failed to satisfy constraint: Member must not be null`,
    );
  return value;
};

const templateShape = (template: GroupInstance['launchTemplate']): object | undefined =>
  template && {
    LaunchTemplateId: template.id,
    LaunchTemplateName: template.name,
    Version: String(template.version),
  };

const instanceShape = (member: GroupInstance): Record<string, unknown> => ({
  InstanceId: member.instanceId,
  InstanceType: member.instanceType,
  AvailabilityZone: member.zone,
  LifecycleState: member.state,
  HealthStatus: member.health,
  LaunchTemplate: templateShape(member.launchTemplate),
  ProtectedFromScaleIn: member.protected,
});

function groupShape(request: WireRequest, group: Group): object {
  const { launchTemplate: reference, mixedInstances } = group;
  const template =
    reference &&
    request.home.launchTemplates.all().find(({ id, name }) => id === reference.id || name === reference.name);
  const specification = reference && {
    LaunchTemplateId: template?.id ?? reference.id,
    LaunchTemplateName: template?.name ?? reference.name,
    Version: reference.version,
  };
  return {
    AutoScalingGroupName: group.name,
    AutoScalingGroupARN: group.arn,
    ...(mixedInstances
      ? { MixedInstancesPolicy: mixedShape(mixedInstances.raw, specification) }
      : { LaunchTemplate: specification }),
    MinSize: group.minSize,
    MaxSize: group.maxSize,
    DesiredCapacity: group.desiredCapacity,
    DefaultCooldown: 300,
    AvailabilityZones: [...new Set(group.subnetIds.map((id) => request.home.network.find(id).zone))],
    LoadBalancerNames: [],
    TargetGroupARNs: group.targetGroupArns,
    HealthCheckType: group.healthCheckType,
    HealthCheckGracePeriod: group.healthCheckGracePeriod,
    Instances: [...group.instances.values()].map(instanceShape),
    CreatedTime: instant(group.createdAt),
    SuspendedProcesses: [...group.suspended].map((process) => ({
      ProcessName: process,
      SuspensionReason: 'User suspended',
    })),
    VPCZoneIdentifier: group.subnetIds.join(','),
    Tags: tagShapes(group),
    TerminationPolicies: group.terminationPolicies,
    NewInstancesProtectedFromScaleIn: group.protectNewInstances,
    ...(group.deleting && { Status: 'Delete in progress' }),
  };
}

const mixedShape = (raw: Props, specification: object | undefined): object => {
  const { Overrides } = props(raw['LaunchTemplate']);
  const overrides = list(Overrides);
  return { ...raw, LaunchTemplate: { LaunchTemplateSpecification: specification, Overrides: overrides } };
};

const tagShapes = (group: Group): object[] =>
  [...group.tags.values()].map(({ key, value, propagate }) => ({
    ResourceId: group.name,
    ResourceType: 'auto-scaling-group',
    Key: key,
    Value: value,
    PropagateAtLaunch: propagate,
  }));

const activityShape = (group: Group, activity: Activity): object => ({
  ActivityId: activity.id,
  AutoScalingGroupName: group.name,
  Description: activity.description,
  Cause: activity.cause,
  StartTime: instant(activity.startedAt),
  EndTime: instant(activity.endedAt),
  StatusCode: activity.status,
  StatusMessage: activity.message,
  Progress: activity.endedAt === undefined ? 50 : 100,
});

/** Filters are ANDed, the values of one ORed: `tag:<key>`, `tag-key`, `tag-value`. */
function matchesFilters(group: Group, filters: readonly unknown[]): boolean {
  const tags = [...group.tags.values()];
  return filters.map(props).every((filter) => {
    const name = text(filter['Name']) ?? '';
    const values = texts(filter['Values']);
    if (name.startsWith('tag:'))
      return tags.some(({ key, value }) => key === name.slice(4) && values.includes(value));
    if (name === 'tag-key') return tags.some(({ key }) => values.includes(key));
    if (name === 'tag-value') return tags.some(({ value }) => values.includes(value));
    throw validationError(
      `Filter type ${name} is not correct. Allowed Filter types are: tag-key tag-value tag:<key>`,
    );
  });
}

/** Tags by the group that they name, checked before any is written. */
function tagsByGroup(request: WireRequest): [string, Props[]][] {
  const grouped = new Map<string, Props[]>();
  for (const tag of list(request.params['Tags']).map(props)) {
    const name = text(tag['ResourceId']) ?? '';
    request.home.autoScaling.find(name);
    grouped.set(name, [...(grouped.get(name) ?? []), tag]);
  }
  return [...grouped];
}

export const autoScalingActions: Actions = {
  DescribeAutoScalingGroups: (request) => {
    const names = texts(request.params['AutoScalingGroupNames']);
    const filters = list(request.params['Filters']);
    const hits = request.home.autoScaling
      .all()
      .filter(
        (group) => (names.length === 0 || names.includes(group.name)) && matchesFilters(group, filters),
      );
    const { items, next } = page(request, hits, 'NextToken', 'MaxRecords', 50);
    return { AutoScalingGroups: items.map((group) => groupShape(request, group)), NextToken: next };
  },
  DescribeAutoScalingInstances: (request) => {
    const ids = texts(request.params['InstanceIds']);
    const all = request.home.autoScaling.all().flatMap((group) =>
      [...group.instances.values()].map((member) => ({
        ...instanceShape(member),
        HealthStatus: member.health.toUpperCase(),
        AutoScalingGroupName: group.name,
      })),
    );
    const hits = all.filter(
      (item) => ids.length === 0 || ids.includes((item as { InstanceId?: string }).InstanceId ?? ''),
    );
    const { items, next } = page(request, hits, 'NextToken', 'MaxRecords', 50);
    return { AutoScalingInstances: items, NextToken: next };
  },
  DescribeScalingActivities: (request) => {
    const name = text(request.params['AutoScalingGroupName']);
    const groups =
      name === undefined ? request.home.autoScaling.all() : [request.home.autoScaling.find(name)];
    const ids = texts(request.params['ActivityIds']);
    const hits = groups.flatMap((group) => group.activities.map((activity) => ({ group, activity })));
    const wanted = hits.filter(({ activity }) => ids.length === 0 || ids.includes(activity.id));
    const { items, next } = page(request, wanted, 'NextToken', 'MaxRecords', 100);
    return {
      Activities: items.map(({ group, activity }) => activityShape(group, activity)),
      NextToken: next,
    };
  },
  CreateAutoScalingGroup: ({ home, params }) => {
    home.autoScaling.create(nameOf(params), groupSettings(params), groupTags(params['Tags']));
    return {};
  },
  UpdateAutoScalingGroup: ({ home, params }) => {
    home.autoScaling.update(nameOf(params), groupSettings(params));
    return {};
  },
  DeleteAutoScalingGroup: ({ home, params }) => {
    home.autoScaling.delete(nameOf(params), bool(params['ForceDelete']) ?? false);
    return {};
  },
  SetDesiredCapacity: ({ home, params }) => {
    home.autoScaling.setDesiredCapacity(nameOf(params), numberOf(params, 'DesiredCapacity'));
    return {};
  },
  TerminateInstanceInAutoScalingGroup: ({ home, params }) => {
    const decrement = bool(params['ShouldDecrementDesiredCapacity']) ?? false;
    const { group, activity } = home.autoScaling.terminateInstance(
      text(params['InstanceId']) ?? '',
      decrement,
    );
    return { Activity: activityShape(group, activity) };
  },
  SetInstanceProtection: ({ home, params }) => {
    home.autoScaling.setProtection(
      nameOf(params),
      texts(params['InstanceIds']),
      bool(params['ProtectedFromScaleIn']) ?? false,
    );
    return {};
  },
  SetInstanceHealth: ({ home, params }) => {
    home.autoScaling.setHealth(
      text(params['InstanceId']) ?? '',
      text(params['HealthStatus']) === 'Unhealthy' ? 'Unhealthy' : 'Healthy',
    );
    return {};
  },
  SuspendProcesses: ({ home, params }) => {
    home.autoScaling.setSuspended(nameOf(params), texts(params['ScalingProcesses']), true);
    return {};
  },
  ResumeProcesses: ({ home, params }) => {
    home.autoScaling.setSuspended(nameOf(params), texts(params['ScalingProcesses']), false);
    return {};
  },
  CreateOrUpdateTags: (request) => {
    for (const [name, tags] of tagsByGroup(request)) request.home.autoScaling.putTags(name, groupTags(tags));
    return {};
  },
  DeleteTags: (request) => {
    for (const [name, tags] of tagsByGroup(request)) {
      request.home.autoScaling.deleteTags(
        name,
        tags.map((tag) => text(tag['Key']) ?? ''),
      );
    }
    return {};
  },
  DescribeTags: (request) => {
    const groups = request.home.autoScaling.all();
    const { items, next } = page(request, groups.flatMap(tagShapes), 'NextToken', 'MaxRecords', 50);
    return { Tags: items, NextToken: next };
  },
  AttachInstances: ({ home, params }) => {
    home.autoScaling.attach(nameOf(params), texts(params['InstanceIds']));
    return {};
  },
  DetachInstances: ({ home, params }) => {
    const decrement = bool(params['ShouldDecrementDesiredCapacity']) ?? false;
    const name = nameOf(params);
    const activities = home.autoScaling.detach(name, texts(params['InstanceIds']), decrement);
    return { Activities: activities.map((activity) => activityShape(home.autoScaling.find(name), activity)) };
  },
};
