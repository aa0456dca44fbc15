import { deregisterTargets, lbWait } from './load-balancers.js';
import { drainNode, isHard, tellBlockers } from './drain.js';
import type { RollDraft } from './draft.js';
import { sinceLaunch, type GroupState, type Member } from './group-state.js';
import { cordonPatch, EXCLUDE_FROM_LB, excludePatch, readMark } from './marks.js';
import type { Blocker } from './memory.js';
import { climbLadder } from './ladder.js';
import { parkOrQuarantine } from './park.js';
import { orderTermination } from './terminate.js';
import { exemptionOf, tellNoNode } from './unreachable.js';
import { volumesLeft } from './volumes.js';

/**
 * One look at a node on its way out. What was done is read from the node, its pods and the group, so that it does not
 * matter after which of our writes a process died; memory only adds the clocks.
 */
export function advance(draft: RollDraft, group: GroupState, member: Member): void {
  const memory = draft.instance(member.id);
  if (memory === undefined) return;
  if (member.leaving) {
    draft.enter(member.id, 'terminating');
    // The end of the Node wakes us; the group may let go of the machine a moment later.
    if (member.node === undefined) draft.lookAtAws(group.policy, member.id);
    draft.look(group.policy.pollInterval);
    return;
  }
  if (memory.terminate !== undefined) return orderTermination(draft, group, member);
  const exemption = exemptionOf(draft, group, member);
  if (exemption !== undefined) return orderTermination(draft, group, member, exemption);
  if (member.instance.ec2State === 'stopped') return;
  if (member.node === undefined) return nodeMissing(draft, group, member);
  const marks = { updateId: draft.scope.updateId, now: draft.now, policy: group.policy };
  const cordoned = member.node.unschedulable && readMark(member.node)?.stage === 'cordoned';
  if (!cordoned) {
    const patch = cordonPatch(member.node, marks);
    return actOnNode(draft, group, member, 'cordon', patch, memory.leaves ?? 'outdated');
  }
  if (!leftLoadBalancers(draft, group, member)) return;
  if (draft.instance(member.id)?.givenUpAt === undefined) drain(draft, group, member);
}

/** Somebody deleted the Node in the middle of its drain: what kept its pods keeps nothing any more. */
function nodeMissing(draft: RollDraft, group: GroupState, member: Member): void {
  keepBlockedClock(draft, member, []);
  tellNoNode(draft, group, member, group.policy.registerTimeout - sinceLaunch(draft, member));
}

function actOnNode(
  draft: RollDraft,
  group: GroupState,
  member: Member,
  kind: 'cordon' | 'exclude-from-load-balancers',
  patch: ReturnType<typeof cordonPatch>,
  reason: string,
): void {
  if (!member.node) return;
  const { name, uid } = member.node;
  draft.act({ kind, pool: group.pool.pool, key: name, reason, node: name, uid, instance: member.id, patch });
}

/** Label and deregistration at the same time, then the deregistration delay. True when traffic has ended. */
function leftLoadBalancers(draft: RollDraft, group: GroupState, member: Member): boolean {
  const labelled = member.node?.labels[EXCLUDE_FROM_LB] !== undefined;
  if (!labelled) {
    actOnNode(
      draft,
      group,
      member,
      'exclude-from-load-balancers',
      excludePatch(),
      'no new traffic from load balancers',
    );
  }
  const deregistering = deregisterTargets(draft, group, member);
  if (draft.instance(member.id)?.drainStartedAt !== undefined) return labelled && !deregistering;
  if (!labelled || deregistering) {
    draft.enter(member.id, 'cordoned');
    return false;
  }
  const excluded = draft.instance(member.id)?.lbExcludedAt ?? draft.now;
  draft.changeInstance(member.id, { lbExcludedAt: excluded });
  draft.enter(member.id, 'lb-excluded');
  const wait = lbWait(group, member, draft.now - excluded);
  if (wait > 0) draft.look(wait);
  return wait <= 0;
}

function drain(draft: RollDraft, group: GroupState, member: Member): void {
  const memory = draft.instance(member.id);
  draft.enter(member.id, 'draining');
  draft.changeInstance(member.id, { drainStartedAt: memory?.drainStartedAt ?? draft.now });
  if (member.drainable.length === 0) return drained(draft, group, member);
  const blockers = drainNode(draft, group, member);
  draft.changeInstance(member.id, { emptySince: undefined });
  keepBlockedClock(draft, member, blockers);
  tellBlockers(draft, group, member, blockers);
  if (
    blockers.some((blocker) => blocker.code === 'uncontrolled') &&
    group.policy.podsWithoutController === 'fail'
  ) {
    draft.halt({
      code: 'pod-without-controller',
      pool: group.pool.pool,
      reason: blockers.find((blocker) => blocker.code === 'uncontrolled')?.message ?? '',
      diagnostics: [],
    });
  }
  if (group.policy.onBlockedDeadline === 'ladder') climbLadder(draft, group, member, blockers);
  parkOrQuarantine(draft, group, member, blockers);
  draft.look(group.policy.pollInterval);
}

/** Two reads apart: a pod that was bound before the cordon may show up late. */
function drained(draft: RollDraft, group: GroupState, member: Member): void {
  const since = draft.instance(member.id)?.emptySince ?? draft.now;
  keepBlockedClock(draft, member, []);
  draft.changeInstance(member.id, { emptySince: since });
  const left = group.policy.drainedReadGap - (draft.now - since);
  if (left > 0 || since === draft.now) return draft.look(Math.max(left, 1));
  draft.enter(member.id, 'drained');
  const volumes = volumesLeft(draft, member);
  if (volumes === 'held') return draft.look(group.policy.pollInterval);
  const exemption = volumes === 'late' ? 'drained; its volumes were not detached in time' : undefined;
  orderTermination(draft, group, member, exemption);
}

/** Runs while somebody else keeps a pod; begins anew when a pod that was kept has left: that is progress. */
function keepBlockedClock(draft: RollDraft, member: Member, blockers: readonly Blocker[]): void {
  const memory = draft.instance(member.id);
  const hard = blockers.filter(isHard);
  const patient = blockers.filter((blocker) => !isHard(blocker));
  const kept = new Set(hard.map((blocker) => blocker.pod));
  const progress = memory?.blockedBy?.some((blocker) => !kept.has(blocker.pod)) ?? false;
  const since = progress ? draft.now : (memory?.blockedSince ?? draft.now);
  const over = hard.length === 0 && memory?.blockedSince !== undefined ? draft.now - memory.blockedSince : 0;
  draft.changeInstance(member.id, {
    blockedSince: hard.length > 0 ? since : undefined,
    blockedBy: hard.length > 0 ? hard : undefined,
    waitsFor: patient.length > 0 ? patient : undefined,
    ...(over > 0 && { blockedMs: (memory?.blockedMs ?? 0) + over }),
  });
}
