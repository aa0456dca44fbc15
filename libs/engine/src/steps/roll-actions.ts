import { assertNever, toFailure } from '#kernel';
import type { AwsPort, EvictionAnswer } from '#ports';
import type { LaunchAction, LaunchReply, RollAction } from '#rolling';
import type { Pass } from '../pass/pass.js';

export interface RollActionResult {
  readonly eviction?: EvictionAnswer;
  readonly launch?: LaunchReply;
}

const AZ_REBALANCE = ['AZRebalance'];

/** Does one action of the rolling brain. Every branch may be done twice without harm. */
export async function runRollAction(pass: Pass, action: RollAction): Promise<RollActionResult> {
  switch (action.kind) {
    case 'mark-queued':
    case 'cordon':
    case 'exclude-from-load-balancers':
    case 'mark-out-of-service':
    case 'restore-node':
      await pass.kubernetes.patchNode({ name: action.node, uid: action.uid }, action.patch);
      return {};
    case 'evict':
      return { eviction: await pass.kubernetes.evict(action) };
    case 'delete-pod':
      await pass.kubernetes.delete(
        { apiVersion: 'v1', kind: 'Pod', namespace: action.namespace, name: action.name },
        // No grace period of ours: the pod's own counts.
        { uid: action.uid },
      );
      return {};
    case 'launch-in-zone':
      return { launch: await launchInZone(pass.aws, action) };
    case 'forget':
      return {};
    default:
      await runCloudAction(pass.aws, action);
      return {};
  }
}

/** No capacity in a zone is an answer; whatever may have launched something after all is thrown. */
async function launchInZone(aws: AwsPort, action: LaunchAction): Promise<LaunchReply> {
  const { group, zone, token, instanceType } = action;
  try {
    return { kind: 'launched', instance: await aws.launchInZone(group, zone, token, instanceType) };
  } catch (thrown) {
    const { class: kind, message } = toFailure(thrown);
    if (kind !== 'blocked' && kind !== 'invalid') throw thrown;
    return { kind: 'refused', message };
  }
}

type CloudAction = Exclude<
  RollAction,
  {
    kind:
      | 'mark-queued'
      | 'cordon'
      | 'exclude-from-load-balancers'
      | 'mark-out-of-service'
      | 'restore-node'
      | 'launch-in-zone'
      | 'evict'
      | 'delete-pod'
      | 'forget';
  }
>;

async function runCloudAction(aws: AwsPort, action: CloudAction): Promise<void> {
  switch (action.kind) {
    case 'suspend-az-rebalance':
      await aws.tagGroup(action.group, action.tags);
      return aws.suspendProcesses(action.group, AZ_REBALANCE);
    case 'resume-az-rebalance':
      await aws.resumeProcesses(action.group, AZ_REBALANCE);
      return aws.untagGroup(action.group, action.untag);
    case 'raise-max-size':
      return aws.setGroupBounds(action.group, { maxSize: action.to });
    case 'restore-bounds':
      return aws.setGroupBounds(action.group, { maxSize: action.maxSize });
    case 'set-desired-capacity':
      return aws.setDesiredCapacity(action.group, action.to, action.from);
    case 'attach-instance':
      return aws.attachInstance(action.group, action.instance);
    case 'protect-from-scale-in':
      return aws.protectFromScaleIn(action.group, action.instances, action.protect);
    case 'deregister-target':
      return aws.deregisterTargets(action.targetGroupArn, [action.instance]);
    case 'register-target':
      return aws.registerTargets(action.targetGroupArn, [action.instance]);
    case 'terminate':
      return aws.terminateInstance(action.instance, { decrementDesired: action.decrementDesired });
    default:
      return assertNever(action);
  }
}
