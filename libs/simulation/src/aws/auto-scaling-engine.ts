import type { Duration } from '#kernel';
import { AwsError } from './aws-error.js';
import { counted, type Activity, type Group, type GroupInstance } from './auto-scaling-model.js';
import type { Instance, Instances } from './instances.js';
import { launchFromTemplate } from './launch-from-template.js';
import type { LaunchTemplates } from './launch-templates.js';
import type { LoadBalancing } from './load-balancing.js';
import type { Network } from './network.js';
import type { WorldContext } from './world-context.js';
import { byZone, pickForScaleIn } from './scale-in.js';

export interface EngineParts {
  readonly context: WorldContext;
  readonly network: Network;
  readonly instances: Instances;
  readonly launchTemplates: LaunchTemplates;
  readonly loadBalancing: LoadBalancing;
}

/** What an Auto Scaling group does by itself to reach its desired capacity. */
export class AutoScalingEngine {
  private readonly awake = new Set<string>();

  constructor(
    private readonly parts: EngineParts,
    private readonly groups: Map<string, Group>,
  ) {
    parts.instances.onChange((instance) => this.instanceChanged(instance));
    parts.loadBalancing.onHealth((instanceId, healthy) => this.targetHealth(instanceId, healthy));
  }

  /** Looks at the group soon. Several wishes before that are one look. */
  wake(group: Group, delay: Duration = this.parts.context.timings.groupReaction): void {
    if (this.awake.has(group.name)) return;
    this.awake.add(group.name);
    this.parts.context.scheduler.after(delay, () => {
      this.awake.delete(group.name);
      if (this.groups.get(group.name) === group) this.look(group);
    });
  }

  private look(group: Group): void {
    this.replaceUnhealthy(group);
    const live = counted(group);
    if (live.length < group.desiredCapacity) this.scaleOut(group, group.desiredCapacity - live.length);
    else if (live.length === group.desiredCapacity) this.rebalance(group);
    else if (!this.awaitsRebalance(group)) this.scaleIn(group, live.length - group.desiredCapacity);
    if (group.deleting && group.instances.size === 0) this.groups.delete(group.name);
  }

  private replaceUnhealthy(group: Group): void {
    if (group.suspended.has('ReplaceUnhealthy') || group.suspended.has('Terminate')) return;
    for (const member of counted(group)) {
      if (member.health !== 'Unhealthy') continue;
      const cause = `an instance was taken out of service in response to an EC2 health check indicating it has been terminated or stopped.`;
      this.terminate(group, member, cause);
    }
  }

  private scaleOut(group: Group, missing: number): void {
    if (group.suspended.has('Launch') || group.deleting) return;
    const zones = new Set(group.subnetIds.map((id) => this.parts.network.find(id).zone));
    for (let i = 0; i < missing; i++) {
      if (!this.launchOne(group, zones)) {
        this.wake(group, this.parts.context.timings.capacityRetry);
        return;
      }
    }
  }

  /** Tries the emptiest zone first. A zone without capacity is left out of `zones` for this look. */
  private launchOne(group: Group, zones: Set<string>): boolean {
    for (;;) {
      const zone = byZone(group, zones)[0]?.zone;
      if (zone === undefined) return false;
      const cause = `an instance was started in response to a difference between desired and actual capacity, increasing the capacity from ${counted(group).length} to ${counted(group).length + 1}.`;
      const activity = this.activity(group, `Launching a new EC2 instance`, cause);
      try {
        const instance = launchFromTemplate(this.parts, group, zone);
        this.join(group, instance, activity);
        return true;
      } catch (error) {
        if (!(error instanceof AwsError)) throw error;
        this.end(activity, 'Failed', `${error.message} Launching EC2 instance failed.`);
        if (error.code !== 'InsufficientInstanceCapacity') return false;
        zones.delete(zone);
      }
    }
  }

  private join(group: Group, instance: Instance, activity: Activity): void {
    const member: GroupInstance = {
      instanceId: instance.id,
      zone: instance.zone,
      instanceType: instance.instanceType,
      ...(instance.launchTemplate && { launchTemplate: instance.launchTemplate }),
      joinedAt: this.parts.context.scheduler.now(),
      state: 'Pending',
      health: 'Healthy',
      protected: group.protectNewInstances,
    };
    group.instances.set(instance.id, member);
    Object.assign(activity, {
      description: `Launching a new EC2 instance: ${instance.id}`,
      status: 'PreInService',
    });
    this.parts.instances.onceRunning(instance.id, () => this.end(activity, 'Successful'));
  }

  private scaleIn(group: Group, surplus: number): void {
    if (group.suspended.has('Terminate')) return;
    for (let i = 0; i < surplus; i++) {
      const member = pickForScaleIn(group, this.parts.launchTemplates);
      if (!member) {
        const cause = `Could not scale to desired capacity because all remaining instances are protected from scale-in.`;
        const last = group.activities[0];
        if (last?.message !== cause)
          this.end(this.activity(group, 'Terminating EC2 instance', cause), 'Failed', cause);
        return;
      }
      const cause = `an instance was taken out of service in response to a difference between desired and actual capacity, shrinking the capacity from ${counted(group).length} to ${counted(group).length - 1}.`;
      this.terminate(group, member, cause);
    }
  }

