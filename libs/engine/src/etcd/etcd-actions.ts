import { assertNever } from '#kernel';
import type { AwsPort } from '#ports';
import type { EtcdAction } from '#upgrade';
import type { EtcdObservation } from './observe-etcd.js';

const REBALANCE = ['AZRebalance'];

/** Does one thing. Doing it twice harms nobody: what is there already is seen by the next look. */
export async function runEtcdAction(
  aws: AwsPort,
  { port, endpoints }: EtcdObservation,
  action: EtcdAction,
): Promise<void> {
  switch (action.kind) {
    case 'protect':
      return aws.protectFromScaleIn(action.group, action.instanceIds, true);
    case 'set-size':
      if (action.maxSize !== undefined) await aws.setGroupBounds(action.group, { maxSize: action.maxSize });
      return aws.setDesiredCapacity(action.group, action.desired, action.expected);
    case 'suspend-rebalance':
      return aws.suspendProcesses(action.group, REBALANCE);
    case 'resume-rebalance':
      return aws.resumeProcesses(action.group, REBALANCE);
    case 'restore-max':
      return aws.setGroupBounds(action.group, { maxSize: action.maxSize });
    case 'terminate':
      return aws.terminateInstance(action.instanceId, { decrementDesired: action.decrement });
    case 'add-learner':
      await port.addMember({ peerUrls: [action.peerUrl], learner: true });
      return;
    case 'promote':
      await port.promoteMember(action.memberId);
      return;
    case 'move-leader':
      return port.moveLeader({ endpoint: endpoints.get(action.from) ?? '' }, action.to);
    case 'remove-member': {
      // Not by the one that goes: it may be gone before it has answered.
      const own = endpoints.get(action.memberId);
      const others = port.endpoints.filter((endpoint) => endpoint !== own);
      await port.withEndpoints(others.length > 0 ? others : port.endpoints).removeMember(action.memberId);
      return;
    }
    default:
      return assertNever(action);
  }
}

/** What an action is about, for the record of intents. */
export function targetOf(action: EtcdAction): string {
  switch (action.kind) {
    case 'protect':
    case 'set-size':
    case 'restore-max':
    case 'suspend-rebalance':
    case 'resume-rebalance':
      return action.group;
    case 'add-learner':
      return action.peerUrl;
    case 'terminate':
      return action.instanceId;
    case 'move-leader':
      return action.to;
    case 'promote':
    case 'remove-member':
      return action.memberId;
    default:
      return assertNever(action);
  }
}
