import { milliseconds, seconds, type Duration } from '#kernel';
import { AwsError } from './aws-error.js';
import { isGone, type Instances } from './instances.js';
import type { Network } from './network.js';
import type { WorldContext } from './world-context.js';
import {
  healthWord,
  type Listener,
  type LoadBalancer,
  type Target,
  type TargetGroup,
  type TargetGroupSettings,
} from './load-balancing-model.js';

interface Parts {
  readonly context: WorldContext;
  readonly instances: Instances;
  readonly network: Network;
}

/** Elastic Load Balancing v2 of one account and region. */
export class LoadBalancing {
  readonly loadBalancers = new Map<string, LoadBalancer>();
  readonly targetGroups = new Map<string, TargetGroup>();
  readonly listeners = new Map<string, Listener>();
  private readonly watchers: ((instanceId: string, healthy: boolean) => void)[] = [];

  constructor(private readonly parts: Parts) {
    parts.instances.onChange((instance) => {
      if (isGone(instance)) this.deregisterInstance(instance.id, [...this.targetGroups.keys()]);
    });
  }

  /** Told when a target turns healthy or unhealthy. */
  onHealth(watcher: (instanceId: string, healthy: boolean) => void): void {
    this.watchers.push(watcher);
  }

  findTargetGroup(arn: string): TargetGroup {
    const group = this.targetGroups.get(arn);
    if (!group) throw new AwsError('TargetGroupNotFound', `Target groups '${arn}' not found`);
    return group;
  }

  findLoadBalancer(arn: string): LoadBalancer {
    const balancer = this.loadBalancers.get(arn);
    if (!balancer) throw new AwsError('LoadBalancerNotFound', `Load balancers '[${arn}]' not found`);
    return balancer;
  }

  createTargetGroup(settings: TargetGroupSettings): TargetGroup {
    if ([...this.targetGroups.values()].some(({ name }) => name === settings.name)) {
      throw new AwsError(
        'DuplicateTargetGroupName',
        `A target group with the same name '${settings.name}' exists, but with different settings`,
      );
    }
    const arn = this.arn(`targetgroup/${settings.name}/${this.parts.context.random.hex(16)}`);
    const group: TargetGroup = { ...settings, arn, vpcId: this.parts.network.vpc.id, targets: new Map() };
    this.targetGroups.set(arn, group);
    return group;
  }

  deleteTargetGroup(arn: string): void {
    if ([...this.listeners.values()].some(({ targetGroupArns }) => targetGroupArns.includes(arn))) {
      throw new AwsError(
        'ResourceInUse',
        `Target group '${arn}' is currently in use by a listener or a rule`,
      );
    }
    this.targetGroups.delete(arn);
  }

  createLoadBalancer(
    settings: Pick<LoadBalancer, 'name' | 'scheme' | 'type' | 'subnetIds' | 'tags'>,
  ): LoadBalancer {
    const { context, network, instances } = this.parts;
    if ([...this.loadBalancers.values()].some(({ name }) => name === settings.name)) {
      throw new AwsError(
        'DuplicateLoadBalancerName',
        `A load balancer with the same name '${settings.name}' exists, but with different settings`,
      );
    }
    const kind = settings.type === 'network' ? 'net' : 'app';
    const id = context.random.hex(16);
    const balancer: LoadBalancer = {
      ...settings,
      arn: this.arn(`loadbalancer/${kind}/${settings.name}/${id}`),
      dnsName: `${settings.scheme === 'internal' ? 'internal-' : ''}${settings.name}-${id}.elb.${instances.region}.amazonaws.com`,
      vpcId: network.vpc.id,
      createdAt: context.scheduler.now(),
      state: 'provisioning',
    };
    this.loadBalancers.set(balancer.arn, balancer);
    context.scheduler.after(context.timings.loadBalancerProvisioning, () => void (balancer.state = 'active'));
    return balancer;
  }

  deleteLoadBalancer(arn: string): void {
    this.loadBalancers.delete(arn);
    for (const listener of this.listeners.values()) {
      if (listener.loadBalancerArn === arn) this.listeners.delete(listener.arn);
    }
  }

  createListener(settings: Omit<Listener, 'arn'>): Listener {
    this.findLoadBalancer(settings.loadBalancerArn);
    for (const arn of settings.targetGroupArns) this.findTargetGroup(arn);
    const path = settings.loadBalancerArn.split(':loadbalancer/')[1] ?? '';
    const listener: Listener = {
      ...settings,
      arn: this.arn(`listener/${path}/${this.parts.context.random.hex(16)}`),
    };
    this.listeners.set(listener.arn, listener);
    return listener;
  }

