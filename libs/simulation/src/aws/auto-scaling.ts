import { AwsError, validationError } from './aws-error.js';
import { attachInstances, detachInstances, moveTargets } from './group-membership.js';
import { AutoScalingEngine, type EngineParts } from './auto-scaling-engine.js';
import {
  counted,
  newGroup,
  type Activity,
  type Group,
  type GroupInstance,
  type GroupSettings,
  type GroupTag,
} from './auto-scaling-model.js';

const SCALING_PROCESSES = [
  'Launch',
  'Terminate',
  'AddToLoadBalancer',
  'AlarmNotification',
  'AZRebalance',
  'HealthCheck',
  'InstanceRefresh',
  'ReplaceUnhealthy',
  'ScheduledActions',
] as const;

/** EC2 Auto Scaling of one account and region, with AWS's own refusals. */
export class AutoScaling {
  private readonly groups = new Map<string, Group>();
  private readonly engine: AutoScalingEngine;

  constructor(private readonly parts: EngineParts) {
    this.engine = new AutoScalingEngine(parts, this.groups);
  }

  all(): readonly Group[] {
    return [...this.groups.values()];
  }

  get(name: string): Group | undefined {
    return this.groups.get(name);
  }

  find(name: string): Group {
    const group = this.groups.get(name);
    if (!group)
      throw validationError(`AutoScalingGroup name not found - AutoScalingGroup '${name}' not found`);
    return group;
  }

  /** The group that has the instance, and its membership. */
  membership(instanceId: string): { readonly group: Group; readonly member: GroupInstance } | undefined {
    for (const group of this.groups.values()) {
      const member = group.instances.get(instanceId);
      if (member) return { group, member };
    }
    return undefined;
  }

  create(name: string, settings: GroupSettings, tags: readonly GroupTag[]): Group {
    if (this.groups.has(name)) {
      throw new AwsError(
        'AlreadyExists',
        `AutoScalingGroup by this name already exists - A group with the name ${name} already exists`,
      );
    }
    if (!settings.launchTemplate) {
      throw validationError(
        'Valid requests must contain either LaunchTemplate, LaunchConfigurationName, InstanceId or MixedInstancesPolicy parameter.',
      );
    }
    this.parts.launchTemplates.resolve(settings.launchTemplate);
    const { account, region } = this.parts.instances;
    const { random, scheduler } = this.parts.context;
    const arn = `arn:aws:autoscaling:${region}:${account}:autoScalingGroup:${random.uuid()}:autoScalingGroupName/${name}`;
    const subnetIds = this.subnets(settings);
    const group = newGroup({ name, arn, createdAt: scheduler.now(), subnetIds }, settings, tags);
    checkSizes(group.minSize, group.maxSize, group.desiredCapacity);
    this.groups.set(name, group);
    this.engine.wake(group);
    return group;
  }

  /** Instances keep the template version they were launched with. */
  update(name: string, settings: GroupSettings): Group {
    const group = this.find(name);
    const minSize = settings.minSize ?? group.minSize;
    const maxSize = settings.maxSize ?? group.maxSize;
    const desired = settings.desiredCapacity ?? Math.min(Math.max(group.desiredCapacity, minSize), maxSize);
    checkSizes(minSize, maxSize, desired);
    if (settings.launchTemplate) this.parts.launchTemplates.resolve(settings.launchTemplate);
    const { subnetIds: _subnets, zones: _zones, launchTemplate, mixedInstances, ...plain } = settings;
    if (settings.targetGroupArns) moveTargets(this.parts, this.engine, group, settings.targetGroupArns);
    Object.assign(group, plain, { minSize, maxSize, desiredCapacity: desired });
    if (settings.subnetIds ?? settings.zones) group.subnetIds = this.subnets(settings);
    if (launchTemplate) {
      group.launchTemplate = launchTemplate;
      if (mixedInstances) group.mixedInstances = mixedInstances;
      else delete group.mixedInstances;
    }
    this.engine.wake(group);
    return group;
  }

  setDesiredCapacity(name: string, desired: number): void {
    const group = this.find(name);
    if (desired > group.maxSize) {
      throw validationError(
        `New SetDesiredCapacity value ${desired} is above max value ${group.maxSize} for the AutoScalingGroup.`,
      );
    }
    if (desired < group.minSize) {
      throw validationError(
        `New SetDesiredCapacity value ${desired} is below min value ${group.minSize} for the AutoScalingGroup.`,
      );
    }
    group.desiredCapacity = desired;
    this.engine.wake(group);
  }

