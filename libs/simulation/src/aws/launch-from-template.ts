import { validationError } from './aws-error.js';
import { counted, type Group } from './auto-scaling-model.js';
import type { Instance, Instances } from './instances.js';
import type { LaunchTemplates } from './launch-templates.js';
import type { Network } from './network.js';
import { list, props, tagRecord, text, texts } from './props.js';

interface Parts {
  readonly network: Network;
  readonly instances: Instances;
  readonly launchTemplates: LaunchTemplates;
}

/** Launches one instance of the group's template in a zone. Mixed groups take the first type with capacity. */
export function launchFromTemplate(parts: Parts, group: Group, zone: string): Instance {
  if (!group.launchTemplate) throw validationError(`Group ${group.name} has no launch template`);
  const { template, version } = parts.launchTemplates.resolve(group.launchTemplate);
  const subnetId = group.subnetIds.find((id) => parts.network.find(id).zone === zone);
  if (!subnetId) throw validationError(`Group ${group.name} has no subnet in ${zone}`);
  const data = version.data;
  const propagated = [...group.tags.values()]
    .filter((tag) => tag.propagate)
    .map((tag) => [tag.key, tag.value]);
  const spec = {
    imageId: text(data['ImageId']) ?? '',
    subnetId,
    tags: {
      ...templateInstanceTags(data),
      ...(Object.fromEntries(propagated) as Record<string, string>),
      'aws:autoscaling:groupName': group.name,
      'aws:ec2launchtemplate:id': template.id,
      'aws:ec2launchtemplate:version': String(version.number),
    },
    ...(text(data['UserData']) !== undefined && { userData: text(data['UserData']) as string }),
    spot: wantsSpot(parts, group) || text(props(data['InstanceMarketOptions'])['MarketType']) === 'spot',
    launchTemplate: { id: template.id, name: template.name, version: version.number },
    autoScalingGroup: group.name,
    securityGroupIds: securityGroups(data),
  };
  const types = group.mixedInstances?.overrides.length
    ? group.mixedInstances.overrides
    : [text(data['InstanceType']) ?? ''];
  return firstThatLaunches(types, (instanceType) => parts.instances.launch({ ...spec, instanceType }));
}

/** Tags that a template's data gives to instances. */
export const templateInstanceTags = (data: Readonly<Record<string, unknown>>): Record<string, string> =>
  Object.assign(
    {},
    ...list(data['TagSpecifications'])
      .map(props)
      .filter((spec) => text(spec['ResourceType']) === 'instance')
      .map((spec) => tagRecord(spec['Tags'])),
  ) as Record<string, string>;

export const securityGroups = (data: Readonly<Record<string, unknown>>): readonly string[] => {
  const direct = texts(data['SecurityGroupIds']);
  return direct.length > 0 ? direct : texts(props(list(data['NetworkInterfaces'])[0])['Groups']);
};

function firstThatLaunches(types: readonly string[], launch: (type: string) => Instance): Instance {
  let last: unknown;
  for (const type of types) {
    try {
      return launch(type);
    } catch (error) {
      last = error;
    }
  }
  throw last;
}

/** On-demand first up to the base, then so many of hundred above it. */
function wantsSpot(parts: Parts, group: Group): boolean {
  const policy = group.mixedInstances;
  if (!policy) return false;
  const members = counted(group).map(({ instanceId }) => parts.instances.get(instanceId));
  const onDemand = members.filter((instance) => instance && !instance.spot).length;
  if (onDemand < policy.onDemandBase) return false;
  const above = members.length - policy.onDemandBase + 1;
  return onDemand - policy.onDemandBase >= Math.ceil((above * policy.onDemandPercentage) / 100);
}