  /** AZRebalance: first one more in the poorest zone, then the usual scale-in takes one from the richest. */
  private rebalance(group: Group): void {
    if (
      group.suspended.has('AZRebalance') ||
      group.suspended.has('Launch') ||
      group.suspended.has('Terminate')
    )
      return;
    if (group.deleting || counted(group).some(({ state }) => state === 'Pending')) return;
    const zones = new Set(group.subnetIds.map((id) => this.parts.network.find(id).zone));
    const counts = byZone(group, zones);
    const [poorest, richest] = [counts[0], counts.at(-1)];
    if (!poorest || !richest || richest.count - poorest.count < 2) return;
    if (this.launchOne(group, new Set([poorest.zone])))
      group.rebalancing = [...group.instances.keys()].at(-1) as string;
    else this.wake(group, this.parts.context.timings.capacityRetry);
  }

  /** A rebalance must not lose capacity: nothing goes before the new instance is in service. */
  private awaitsRebalance(group: Group): boolean {
    const pending = group.instances.get(group.rebalancing ?? '')?.state === 'Pending';
    if (!pending) delete group.rebalancing;
    return pending;
  }

  /** Takes the member out of its load balancers, lets connections drain, then terminates the instance. */
  terminate(group: Group, member: GroupInstance, cause: string): Activity {
    const { context, loadBalancing, instances } = this.parts;
    member.state = 'Terminating';
    const activity = this.activity(group, `Terminating EC2 instance: ${member.instanceId}`, cause);
    const draining = loadBalancing.deregisterInstance(member.instanceId, group.targetGroupArns);
    if (draining > 0) activity.status = 'WaitingForELBConnectionDraining';
    context.scheduler.after(draining, () => {
      activity.status = 'InProgress';
      const instance = instances.get(member.instanceId);
      if (!instance || instance.state === 'terminated') this.leave(group, member);
      else instances.terminate(member.instanceId, `Client.UserInitiatedShutdown: ${cause}`);
    });
    this.wake(group);
    return activity;
  }

  activity(group: Group, description: string, cause: string): Activity {
    const at = this.parts.context.scheduler.now();
    const activity: Activity = {
      id: this.parts.context.random.uuid(),
      description,
      cause: `At ${new Date(at).toISOString()} ${cause}`,
      startedAt: at,
      status: 'InProgress',
    };
    group.activities.unshift(activity);
    if (group.activities.length > KEPT_ACTIVITIES) group.activities.pop();
    return activity;
  }

  end(activity: Activity, status: Activity['status'], message?: string): void {
    activity.status = status;
    activity.endedAt = this.parts.context.scheduler.now();
    if (message !== undefined) activity.message = message;
  }

  private leave(group: Group, member: GroupInstance): void {
    group.instances.delete(member.instanceId);
    const activity = group.activities.find(
      ({ description }) => description.endsWith(member.instanceId) && description.startsWith('Term'),
    );
    if (activity && activity.endedAt === undefined) this.end(activity, 'Successful');
    this.wake(group);
  }

  private instanceChanged(instance: Instance): void {
    const group = this.groups.get(instance.autoScalingGroup ?? '');
    const member = group?.instances.get(instance.id);
    if (!group || !member) return;
    if (instance.state === 'running' && member.state === 'Pending') this.enterService(group, member);
    else if (instance.state === 'terminated' && member.state === 'Terminating') this.leave(group, member);
    else if (instance.state !== 'running' && instance.state !== 'pending' && member.state !== 'Terminating') {
      this.parts.context.scheduler.after(this.parts.context.timings.groupHealthCheck, () =>
        this.fail(group, member),
      );
    }
  }

  private enterService(group: Group, member: GroupInstance): void {
    member.state = 'InService';
    this.register(group, member.instanceId, group.targetGroupArns);
    this.wake(group);
  }

  /** A target group that is gone costs a failed activity, not the instance. */
  register(group: Group, instanceId: string, targetGroupArns: readonly string[]): void {
    if (group.suspended.has('AddToLoadBalancer')) return;
    for (const arn of targetGroupArns) {
      try {
        this.parts.loadBalancing.registerInstance(arn, instanceId);
      } catch (error) {
        if (!(error instanceof AwsError)) throw error;
        this.end(
          this.activity(group, `Registering ${instanceId} with ${arn}`, 'the group has this target group.'),
          'Failed',
          error.message,
        );
      }
    }
  }

  private fail(group: Group, member: GroupInstance): void {
    if (group.suspended.has('HealthCheck')) return;
    member.health = 'Unhealthy';
    this.wake(group);
  }

  private targetHealth(instanceId: string, healthy: boolean): void {
    const name = this.parts.instances.get(instanceId)?.autoScalingGroup;
    const group = this.groups.get(name ?? '');
    const member = group?.instances.get(instanceId);
    if (!group || !member || healthy || group.healthCheckType !== 'ELB' || member.state !== 'InService')
      return;
    const grace = member.joinedAt + group.healthCheckGracePeriod * 1000 - this.parts.context.scheduler.now();
    if (grace <= 0) this.fail(group, member);
  }
}

const KEPT_ACTIVITIES = 200;