  /** Load balancers whose listeners forward to the group. */
  balancersOf(targetGroupArn: string): readonly string[] {
    const hits = [...this.listeners.values()].filter(({ targetGroupArns }) =>
      targetGroupArns.includes(targetGroupArn),
    );
    return [...new Set(hits.map(({ loadBalancerArn }) => loadBalancerArn))];
  }

  registerInstance(targetGroupArn: string, instanceId: string, port?: number): void {
    const group = this.findTargetGroup(targetGroupArn);
    if (this.parts.instances.get(instanceId)?.state !== 'running') {
      throw new AwsError(
        'InvalidTarget',
        `The following targets are not in a running state and cannot be registered: '${instanceId}'`,
      );
    }
    const known = group.targets.get(instanceId);
    if (known && known.state !== 'draining') return;
    known?.cancel();
    const target: Target = {
      instanceId,
      port: port ?? group.port,
      state: 'initial',
      passed: 0,
      failed: 0,
      cancel: () => undefined,
    };
    group.targets.set(instanceId, target);
    this.planCheck(group, target);
  }

  /** Lets connections drain. Returns the longest time until the instance is out of all the groups. */
  deregisterInstance(instanceId: string, targetGroupArns: readonly string[]): Duration {
    const gone = this.parts.instances.get(instanceId)?.state !== 'running';
    let longest = milliseconds(0);
    for (const arn of targetGroupArns) {
      const group = this.targetGroups.get(arn);
      const target = group?.targets.get(instanceId);
      if (!group || !target) continue;
      if (target.state !== 'draining') this.drain(group, target, gone);
      else if (gone) this.remove(group, target);
      if (target.drainedAt !== undefined)
        longest = Math.max(longest, target.drainedAt - this.parts.context.scheduler.now());
    }
    return longest;
  }

  private drain(group: TargetGroup, target: Target, gone: boolean): void {
    const { scheduler, timings } = this.parts.context;
    target.cancel();
    const wasServing = target.state === 'healthy' && !gone;
    if (!wasServing) return this.remove(group, target);
    const delay = Math.min(seconds(group.deregistrationDelay), timings.connectionDraining);
    this.setState(group, target, 'draining');
    target.drainedAt = scheduler.now() + delay;
    target.cancel = scheduler.after(delay, () => this.remove(group, target));
  }

  private remove(group: TargetGroup, target: Target): void {
    target.cancel();
    if (group.targets.get(target.instanceId) === target) group.targets.delete(target.instanceId);
  }

  private planCheck(group: TargetGroup, target: Target): void {
    target.cancel = this.parts.context.scheduler.after(
      this.parts.context.timings.targetHealthInterval,
      () => {
        if (group.targets.get(target.instanceId) !== target || !this.targetGroups.has(group.arn)) return;
        this.check(group, target);
        this.planCheck(group, target);
      },
    );
  }

  /** A first pass makes an initial target healthy; afterwards the thresholds of the group count. */
  private check(group: TargetGroup, target: Target): void {
    const serving = this.parts.context.isServing(
      target.instanceId,
      Number(group.healthCheck.port) || target.port,
    );
    target.passed = serving ? target.passed + 1 : 0;
    target.failed = serving ? 0 : target.failed + 1;
    const enough = target.state === 'initial' ? 1 : group.healthyThreshold;
    if (serving && target.state !== 'healthy' && target.passed >= enough)
      this.setState(group, target, 'healthy');
    if (!serving && target.state !== 'unhealthy' && target.failed >= group.unhealthyThreshold) {
      this.setState(group, target, 'unhealthy');
    }
    if (target.state === 'unhealthy') for (const watcher of this.watchers) watcher(target.instanceId, false);
  }

  private setState(group: TargetGroup, target: Target, state: Target['state']): void {
    target.state = state;
    const { account, region } = this.parts.instances;
    const subject = `${group.name}/${target.instanceId}`;
    this.parts.context.record({ account, region, kind: 'target-health', subject, detail: healthWord(state) });
    if (state === 'healthy') for (const watcher of this.watchers) watcher(target.instanceId, true);
  }

  private arn(path: string): string {
    const { account, region } = this.parts.instances;
    return `arn:aws:elasticloadbalancing:${region}:${account}:${path}`;
  }
}
