import { AwsError } from '../aws/aws-error.js';
import { instanceTypes } from '../aws/catalog.js';
import { list, props, texts, text, type Props } from '../aws/props.js';
import { badFilter, fields, reference, specTags } from './ec2-requests.js';
import {
  imageShape,
  matchesFilters,
  subnetShape,
  tagSet,
  templateShape,
  versionShape,
} from './ec2-shapes.js';
import type { Actions } from './handler.js';
import { page } from './pages.js';

export const templateActions: Actions = {
  CreateLaunchTemplate: ({ home, params }) => {
    const name = text(params['LaunchTemplateName']) ?? '';
    const created = home.launchTemplates.create(
      name,
      templateInput(params),
      specTags(params, 'launch-template'),
    );
    return { launchTemplate: templateShape(created) };
  },
  CreateLaunchTemplateVersion: ({ home, params }) => {
    const version = home.launchTemplates.addVersion(reference(params), templateInput(params));
    return { launchTemplateVersion: versionShape(home.launchTemplates.find(reference(params)), version) };
  },
  DeleteLaunchTemplate: ({ home, params }) => ({
    launchTemplate: templateShape(home.launchTemplates.delete(reference(params))),
  }),
  DescribeLaunchTemplates: (request) => {
    const { home, params } = request;
    const named = [
      ...texts(params['LaunchTemplateId']).map((id) => home.launchTemplates.find({ id })),
      ...texts(params['LaunchTemplateName']).map((name) => home.launchTemplates.find({ name })),
    ];
    const hits = (named.length > 0 ? named : home.launchTemplates.all()).filter((template) =>
      matchesFilters(
        params['Filter'],
        template.tags,
        fields({ 'launch-template-name': template.name }),
        badFilter,
      ),
    );
    const { items, next } = page(request, hits, 'NextToken', 'MaxResults', 200);
    return { launchTemplates: items.map(templateShape), nextToken: next };
  },
  DescribeLaunchTemplateVersions: (request) => {
    const { home, params } = request;
    const wanted = texts(params['LaunchTemplateVersion']);
    const one = params['LaunchTemplateId'] !== undefined || params['LaunchTemplateName'] !== undefined;
    const templates = one ? [home.launchTemplates.find(reference(params))] : home.launchTemplates.all();
    const hits = templates.flatMap((template) => {
      const versions = wanted.map(
        (version) => home.launchTemplates.resolve({ id: template.id, version }).version,
      );
      return (wanted.length > 0 ? versions : template.versions).map((version) =>
        versionShape(template, version),
      );
    });
    const { items, next } = page(request, hits, 'NextToken', 'MaxResults', 200);
    return { launchTemplateVersionSet: items, nextToken: next };
  },
};

/** EC2's query names lists in the singular; the world keeps the plural of templates and CloudFormation. */
function templateInput(params: Props): Props {
  const data = props(params['LaunchTemplateData']);
  const specs = list(data['TagSpecification']).map((spec) => ({
    ...props(spec),
    Tags: props(spec)['Tag'] ?? props(spec)['Tags'],
  }));
  return { ...data, TagSpecifications: specs, SecurityGroupIds: data['SecurityGroupId'] ?? [] };
}

export const catalogActions: Actions = {
  DescribeImages: (request) => {
    const { world, params } = request;
    const ids = texts(params['ImageId']);
    const owners = texts(params['Owner']);
    const unknown = ids.find((id) => !world.images.some((image) => image.id === id));
    if (unknown) throw new AwsError('InvalidAMIID.NotFound', `The image id '[${unknown}]' does not exist`);
    const hits = world.images.filter(
      (image) =>
        (ids.length === 0 || ids.includes(image.id)) &&
        (owners.length === 0 || owners.includes(image.owner)) &&
        matchesFilters(
          params['Filter'],
          {},
          fields({
            name: image.name,
            'image-id': image.id,
            'owner-id': image.owner,
            architecture: image.architecture,
            state: 'available',
          }),
          badFilter,
        ),
    );
    const { items, next } = page(request, hits, 'NextToken', 'MaxResults', 1000);
    return { imagesSet: items.map(imageShape), nextToken: next };
  },
  DescribeSubnets: (request) => {
    const { home, params } = request;
    const ids = texts(params['SubnetId']);
    const all = ids.length > 0 ? ids.map((id) => home.network.find(id)) : home.network.subnets;
    const hits = all.filter((subnet) =>
      matchesFilters(
        params['Filter'],
        subnet.tags,
        fields({
          'vpc-id': subnet.vpcId,
          'availability-zone': subnet.zone,
          'subnet-id': subnet.id,
          state: 'available',
        }),
        badFilter,
      ),
    );
    const { items, next } = page(request, hits, 'NextToken', 'MaxResults', 1000);
    return { subnetSet: items.map((subnet) => subnetShape(subnet, home)), nextToken: next };
  },
  DescribeVpcs: ({ home, params }) => {
    const { id, cidr, tags } = home.network.vpc;
    const ids = texts(params['VpcId']);
    const unknown = ids.find((wanted) => wanted !== id);
    if (unknown) throw new AwsError('InvalidVpcID.NotFound', `The vpc ID '${unknown}' does not exist`);
    const hit = matchesFilters(
      params['Filter'],
      tags,
      fields({ 'vpc-id': id, isDefault: 'true', 'is-default': 'true', cidr, state: 'available' }),
      badFilter,
    );
    return {
      vpcSet: hit
        ? [
            {
              vpcId: id,
              cidrBlock: cidr,
              state: 'available',
              isDefault: true,
              ownerId: home.account,
              tagSet: tagSet(tags),
            },
          ]
        : [],
    };
  },
  DescribeAvailabilityZones: ({ home }) => ({
    availabilityZoneInfo: home.network.zones.map((zone, index) => ({
      zoneName: zone,
      regionName: home.region,
      zoneState: 'available',
      zoneId: `${home.region.replaceAll(/[^a-z0-9]/g, '')}-az${index + 1}`,
      optInStatus: 'opt-in-not-required',
    })),
  }),
  DescribeInstanceTypes: (request) => {
    const names = texts(request.params['InstanceType']);
    const unknown = names.find((name) => !instanceTypes.has(name));
    if (unknown)
      throw new AwsError(
        'InvalidInstanceType',
        `The following supplied instance types do not exist: [${unknown}]`,
      );
    const hits = [...instanceTypes.values()].filter(
      ({ name }) =>
        (names.length === 0 || names.includes(name)) &&
        matchesFilters(request.params['Filter'], {}, fields({ 'instance-type': name }), badFilter),
    );
    const { items, next } = page(request, hits, 'NextToken', 'MaxResults', 100);
    return {
      instanceTypeSet: items.map(({ name, vcpus, memoryMiB, architecture }) => ({
        instanceType: name,
        currentGeneration: true,
        supportedUsageClasses: ['on-demand', 'spot'],
        vCpuInfo: { defaultVCpus: vcpus },
        memoryInfo: { sizeInMiB: memoryMiB },
        processorInfo: { supportedArchitectures: [architecture] },
      })),
      nextToken: next,
    };
  },
};
