import { validationError } from './aws-error.js';
import type { AutoScalingEngine, EngineParts } from './auto-scaling-engine.js';
import { counted, type Activity, type Group, type GroupInstance } from './auto-scaling-model.js';
import type { Instance } from './instances.js';

/** Takes running instances into a group and raises its desired capacity by their number. */
export function attachInstances(
  parts: EngineParts,
  engine: AutoScalingEngine,
  group: Group,
  instanceIds: readonly string[],
): void {
  const size = group.desiredCapacity + instanceIds.length;
  if (size > group.maxSize) {
    throw validationError(
      `AttachInstances request failed: the new desired capacity ${size} is above max value ${group.maxSize} for the AutoScalingGroup.`,
    );
  }
  const instances = instanceIds.map((id) => parts.instances.find(id));
  const unfit = instances.find(({ state }) => state !== 'running');
  if (unfit)
    throw validationError(`Invalid Instance ID(s): [${unfit.id}] is not in correct state (running).`);
  for (const instance of instances) enrol(parts, engine, group, instance);
  group.desiredCapacity = size;
}

function enrol(parts: EngineParts, engine: AutoScalingEngine, group: Group, instance: Instance): void {
  instance.autoScalingGroup = group.name;
  instance.tags['aws:autoscaling:groupName'] = group.name;
  group.instances.set(instance.id, {
    instanceId: instance.id,
    zone: instance.zone,
    instanceType: instance.instanceType,
    ...(instance.launchTemplate && { launchTemplate: instance.launchTemplate }),
    joinedAt: parts.context.scheduler.now(),
    state: 'InService',
    health: 'Healthy',
    protected: group.protectNewInstances,
  });
  const activity = engine.activity(
    group,
    `Attaching an existing EC2 instance: ${instance.id}`,
    'a user request attached it.',
  );
  engine.end(activity, 'Successful');
  engine.register(group, instance.id, group.targetGroupArns);
}

/** Lets instances out of the group; they go on running. */
export function detachInstances(
  parts: EngineParts,
  engine: AutoScalingEngine,
  group: Group,
  members: readonly GroupInstance[],
  decrement: boolean,
): readonly Activity[] {
  if (decrement && group.desiredCapacity - members.length < group.minSize) {
    throw validationError(
      `Currently, desiredSize equals minSize (${group.minSize}). Detaching instances without replacement will violate group's min size constraint.`,
    );
  }
  if (decrement) group.desiredCapacity -= members.length;
  return members.map(({ instanceId }) => {
    const activity = engine.activity(
      group,
      `Detaching EC2 instance: ${instanceId}`,
      'a user request detached it.',
    );
    parts.loadBalancing.deregisterInstance(instanceId, group.targetGroupArns);
    group.instances.delete(instanceId);
    const instance = parts.instances.get(instanceId);
    if (instance) {
      delete instance.autoScalingGroup;
      delete instance.tags['aws:autoscaling:groupName'];
    }
    engine.end(activity, 'Successful');
    engine.wake(group);
    return activity;
  });
}

/** Members follow their group into new target groups and out of former ones. */
export function moveTargets(
  parts: EngineParts,
  engine: AutoScalingEngine,
  group: Group,
  arns: readonly string[],
): void {
  for (const arn of arns) parts.loadBalancing.findTargetGroup(arn);
  const left = group.targetGroupArns.filter((arn) => !arns.includes(arn));
  const entered = arns.filter((arn) => !group.targetGroupArns.includes(arn));
  for (const { instanceId, state } of counted(group)) {
    parts.loadBalancing.deregisterInstance(instanceId, left);
    if (state === 'InService') engine.register(group, instanceId, entered);
  }
}
