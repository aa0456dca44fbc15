import { assertNever } from '#kernel';
import type { EvictionAnswer } from '#ports';
import type { RollAction } from '#rolling';
import type { Pass } from '../pass/pass.js';

export interface RollActionResult {
  readonly eviction?: EvictionAnswer;
}

const AZ_REBALANCE = ['AZRebalance'];

/** Does one action of the rolling brain. Every branch may be done twice without harm. */
export async function runRollAction(pass: Pass, action: RollAction): Promise<RollActionResult> {
  const { aws, kubernetes } = pass;
  switch (action.kind) {
    case 'suspend-az-rebalance':
      await aws.tagGroup(action.group, action.tags);
      await aws.suspendProcesses(action.group, AZ_REBALANCE);
      return {};
    case 'resume-az-rebalance':
      await aws.resumeProcesses(action.group, AZ_REBALANCE);
      await aws.untagGroup(action.group, action.untag);
      return {};
    case 'raise-max-size':
      await aws.setGroupBounds(action.group, { maxSize: action.to });
      return {};
    case 'restore-bounds':
      await aws.setGroupBounds(action.group, { maxSize: action.maxSize });
      return {};
    case 'set-desired-capacity':
      await aws.setDesiredCapacity(action.group, action.to, action.from);
      return {};
    case 'protect-from-scale-in':
      await aws.protectFromScaleIn(action.group, action.instances, action.protect);
      return {};
    case 'mark-queued':
    case 'cordon':
    case 'exclude-from-load-balancers':
    case 'restore-node':
      await kubernetes.patchNode({ name: action.node, uid: action.uid }, action.patch);
      return {};
    case 'deregister-target':
      await aws.deregisterTargets(action.targetGroupArn, [action.instance]);
      return {};
    case 'register-target':
      await aws.registerTargets(action.targetGroupArn, [action.instance]);
      return {};
    case 'evict':
      return { eviction: await kubernetes.evict(action) };
    case 'terminate':
      await aws.terminateInstance(action.instance, { decrementDesired: action.decrementDesired });
      return {};
    case 'forget':
      return {};
    default:
      return assertNever(action);
  }
}
