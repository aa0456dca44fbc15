import { forwardTargets, targetGroupSettings } from '../../load-balancing-model.js';
import { integer, list, props, tagRecord, text, texts, type Props } from '../../props.js';
import type { ResourceState } from '../stack.js';
import type { ResourceContext, ResourceType } from './resource-type.js';

const fullName = (arn: string): string => arn.split(':').slice(5).join(':');

export const targetGroupResource: ResourceType = {
  replaceOn: ['Name', 'Port', 'Protocol', 'VpcId', 'TargetType'],
  create(context, properties) {
    const name = text(properties['Name']) ?? context.generatedName(32);
    const settings = targetGroupSettings(properties, name);
    const group = context.aws.loadBalancing.createTargetGroup({
      ...settings,
      tags: { ...context.tags, ...settings.tags },
    });
    return {
      physicalId: group.arn,
      attributes: {
        TargetGroupArn: group.arn,
        TargetGroupName: name,
        TargetGroupFullName: fullName(group.arn),
        LoadBalancerArns: [],
      },
    };
  },
  update(context, state, properties) {
    const group = context.aws.loadBalancing.findTargetGroup(state.physicalId);
    const { healthyThreshold, unhealthyThreshold, deregistrationDelay } = targetGroupSettings(
      properties,
      group.name,
    );
    Object.assign(group, { healthyThreshold, unhealthyThreshold, deregistrationDelay });
    return state;
  },
  delete: (context, state) => context.aws.loadBalancing.deleteTargetGroup(state.physicalId),
};

const subnetsOf = (properties: Props): readonly string[] => {
  const mapped = list(properties['SubnetMappings']).flatMap((item) => text(props(item)['SubnetId']) ?? []);
  return mapped.length > 0 ? mapped : texts(properties['Subnets']);
};

const balancerState = (context: ResourceContext, arn: string): ResourceState => {
  const balancer = context.aws.loadBalancing.findLoadBalancer(arn);
  return {
    physicalId: arn,
    attributes: {
      LoadBalancerArn: arn,
      LoadBalancerName: balancer.name,
      LoadBalancerFullName: fullName(arn).replace(/^loadbalancer\//, ''),
      DNSName: balancer.dnsName,
      CanonicalHostedZoneID: 'Z3F0SRJ5LGBH90',
      SecurityGroups: [],
    },
  };
};

export const loadBalancerResource: ResourceType = {
  replaceOn: ['Name', 'Scheme', 'Type'],
  create(context, properties) {
    const balancer = context.aws.loadBalancing.createLoadBalancer({
      name: text(properties['Name']) ?? context.generatedName(32),
      scheme: text(properties['Scheme']) === 'internal' ? 'internal' : 'internet-facing',
      type: text(properties['Type']) === 'network' ? 'network' : 'application',
      subnetIds: subnetsOf(properties).map((id) => context.aws.network.find(id).id),
      tags: { ...context.tags, ...tagRecord(properties['Tags']) },
    });
    return balancerState(context, balancer.arn);
  },
  update: (_context, state) => state,
  delete: (context, state) => context.aws.loadBalancing.deleteLoadBalancer(state.physicalId),
  settled: (context, state) =>
    context.aws.loadBalancing.findLoadBalancer(state.physicalId).state === 'active',
};

export const listenerResource: ResourceType = {
  replaceOn: ['LoadBalancerArn'],
  create(context, properties) {
    const listener = context.aws.loadBalancing.createListener({
      loadBalancerArn: text(properties['LoadBalancerArn']) ?? '',
      port: integer(properties['Port']) ?? 443,
      protocol: text(properties['Protocol']) ?? 'TCP',
      targetGroupArns: forwardTargets(properties['DefaultActions']),
    });
    return { physicalId: listener.arn, attributes: { ListenerArn: listener.arn } };
  },
  update(context, state, properties) {
    const listener = context.aws.loadBalancing.listeners.get(state.physicalId);
    if (listener) listener.targetGroupArns = forwardTargets(properties['DefaultActions']);
    return state;
  },
  delete: (context, state) => void context.aws.loadBalancing.listeners.delete(state.physicalId),
};
