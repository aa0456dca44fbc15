import { formatDuration, minutes } from '#kernel';
import type { EtcdFrame, EtcdPlan } from './etcd-frame.js';
import { unhealthyWords } from './etcd-gate.js';
import { projectionInWords, projectQuorum } from './etcd-quorum.js';
import { memberWord, type EtcdScopeMember } from './etcd-scope.js';

/** An election takes seconds; without a leader for longer there is no quorum. */
const ELECTION = minutes(1);

/** Unhealthy voters come first, and nothing else is done while there is one. Undefined where all are well. */
export function planUnhealthy(frame: EtcdFrame): EtcdPlan | undefined {
  const sick = [...frame.voters]
    .filter((member) => !member.healthy)
    .sort((a, b) => (a.unhealthySince ?? frame.now) - (b.unhealthySince ?? frame.now));
  const [first] = sick;
  if (!first) return undefined;
  const since = frame.now - (first.unhealthySince ?? frame.now);
  const words = sick.map(unhealthyWords);
  if (!frame.voters.some((member) => member.healthy)) {
    return since < ELECTION
      ? frame.wait('etcd to have a leader', 'Look at the members.', words)
      : frame.refuse(
          [...words, `no quorum: ${sick.length} of ${frame.voters.length} voters are away`],
          'Bring members back until there is a quorum. If their data are lost, restore a backup: nothing here may touch the rest.',
        );
  }
  const plan =
    frame.policy.way === 'member' ? removeSick(frame, first, since) : restartSick(frame, first, since);
  if (plan.decision.kind !== 'refused') return plan;
  const others = plan.decision.reasons.filter((reason) => !words.includes(reason));
  return { ...plan, decision: { ...plan.decision, reasons: [...words, ...others] } };
}

/** Remove first: an unhealthy member that is joined by another one only makes the quorum larger. */
function removeSick(frame: EtcdFrame, member: EtcdScopeMember, since: number): EtcdPlan {
  const machine = frame.machineOf(member);
  const gone = machine === undefined;
  if (!gone && since < frame.policy.unhealthyAfter) return grace(frame, member, since);
  const projection = projectQuorum(frame.scope.members, member.id, 'remove');
  if (!projection.keepsQuorum) return unsafe(frame, member);
  const stranger = frame.learners.find((learner) => !isOurs(frame, learner));
  if (stranger) return learnerFirst(frame, member, stranger);
  return frame.act(
    { kind: 'remove-member', memberId: member.id, ...(machine && { instanceId: machine.instanceId }) },
    `${unhealthyWords(member)}${gone ? ' and has no machine any more' : ` for ${formatDuration(since)}`}; ${projectionInWords(frame.scope.members, member.id, 'remove')}`,
    { condemned: machine ? [...frame.memory.condemned, machine.instanceId] : frame.memory.condemned },
  );
}

/** The machine goes; its replacement comes with the same identity, or joins by itself. */
function restartSick(frame: EtcdFrame, member: EtcdScopeMember, since: number): EtcdPlan {
  const machine = frame.machineOf(member);
  const missing = frame.machines.length < frame.size;
  const name = memberWord(member);
  if (!machine || missing) {
    return frame.wait(
      `the replacement of ${name}'s machine to serve as a member`,
      'Look at the activity of the auto scaling group and at the log of the new machine. An image that does not remove the dead member and join by itself needs etcd_replacement: member.',
      frame.scope.groups.flatMap((group) => group.recentFailures),
    );
  }
  const replacement =
    machine.launchedAt !== undefined && machine.launchedAt > (member.unhealthySince ?? frame.now);
  if (replacement || !machine.inService) {
    return frame.wait(
      `member ${name} on the new machine ${machine.instanceId}`,
      `Look at etcd's log on ${machine.instanceId}.`,
    );
  }
  if (since < frame.policy.unhealthyAfter) return grace(frame, member, since);
  if (!projectQuorum(frame.scope.members, member.id, 'stop').keepsQuorum) return unsafe(frame, member);
  return frame.act(
    { kind: 'terminate', instanceId: machine.instanceId, decrement: false },
    `${unhealthyWords(member)} for ${formatDuration(since)}; ${projectionInWords(frame.scope.members, member.id, 'stop')}`,
  );
}

function grace(frame: EtcdFrame, member: EtcdScopeMember, since: number): EtcdPlan {
  const left = formatDuration(frame.policy.unhealthyAfter - since);
  return frame.refuse(
    [`${unhealthyWords(member)} for ${formatDuration(since)}`],
    `It is replaced if it is not back within ${left}. Until then no other member is touched.`,
  );
}

function unsafe(frame: EtcdFrame, member: EtcdScopeMember): EtcdPlan {
  const change = frame.policy.way === 'member' ? 'remove' : 'stop';
  return frame.refuse(
    [projectionInWords(frame.scope.members, member.id, change)],
    'Bring an unhealthy member back, or restore a backup: a change of members would lose the quorum.',
  );
}

const learnerFirst = (frame: EtcdFrame, member: EtcdScopeMember, learner: EtcdScopeMember): EtcdPlan =>
  frame.refuse(
    [
      `${memberWord(member)} cannot be replaced while ${memberWord(learner)} is a learner that somebody else added`,
    ],
    'Promote or remove the learner.',
  );

const isOurs = (frame: EtcdFrame, learner: EtcdScopeMember): boolean =>
  learner.peerUrls.some((url) => frame.memory.added.includes(url));

/** A learner is promoted, waited for, or told of; nothing else begins while there is one. */
export function planLearner(frame: EtcdFrame): EtcdPlan | undefined {
  const [learner] = frame.learners;
  if (!learner) return undefined;
  const name = memberWord(learner);
  const ours = isOurs(frame, learner);
  const machine = frame.machineOf(learner);
  if (!ours && frame.policy.way === 'member') {
    return frame.refuse(
      [`${name} is a learner that somebody else added (${learner.peerUrls.join(', ')})`],
      `Promote it, or remove it: etcdctl member remove ${BigInt(learner.id).toString(16)}.`,
    );
  }
  if (ours && !machine) {
    return frame.act(
      { kind: 'remove-member', memberId: learner.id },
      `learner ${name} lost its machine before it was promoted`,
      { added: frame.memory.added.filter((url) => !learner.peerUrls.includes(url)) },
    );
  }
  const lag = learner.healthy ? learner.lag : undefined;
  if (ours && lag !== undefined && lag <= frame.policy.maxLag) {
    return frame.act(
      { kind: 'promote', memberId: learner.id },
      `learner ${name} has caught up (${lag} behind)`,
    );
  }
  const state = learner.healthy
    ? `it is ${lag ?? '?'} entries behind`
    : (learner.reason ?? 'it does not answer');
  return frame.wait(
    `learner ${name} to catch up`,
    `The learner is stuck: look at etcd's log on ${machine?.instanceId ?? 'its machine'}. Removing it harms nobody: etcdctl member remove ${BigInt(learner.id).toString(16)}.`,
    [state],
  );
}
