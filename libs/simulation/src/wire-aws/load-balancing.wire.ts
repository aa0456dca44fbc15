import { AwsError } from '../aws/aws-error.js';
import {
  healthReason,
  type Listener,
  type LoadBalancer,
  type TargetGroup,
} from '../aws/load-balancing-model.js';
import { integer, list, props, tagList, text, texts } from '../aws/props.js';
import { instant, type Actions, type WireRequest } from './handler.js';
import { page } from './pages.js';

const balancerShape = (request: WireRequest, balancer: LoadBalancer): object => ({
  LoadBalancerArn: balancer.arn,
  LoadBalancerName: balancer.name,
  DNSName: balancer.dnsName,
  CanonicalHostedZoneId: 'Z3F0SRJ5LGBH90',
  CreatedTime: instant(balancer.createdAt),
  Scheme: balancer.scheme,
  Type: balancer.type,
  VpcId: balancer.vpcId,
  State: { Code: balancer.state },
  IpAddressType: 'ipv4',
  AvailabilityZones: balancer.subnetIds.map((id) => ({
    ZoneName: request.home.network.find(id).zone,
    SubnetId: id,
  })),
});

const groupShape = (request: WireRequest, group: TargetGroup): object => ({
  TargetGroupArn: group.arn,
  TargetGroupName: group.name,
  Protocol: group.protocol,
  Port: group.port,
  VpcId: group.vpcId,
  TargetType: group.targetType,
  HealthCheckProtocol: group.healthCheck.protocol,
  HealthCheckPort: group.healthCheck.port,
  HealthCheckPath: group.healthCheck.path,
  HealthCheckEnabled: true,
  HealthCheckIntervalSeconds: 10,
  HealthyThresholdCount: group.healthyThreshold,
  UnhealthyThresholdCount: group.unhealthyThreshold,
  LoadBalancerArns: request.home.loadBalancing.balancersOf(group.arn),
});

const listenerShape = (listener: Listener): object => ({
  ListenerArn: listener.arn,
  LoadBalancerArn: listener.loadBalancerArn,
  Port: listener.port,
  Protocol: listener.protocol,
  DefaultActions: listener.targetGroupArns.map((arn) => ({ Type: 'forward', TargetGroupArn: arn })),
});

/** Registered targets; asked-for ones that are not registered answer `unused`. */
function targetHealth(group: TargetGroup, wanted: readonly string[], isUsed: boolean): object[] {
  const ids = wanted.length > 0 ? wanted : [...group.targets.keys()];
  return ids.map((id) => {
    const target = group.targets.get(id);
    const word = target ? healthReason(target.state) : NOT_REGISTERED;
    const unused = target && !isUsed;
    return {
      Target: { Id: id, Port: target?.port ?? group.port },
      HealthCheckPort: String(target?.port ?? group.port),
      TargetHealth: unused
        ? {
            State: 'unused',
            Reason: 'Target.NotInUse',
            Description: 'Target group is not configured to receive traffic from the load balancer',
          }
        : { State: target?.state ?? 'unused', Reason: word?.reason, Description: word?.description },
    };
  });
}

const NOT_REGISTERED = {
  reason: 'Target.NotRegistered',
  description: 'Target is not registered to the target group',
};

function pick<T extends { readonly arn: string; readonly name: string }>(
  all: readonly T[],
  arns: readonly string[],
  names: readonly string[],
  missing: () => AwsError,
): readonly T[] {
  if (arns.length === 0 && names.length === 0) return all;
  const hits = all.filter(({ arn, name }) => arns.includes(arn) || names.includes(name));
  if (hits.length < arns.length + names.length) throw missing();
  return hits;
}

const targetIds = (value: unknown): { id: string; port?: number }[] =>
  list(value).map((item) => {
    const port = integer(props(item)['Port']);
    return { id: text(props(item)['Id']) ?? '', ...(port !== undefined && { port }) };
  });

export const loadBalancingActions: Actions = {
  DescribeTargetHealth: ({ home, params }) => {
    const group = home.loadBalancing.findTargetGroup(text(params['TargetGroupArn']) ?? '');
    const isUsed = home.loadBalancing.balancersOf(group.arn).length > 0;
    return {
      TargetHealthDescriptions: targetHealth(
        group,
        targetIds(params['Targets']).map(({ id }) => id),
        isUsed,
      ),
    };
  },
  DescribeTargetGroups: (request) => {
    const { home, params } = request;
    const byBalancer = text(params['LoadBalancerArn']);
    const all = [...home.loadBalancing.targetGroups.values()].filter(
      ({ arn }) => byBalancer === undefined || home.loadBalancing.balancersOf(arn).includes(byBalancer),
    );
    const missing = (): AwsError =>
      new AwsError('TargetGroupNotFound', 'One or more target groups not found');
    const hits = pick(all, texts(params['TargetGroupArns']), texts(params['Names']), missing);
    const { items, next } = page(request, hits, 'Marker', 'PageSize', 400);
    return { TargetGroups: items.map((group) => groupShape(request, group)), NextMarker: next };
  },
  DescribeLoadBalancers: (request) => {
    const { home, params } = request;
    const missing = (): AwsError =>
      new AwsError('LoadBalancerNotFound', 'One or more load balancers not found');
    const all = [...home.loadBalancing.loadBalancers.values()];
    const hits = pick(all, texts(params['LoadBalancerArns']), texts(params['Names']), missing);
    const { items, next } = page(request, hits, 'Marker', 'PageSize', 400);
    return { LoadBalancers: items.map((balancer) => balancerShape(request, balancer)), NextMarker: next };
  },
  DescribeListeners: (request) => {
    const arn = text(request.params['LoadBalancerArn']);
    const arns = texts(request.params['ListenerArns']);
    const hits = [...request.home.loadBalancing.listeners.values()].filter(
      (listener) => listener.loadBalancerArn === arn || arns.includes(listener.arn),
    );
    const { items, next } = page(request, hits, 'Marker', 'PageSize', 400);
    return { Listeners: items.map(listenerShape), NextMarker: next };
  },
  DescribeTargetGroupAttributes: ({ home, params }) => {
    const group = home.loadBalancing.findTargetGroup(text(params['TargetGroupArn']) ?? '');
    return {
      Attributes: tagList({ 'deregistration_delay.timeout_seconds': String(group.deregistrationDelay) }),
    };
  },
  RegisterTargets: ({ home, params }) => {
    const arn = text(params['TargetGroupArn']) ?? '';
    for (const { id, port } of targetIds(params['Targets']))
      home.loadBalancing.registerInstance(arn, id, port);
    return {};
  },
  DeregisterTargets: ({ home, params }) => {
    const { arn } = home.loadBalancing.findTargetGroup(text(params['TargetGroupArn']) ?? '');
    for (const { id } of targetIds(params['Targets'])) home.loadBalancing.deregisterInstance(id, [arn]);
    return {};
  },
  DescribeTags: ({ home, params }) => ({
    TagDescriptions: texts(params['ResourceArns']).map((arn) => {
      const owner = home.loadBalancing.targetGroups.get(arn) ?? home.loadBalancing.findLoadBalancer(arn);
      return { ResourceArn: arn, Tags: tagList(owner.tags) };
    }),
  }),
};
