import type { MachineImage } from '../aws/catalog.js';
import type { Instance } from '../aws/instances.js';
import type { LaunchTemplate, LaunchTemplateVersion } from '../aws/launch-templates.js';
import type { Subnet } from '../aws/network.js';
import { list, props, tagList, text, texts, type Props } from '../aws/props.js';
import { securityGroups } from '../aws/launch-from-template.js';
import type { RegionalAws } from '../aws/region.js';
import { instant } from './handler.js';

const CODES: Readonly<Record<Instance['state'], number>> = {
  pending: 0,
  running: 16,
  'shutting-down': 32,
  terminated: 48,
  stopping: 64,
  stopped: 80,
};

export const tagSet = (tags: Readonly<Record<string, string>>): object[] =>
  tagList(tags).map(({ Key, Value }) => ({ key: Key, value: Value }));

export const stateShape = (instance: Instance): object => ({
  code: CODES[instance.state],
  name: instance.state,
});

/** A terminated instance keeps its id and tags, but has no address and no subnet any more. */
export function instanceShape(home: RegionalAws, instance: Instance): object {
  const here = instance.state !== 'terminated';
  return {
    instanceId: instance.id,
    imageId: instance.imageId,
    instanceState: stateShape(instance),
    privateDnsName: here ? instance.privateDnsName : '',
    privateIpAddress: here ? instance.privateIp : undefined,
    instanceType: instance.instanceType,
    launchTime: instant(instance.launchedAt),
    placement: { availabilityZone: instance.zone, tenancy: 'default' },
    subnetId: here ? instance.subnetId : undefined,
    vpcId: here ? home.network.vpc.id : undefined,
    architecture: 'x86_64',
    instanceLifecycle: instance.spot ? 'spot' : undefined,
    clientToken: instance.clientToken,
    reason: instance.stateReason,
    stateReason: instance.stateReason && {
      code: instance.stateReason.split(':')[0],
      message: instance.stateReason,
    },
    groupSet: (instance.securityGroupIds ?? []).map((id) => ({ groupId: id, groupName: id })),
    tagSet: tagSet(instance.tags),
  };
}

export const statusShape = (instance: Instance): object => {
  const status = instance.state !== 'running' ? 'not-applicable' : instance.booted ? 'ok' : 'initializing';
  const details = [{ name: 'reachability', status: instance.booted ? 'passed' : 'initializing' }];
  return {
    instanceId: instance.id,
    availabilityZone: instance.zone,
    instanceState: stateShape(instance),
    instanceStatus: { status, details },
    systemStatus: { status, details },
  };
};

export const templateShape = (template: LaunchTemplate): object => ({
  launchTemplateId: template.id,
  launchTemplateName: template.name,
  createTime: instant(template.createdAt),
  defaultVersionNumber: template.defaultVersion,
  latestVersionNumber: template.versions.at(-1)?.number,
  tagSet: tagSet(template.tags),
});

export const versionShape = (template: LaunchTemplate, version: LaunchTemplateVersion): object => ({
  launchTemplateId: template.id,
  launchTemplateName: template.name,
  versionNumber: version.number,
  createTime: instant(version.createdAt),
  defaultVersion: version.number === template.defaultVersion,
  versionDescription: version.description,
  launchTemplateData: templateData(version.data),
});

function templateData(data: Props): object {
  const profile = props(data['IamInstanceProfile']);
  const market = props(data['InstanceMarketOptions']);
  return {
    imageId: text(data['ImageId']),
    instanceType: text(data['InstanceType']),
    keyName: text(data['KeyName']),
    userData: text(data['UserData']),
    iamInstanceProfile:
      data['IamInstanceProfile'] === undefined
        ? undefined
        : { arn: text(profile['Arn']), name: text(profile['Name']) },
    instanceMarketOptions:
      data['InstanceMarketOptions'] === undefined ? undefined : { marketType: text(market['MarketType']) },
    securityGroupIdSet: securityGroups(data),
    tagSpecificationSet: list(data['TagSpecifications']).map((item) => ({
      resourceType: text(props(item)['ResourceType']),
      tagSet: list(props(item)['Tags']).map((tag) => ({
        key: text(props(tag)['Key']),
        value: text(props(tag)['Value']) ?? '',
      })),
    })),
    blockDeviceMappingSet: list(data['BlockDeviceMappings']).map((item) => {
      const ebs = props(props(item)['Ebs']);
      return {
        deviceName: text(props(item)['DeviceName']),
        ebs: {
          volumeSize: text(ebs['VolumeSize']),
          volumeType: text(ebs['VolumeType']),
          encrypted: text(ebs['Encrypted']),
        },
      };
    }),
  };
}

export const imageShape = (image: MachineImage): object => ({
  imageId: image.id,
  name: image.name,
  imageOwnerId: image.owner,
  imageState: 'available',
  creationDate: new Date(image.createdAt).toISOString(),
  architecture: image.architecture,
  isPublic: true,
  imageType: 'machine',
  tagSet: tagSet(
    image.kubernetesVersion === undefined
      ? {}
      : { 'fairway.dev/kubernetes-version': image.kubernetesVersion },
  ),
});

export const subnetShape = (subnet: Subnet, home: RegionalAws): object => ({
  subnetId: subnet.id,
  vpcId: subnet.vpcId,
  cidrBlock: subnet.cidr,
  availabilityZone: subnet.zone,
  availableIpAddressCount: (subnet.role === 'nodes' ? 8187 : 251) - machinesIn(home, subnet),
  state: 'available',
  ownerId: home.account,
  tagSet: tagSet(subnet.tags),
});

const machinesIn = (home: RegionalAws, { id }: Subnet): number =>
  home.instances.all().filter(({ subnetId, state }) => subnetId === id && state !== 'terminated').length;

type Field = (name: string) => readonly string[] | undefined;

/** `*` and `?` as in EC2's filters. */
const glob = (pattern: string): RegExp =>
  new RegExp(
    `^${pattern
      .replace(/[.+^${}()|[\]\\]/g, '\\$&')
      .replaceAll('*', '.*')
      .replaceAll('?', '.')}$`,
  );

/** Filters are ANDed, the values of one ORed. Unknown names match nothing they could not know. */
export function matchesFilters(
  filters: unknown,
  tags: Readonly<Record<string, string>>,
  field: Field,
  unknown: (name: string) => Error,
): boolean {
  return list(filters)
    .map(props)
    .every((filter) => {
      const name = text(filter['Name']) ?? '';
      const patterns = texts(filter['Value'] ?? filter['Values']).map(glob);
      const tag = tags[name.slice(4)];
      const have = name.startsWith('tag:')
        ? tag === undefined
          ? []
          : [tag]
        : name === 'tag-key'
          ? Object.keys(tags)
          : field(name);
      if (have === undefined) throw unknown(name);
      return have.some((value) => patterns.some((pattern) => pattern.test(value)));
    });
}