  delete(name: string, force: boolean): void {
    const group = this.find(name);
    if (!force && group.instances.size > 0) {
      throw new AwsError(
        'ResourceInUse',
        'You cannot delete an AutoScalingGroup while there are instances or pending Spot instance request(s) still in the group.',
      );
    }
    Object.assign(group, { deleting: true, minSize: 0, desiredCapacity: 0 });
    group.suspended.clear();
    for (const member of group.instances.values()) {
      member.protected = false;
      if (member.state !== 'Terminating') this.engine.terminate(group, member, 'the group is deleted.');
    }
    this.engine.wake(group);
  }

  /** `TerminateInstanceInAutoScalingGroup`. A repeated call is refused, as AWS does. */
  terminateInstance(
    instanceId: string,
    decrement: boolean,
  ): { readonly group: Group; readonly activity: Activity } {
    const found = this.membership(instanceId);
    if (!found)
      throw validationError(
        `Instance Id not found - No managed instance found for instance ID: ${instanceId}`,
      );
    const { group, member } = found;
    if (member.state === 'Terminating') {
      throw validationError(
        `Instance ${instanceId} is already in lifecycle state Terminating and cannot be terminated again.`,
      );
    }
    if (decrement && group.desiredCapacity - 1 < group.minSize) {
      throw validationError(
        `Currently, desiredSize equals minSize (${group.minSize}). Terminating instance without replacement will violate ` +
          `group's min size constraint. Either set shouldDecrementDesiredCapacity flag to false or lower group's min size.`,
      );
    }
    if (decrement) group.desiredCapacity--;
    const cause = `instance ${instanceId} was taken out of service in response to a user request${decrement ? `, shrinking the capacity from ${group.desiredCapacity + 1} to ${group.desiredCapacity}` : ''}.`;
    return { group, activity: this.engine.terminate(group, member, cause) };
  }

  setProtection(name: string, instanceIds: readonly string[], protect: boolean): void {
    for (const member of this.members(this.find(name), instanceIds)) member.protected = protect;
  }

  setHealth(instanceId: string, health: GroupInstance['health']): void {
    const found = this.membership(instanceId);
    if (!found)
      throw validationError(
        `Instance Id not found - No managed instance found for instance ID: ${instanceId}`,
      );
    found.member.health = health;
    this.engine.wake(found.group);
  }

  /** No names means all processes. */
  setSuspended(name: string, processes: readonly string[], suspended: boolean): void {
    const group = this.find(name);
    const unknown = processes.find((process) => !SCALING_PROCESSES.includes(process as never));
    if (unknown) throw validationError(`Invalid scaling process type: ${unknown}`);
    for (const process of processes.length > 0 ? processes : SCALING_PROCESSES) {
      if (suspended) group.suspended.add(process);
      else group.suspended.delete(process);
    }
    this.engine.wake(group);
  }

  putTags(name: string, tags: readonly GroupTag[]): void {
    const group = this.find(name);
    for (const tag of tags) group.tags.set(tag.key, tag);
  }

  deleteTags(name: string, keys: readonly string[]): void {
    const group = this.find(name);
    for (const key of keys) group.tags.delete(key);
  }

  /** Raises the desired capacity by the number of instances; refused above the group's maximum. */
  attach(name: string, instanceIds: readonly string[]): void {
    const member = instanceIds.find((id) => this.membership(id));
    if (member) throw validationError(`Instance ${member} is already part of an AutoScalingGroup.`);
    attachInstances(this.parts, this.engine, this.find(name), instanceIds);
  }

  detach(name: string, instanceIds: readonly string[], decrement: boolean): readonly Activity[] {
    const group = this.find(name);
    return detachInstances(this.parts, this.engine, group, this.members(group, instanceIds), decrement);
  }

  private members(group: Group, instanceIds: readonly string[]): GroupInstance[] {
    return instanceIds.map((id) => {
      const member = group.instances.get(id);
      if (!member || member.state === 'Terminating') {
        throw validationError(`The instance ${id} is not part of Auto Scaling group ${group.name}.`);
      }
      return member;
    });
  }

  private subnets(settings: GroupSettings): readonly string[] {
    if (settings.subnetIds?.length) return settings.subnetIds.map((id) => this.parts.network.find(id).id);
    const zones = settings.zones ?? [];
    const found = this.parts.network.subnets.filter(
      ({ zone, role }) => role === 'nodes' && zones.includes(zone),
    );
    if (found.length > 0) return found.map(({ id }) => id);
    throw validationError('At least one Availability Zone or VPC Subnet is required.');
  }
}

/** Number of instances the group counts as serving. */
export const inService = (group: Group): number =>
  counted(group).filter(({ state }) => state === 'InService').length;

function checkSizes(min: number, max: number, desired: number): void {
  if (min > max)
    throw validationError(`Max bound, ${max}, must be greater than or equal to min bound, ${min}`);
  if (desired < min || desired > max) {
    throw validationError(
      `Desired capacity:${desired} must be between the specified min size:${min} and max size:${max}`,
    );
  }
}
