import {
  CreateOrUpdateTagsCommand,
  DeleteTagsCommand,
  DescribeAutoScalingGroupsCommand,
  DescribeAutoScalingInstancesCommand,
  ResumeProcessesCommand,
  SetDesiredCapacityCommand,
  SetInstanceProtectionCommand,
  SuspendProcessesCommand,
  TerminateInstanceInAutoScalingGroupCommand,
  UpdateAutoScalingGroupCommand,
} from '@aws-sdk/client-auto-scaling';
import { DescribeInstancesCommand } from '@aws-sdk/client-ec2';
import {
  DeregisterTargetsCommand,
  DescribeTargetGroupAttributesCommand,
  RegisterTargetsCommand,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { FailureError, seconds, type Duration } from '#kernel';
import { awsError, failureCode } from './classify.js';
import type { SdkClients } from './sdk-clients.js';

/** SetInstanceProtection takes this many instances. */
const PROTECTION_BATCH = 50;

/** Writes to ASGs, their instances and their target groups. All may be repeated. */
export class GroupWrites {
  constructor(private readonly sdk: SdkClients) {}

  /** AWS knows no precondition here, so the expectation is read immediately before. */
  async setDesiredCapacity(group: string, desired: number, expected: number): Promise<void> {
    const answer = await this.sdk.autoScaling.send(
      new DescribeAutoScalingGroupsCommand({ AutoScalingGroupNames: [group] }),
    );
    const found = answer.AutoScalingGroups?.[0];
    if (!found) {
      throw new FailureError({
        class: 'conflict',
        code: 'group-missing',
        message: `the ASG ${group} does not exist`,
      });
    }
    if (found.DesiredCapacity !== expected) {
      throw new FailureError({
        class: 'conflict',
        code: 'capacity-moved',
        message: `the ASG ${group} wants ${found.DesiredCapacity ?? '?'} instances, ${expected} were expected`,
      });
    }
    if (desired === expected) return;
    await this.sdk.autoScaling.send(
      new SetDesiredCapacityCommand({
        AutoScalingGroupName: group,
        DesiredCapacity: desired,
        HonorCooldown: false,
      }),
    );
  }

  async setBounds(
    group: string,
    bounds: { readonly minSize?: number; readonly maxSize?: number },
  ): Promise<void> {
    if (bounds.minSize === undefined && bounds.maxSize === undefined) return;
    await this.sdk.autoScaling.send(
      new UpdateAutoScalingGroupCommand({
        AutoScalingGroupName: group,
        ...(bounds.minSize !== undefined && { MinSize: bounds.minSize }),
        ...(bounds.maxSize !== undefined && { MaxSize: bounds.maxSize }),
      }),
    );
  }

  /** No processes means none: AWS would read an empty list as all of them. */
  async suspend(group: string, processes: readonly string[]): Promise<void> {
    if (processes.length === 0) return;
    const input = { AutoScalingGroupName: group, ScalingProcesses: [...processes] };
    await this.sdk.autoScaling.send(new SuspendProcessesCommand(input));
  }

  async resume(group: string, processes: readonly string[]): Promise<void> {
    if (processes.length === 0) return;
    const input = { AutoScalingGroupName: group, ScalingProcesses: [...processes] };
    await this.sdk.autoScaling.send(new ResumeProcessesCommand(input));
  }

  async tag(group: string, tags: Readonly<Record<string, string>>): Promise<void> {
    const list = Object.entries(tags);
    if (list.length === 0) return;
    const Tags = list.map(([Key, Value]) => ({ ...tagTarget(group), Key, Value, PropagateAtLaunch: false }));
    await this.sdk.autoScaling.send(new CreateOrUpdateTagsCommand({ Tags }));
  }

  async untag(group: string, keys: readonly string[]): Promise<void> {
    if (keys.length === 0) return;
    const Tags = keys.map((Key) => ({ ...tagTarget(group), Key }));
    await this.sdk.autoScaling.send(new DeleteTagsCommand({ Tags }));
  }

  async protect(group: string, instanceIds: readonly string[], protect: boolean): Promise<void> {
    for (let at = 0; at < instanceIds.length; at += PROTECTION_BATCH) {
      await this.sdk.autoScaling.send(
        new SetInstanceProtectionCommand({
          AutoScalingGroupName: group,
          InstanceIds: instanceIds.slice(at, at + PROTECTION_BATCH),
          ProtectedFromScaleIn: protect,
        }),
      );
    }
  }

  /**
   * Looked at before and, where AWS refuses, after: a second call for an instance on its way out answers
   * ValidationError, the same as a call for one that never was, and must never decrement twice.
   */
  async terminate(instanceId: string, decrementDesired: boolean): Promise<void> {
    if (await this.#goneOrGoing(instanceId)) return;
    try {
      await this.sdk.autoScaling.send(
        new TerminateInstanceInAutoScalingGroupCommand({
          InstanceId: instanceId,
          ShouldDecrementDesiredCapacity: decrementDesired,
        }),
      );
    } catch (thrown) {
      if (awsError(thrown).name !== 'ValidationError' || !(await this.#goneOrGoing(instanceId))) throw thrown;
    }
  }

  async #goneOrGoing(instanceId: string): Promise<boolean> {
    const answer = await this.sdk.autoScaling.send(
      new DescribeAutoScalingInstancesCommand({ InstanceIds: [instanceId] }),
    );
    const member = answer.AutoScalingInstances?.[0];
    // `Terminating`, `Terminating:Wait`, `Terminating:Proceed`, `Terminated`
    if (member) return member.LifecycleState?.startsWith('Terminat') ?? false;
    const machines = await this.sdk.ec2.send(
      new DescribeInstancesCommand({ Filters: [{ Name: 'instance-id', Values: [instanceId] }] }),
    );
    const machine = machines.Reservations?.flatMap((one) => one.Instances ?? [])[0];
    return machine === undefined || ['shutting-down', 'terminated'].includes(machine.State?.Name ?? '');
  }

  /** Targets that are not registered, or a target group that is gone, are success. */
  async deregister(targetGroupArn: string, instanceIds: readonly string[]): Promise<void> {
    if (instanceIds.length === 0) return;
    try {
      await this.sdk.loadBalancing.send(
        new DeregisterTargetsCommand({
          TargetGroupArn: targetGroupArn,
          Targets: instanceIds.map((Id) => ({ Id })),
        }),
      );
    } catch (thrown) {
      if (failureCode(thrown) !== 'aws-missing' && !awsError(thrown).name.startsWith('InvalidTarget'))
        throw thrown;
    }
  }

  /** Targets that are registered already are success. */
  async register(targetGroupArn: string, instanceIds: readonly string[]): Promise<void> {
    if (instanceIds.length === 0) return;
    const Targets = instanceIds.map((Id) => ({ Id }));
    await this.sdk.loadBalancing.send(
      new RegisterTargetsCommand({ TargetGroupArn: targetGroupArn, Targets }),
    );
  }

  async deregistrationDelay(targetGroupArn: string): Promise<Duration> {
    const answer = await this.sdk.loadBalancing.send(
      new DescribeTargetGroupAttributesCommand({ TargetGroupArn: targetGroupArn }),
    );
    const value = answer.Attributes?.find((one) => one.Key === 'deregistration_delay.timeout_seconds')?.Value;
    const delay = Number(value);
    // AWS's default.
    return seconds(value === undefined || Number.isNaN(delay) ? 300 : delay);
  }
}

const tagTarget = (group: string): { ResourceId: string; ResourceType: string } => ({
  ResourceId: group,
  ResourceType: 'auto-scaling-group',
});
