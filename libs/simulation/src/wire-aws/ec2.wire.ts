import { AwsError } from '../aws/aws-error.js';
import type { Instance, LaunchSpec } from '../aws/instances.js';
import { securityGroups, templateInstanceTags } from '../aws/launch-from-template.js';
import { bool, integer, list, props, tagRecord, text, texts, type Props } from '../aws/props.js';
import type { RegionalAws } from '../aws/region.js';
import { catalogActions, templateActions } from './ec2-catalog.wire.js';
import { badFilter, fields, reference, specTags } from './ec2-requests.js';
import { instanceShape, matchesFilters, stateShape, statusShape } from './ec2-shapes.js';
import type { Actions, WireRequest } from './handler.js';
import { page } from './pages.js';

const instanceFields = (home: RegionalAws, instance: Instance): ReturnType<typeof fields> =>
  fields({
    'instance-id': instance.id,
    'instance-state-name': instance.state,
    'instance-type': instance.instanceType,
    'instance-lifecycle': instance.spot ? 'spot' : 'on-demand',
    'image-id': instance.imageId,
    'availability-zone': instance.zone,
    'private-dns-name': instance.privateDnsName,
    'private-ip-address': instance.privateIp,
    'subnet-id': instance.subnetId,
    'vpc-id': home.network.vpc.id,
    'client-token': instance.clientToken,
  });

function selectInstances({ home, params }: WireRequest): readonly Instance[] {
  const ids = texts(params['InstanceId']);
  const all = ids.length > 0 ? ids.map((id) => home.instances.find(id)) : home.instances.all();
  return all.filter((instance) =>
    matchesFilters(params['Filter'], instance.tags, instanceFields(home, instance), badFilter),
  );
}

/** The call's own parameters win over the launch template's. */
function launchSpec(home: RegionalAws, params: Props): LaunchSpec {
  const named =
    params['LaunchTemplate'] === undefined
      ? undefined
      : home.launchTemplates.resolve(reference(props(params['LaunchTemplate'])));
  const data = named?.version.data ?? {};
  const network = props(list(params['NetworkInterface'])[0]);
  const zone = text(props(params['Placement'])['AvailabilityZone']);
  const subnet = home.network.subnets.find(
    (candidate) => candidate.role === 'nodes' && (!zone || candidate.zone === zone),
  );
  const userData = text(params['UserData']) ?? text(data['UserData']);
  const clientToken = text(params['ClientToken']);
  const market =
    text(props(params['InstanceMarketOptions'])['MarketType']) ??
    text(props(data['InstanceMarketOptions'])['MarketType']);
  const groups = texts(params['SecurityGroupId']);
  return {
    imageId: text(params['ImageId']) ?? text(data['ImageId']) ?? '',
    instanceType: text(params['InstanceType']) ?? text(data['InstanceType']) ?? 'm5.large',
    subnetId: text(params['SubnetId']) ?? text(network['SubnetId']) ?? subnet?.id ?? '',
    tags: {
      ...templateInstanceTags(data),
      ...specTags(params, 'instance'),
      ...(named && {
        'aws:ec2launchtemplate:id': named.template.id,
        'aws:ec2launchtemplate:version': String(named.version.number),
      }),
    },
    ...(userData !== undefined && { userData }),
    spot: market === 'spot',
    ...(named && {
      launchTemplate: { id: named.template.id, name: named.template.name, version: named.version.number },
    }),
    securityGroupIds: groups.length > 0 ? groups : securityGroups(data),
    ...(clientToken !== undefined && { clientToken }),
  };
}

const reservation = (home: RegionalAws, instances: readonly Instance[]): object => ({
  reservationId: `r-${instances[0]?.id.slice(2) ?? ''}`,
  ownerId: home.account,
  groupSet: [],
  instancesSet: instances.map((instance) => instanceShape(home, instance)),
});

const instanceActions: Actions = {
  DescribeInstances: (request) => {
    const { items, next } = page(request, selectInstances(request), 'NextToken', 'MaxResults', 1000);
    return {
      reservationSet: items.map((instance) => reservation(request.home, [instance])),
      nextToken: next,
    };
  },
  DescribeInstanceStatus: (request) => {
    const every = bool(request.params['IncludeAllInstances']) ?? false;
    const hits = selectInstances(request).filter(({ state }) => every || state === 'running');
    const { items, next } = page(request, hits, 'NextToken', 'MaxResults', 1000);
    return { instanceStatusSet: items.map(statusShape), nextToken: next };
  },
  RunInstances: ({ home, params }) => {
    const spec = launchSpec(home, params);
    const before =
      spec.clientToken === undefined
        ? []
        : home.instances.all().filter(({ clientToken }) => clientToken === spec.clientToken);
    const count = integer(params['MaxCount']) ?? integer(params['MinCount']) ?? 1;
    const launched =
      before.length > 0 ? before : Array.from({ length: count }, () => home.instances.launch(spec));
    return reservation(home, launched);
  },
  TerminateInstances: ({ home, params }) => {
    const instances = texts(params['InstanceId']).map((id) => home.instances.find(id));
    return {
      instancesSet: instances.map((instance) => {
        const previousState = stateShape(instance);
        home.instances.terminate(instance.id, 'Client.UserInitiatedShutdown: User initiated shutdown');
        return { instanceId: instance.id, previousState, currentState: stateShape(instance) };
      }),
    };
  },
  StopInstances: ({ home, params }) => ({
    instancesSet: texts(params['InstanceId']).map((id) => {
      const instance = home.instances.find(id);
      const previousState = stateShape(instance);
      home.instances.stop(id);
      return { instanceId: id, previousState, currentState: stateShape(instance) };
    }),
  }),
  CreateTags: ({ home, params }) => {
    const owners = texts(params['ResourceId']).map((id) => tagsOf(home, id));
    for (const tags of owners) Object.assign(tags, tagRecord(params['Tag']));
    return { return: true };
  },
  DeleteTags: ({ home, params }) => {
    const owners = texts(params['ResourceId']).map((id) => tagsOf(home, id));
    for (const tags of owners) for (const key of Object.keys(tagRecord(params['Tag']))) delete tags[key];
    return { return: true };
  },
};

function tagsOf(home: RegionalAws, id: string): Record<string, string> {
  if (id.startsWith('subnet-')) return home.network.find(id).tags;
  if (id.startsWith('lt-')) return home.launchTemplates.find({ id }).tags;
  if (id === home.network.vpc.id) return home.network.vpc.tags;
  if (id.startsWith('i-')) return home.instances.find(id).tags;
  throw new AwsError('InvalidID', `The ID '${id}' is not valid`);
}

export const ec2Actions: Actions = { ...instanceActions, ...templateActions, ...catalogActions };
