import type { Instant } from '#kernel';
import type { LaunchTemplateReference } from './launch-templates.js';
import { bool, integer, isProps, list, props, text, texts, type Props } from './props.js';
import { validationError } from './aws-error.js';

type LifecycleState = 'Pending' | 'InService' | 'Terminating';

export interface GroupTag {
  readonly key: string;
  readonly value: string;
  readonly propagate: boolean;
}

interface MixedInstances {
  readonly overrides: readonly string[];
  readonly onDemandBase: number;
  /** 0 to 100. */
  readonly onDemandPercentage: number;
  /** As AWS shows it back. */
  readonly raw: Props;
}

/** What CloudFormation properties and API parameters say of a group. Absent members keep their value on update. */
export interface GroupSettings {
  readonly minSize?: number;
  readonly maxSize?: number;
  readonly desiredCapacity?: number;
  readonly launchTemplate?: LaunchTemplateReference;
  readonly mixedInstances?: MixedInstances;
  readonly subnetIds?: readonly string[];
  readonly zones?: readonly string[];
  readonly targetGroupArns?: readonly string[];
  readonly healthCheckType?: 'EC2' | 'ELB';
  /** Seconds. */
  readonly healthCheckGracePeriod?: number;
  readonly protectNewInstances?: boolean;
  readonly terminationPolicies?: readonly string[];
}

export interface GroupInstance {
  readonly instanceId: string;
  readonly zone: string;
  readonly instanceType: string;
  readonly launchTemplate?: { readonly id: string; readonly name: string; readonly version: number };
  readonly joinedAt: Instant;
  state: LifecycleState;
  health: 'Healthy' | 'Unhealthy';
  protected: boolean;
}

export interface Activity {
  readonly id: string;
  readonly description: string;
  readonly cause: string;
  readonly startedAt: Instant;
  endedAt?: Instant;
  status: 'PreInService' | 'InProgress' | 'Successful' | 'Failed' | 'WaitingForELBConnectionDraining';
  message?: string;
}

export interface Group {
  readonly name: string;
  readonly arn: string;
  readonly createdAt: Instant;
  minSize: number;
  maxSize: number;
  desiredCapacity: number;
  launchTemplate?: LaunchTemplateReference;
  mixedInstances?: MixedInstances;
  subnetIds: readonly string[];
  targetGroupArns: readonly string[];
  healthCheckType: 'EC2' | 'ELB';
  healthCheckGracePeriod: number;
  protectNewInstances: boolean;
  terminationPolicies: readonly string[];
  readonly tags: Map<string, GroupTag>;
  readonly suspended: Set<string>;
  readonly instances: Map<string, GroupInstance>;
  /** Newest first. */
  readonly activities: Activity[];
  deleting: boolean;
  /** The instance that a zone rebalance launched, until another one has gone for it. */
  rebalancing?: string;
}

const reference = (value: unknown): LaunchTemplateReference => {
  const { LaunchTemplateId: id, LaunchTemplateName: name, Version: version } = props(value);
  const [theId, theName, theVersion] = [text(id), text(name), text(version)];
  if (!theId && !theName) {
    throw validationError('Valid requests must contain either launchTemplateId or launchTemplateName');
  }
  return {
    ...(theId && { id: theId }),
    ...(theName && { name: theName }),
    ...(theVersion && { version: theVersion }),
  };
};

function mixed(value: Props): { launchTemplate: LaunchTemplateReference; mixedInstances: MixedInstances } {
  const template = props(value['LaunchTemplate']);
  const distribution = props(value['InstancesDistribution']);
  return {
    launchTemplate: reference(template['LaunchTemplateSpecification']),
    mixedInstances: {
      overrides: list(template['Overrides']).flatMap((item) => text(props(item)['InstanceType']) ?? []),
      onDemandBase: integer(distribution['OnDemandBaseCapacity']) ?? 0,
      onDemandPercentage: integer(distribution['OnDemandPercentageAboveBaseCapacity']) ?? 100,
      raw: value,
    },
  };
}

/** Reads AWS's own names, from a template's properties or from a call's parameters. */
export function groupSettings(input: Props): GroupSettings {
  const subnets = input['VPCZoneIdentifier'];
  const settings: { -readonly [K in keyof GroupSettings]: GroupSettings[K] | undefined } = {
    minSize: integer(input['MinSize']),
    maxSize: integer(input['MaxSize']),
    desiredCapacity: integer(input['DesiredCapacity']),
    healthCheckType:
      text(input['HealthCheckType']) === 'ELB' ? 'ELB' : text(input['HealthCheckType']) ? 'EC2' : undefined,
    healthCheckGracePeriod: integer(input['HealthCheckGracePeriod']),
    protectNewInstances: bool(input['NewInstancesProtectedFromScaleIn']),
    subnetIds:
      subnets === undefined ? undefined : texts(typeof subnets === 'string' ? subnets.split(',') : subnets),
    zones: input['AvailabilityZones'] === undefined ? undefined : texts(input['AvailabilityZones']),
    targetGroupArns: input['TargetGroupARNs'] === undefined ? undefined : texts(input['TargetGroupARNs']),
    terminationPolicies:
      input['TerminationPolicies'] === undefined ? undefined : texts(input['TerminationPolicies']),
  };
  if (isProps(input['MixedInstancesPolicy'])) Object.assign(settings, mixed(input['MixedInstancesPolicy']));
  else if (isProps(input['LaunchTemplate'])) settings.launchTemplate = reference(input['LaunchTemplate']);
  return Object.fromEntries(Object.entries(settings).filter(([, v]) => v !== undefined)) as GroupSettings;
}

export const groupTags = (value: unknown): GroupTag[] =>
  list(value).map((item) => {
    const tag = props(item);
    return {
      key: text(tag['Key']) ?? '',
      value: text(tag['Value']) ?? '',
      propagate: bool(tag['PropagateAtLaunch']) ?? false,
    };
  });

/** Instances that count towards the desired capacity. */
export const counted = (group: Group): GroupInstance[] =>
  [...group.instances.values()].filter(({ state }) => state === 'Pending' || state === 'InService');

/** A group as its creation defines it, without instances yet. */
export function newGroup(
  identity: Pick<Group, 'name' | 'arn' | 'createdAt' | 'subnetIds'>,
  settings: GroupSettings,
  tags: readonly GroupTag[],
): Group {
  const minSize = settings.minSize ?? 0;
  return {
    ...identity,
    minSize,
    maxSize: settings.maxSize ?? minSize,
    desiredCapacity: settings.desiredCapacity ?? minSize,
    targetGroupArns: settings.targetGroupArns ?? [],
    healthCheckType: settings.healthCheckType ?? 'EC2',
    healthCheckGracePeriod: settings.healthCheckGracePeriod ?? 300,
    protectNewInstances: settings.protectNewInstances ?? false,
    terminationPolicies: settings.terminationPolicies ?? ['Default'],
    ...(settings.launchTemplate && { launchTemplate: settings.launchTemplate }),
    ...(settings.mixedInstances && { mixedInstances: settings.mixedInstances }),
    tags: new Map(tags.map((tag) => [tag.key, tag])),
    suspended: new Set(),
    instances: new Map(),
    activities: [],
    deleting: false,
  };
}
