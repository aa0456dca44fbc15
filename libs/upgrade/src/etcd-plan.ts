import type { Instant } from '#kernel';
import { EtcdFrame, type EtcdPlan } from './etcd-frame.js';
import { alarmReasons, alarmRemedy, evenReason, gateReasons } from './etcd-gate.js';
import { heirOf, replacementOrder } from './etcd-order.js';
import { projectionInWords, projectQuorum, type EtcdChange } from './etcd-quorum.js';
import {
  memberWord,
  type EtcdMachine,
  type EtcdMemory,
  type EtcdPolicy,
  type EtcdScope,
  type EtcdScopeMember,
} from './etcd-scope.js';
import { planLearner, planUnhealthy } from './etcd-unwell.js';

/**
 * The next single thing to do for an etcd cluster (upgrade.md, "etcd"), from what is seen and the little that must be
 * remembered. One thing per look: whoever dies between two things is followed by somebody who sees the same.
 */
export function planEtcd(scope: EtcdScope, memory: EtcdMemory, policy: EtcdPolicy, now: Instant): EtcdPlan {
  const frame = new EtcdFrame(scope, forget(memory, scope), policy, now);
  const alarms = alarmReasons(scope);
  if (alarms.length > 0) return frame.refuse(alarms, alarmRemedy(scope.alarms));
  const unwell = planUnhealthy(frame);
  if (unwell) return (unwell.decision.kind === 'act' && guard(frame)) || unwell;
  if (scope.groups.length === 0) {
    const summary = `${frame.voters.length} members are healthy; their machines are not replaced`;
    return { decision: { kind: 'done', summary }, memory: frame.memory };
  }
  return (
    unknownMachines(frame) ??
    protect(frame) ??
    planLearner(frame) ??
    clearAway(frame) ??
    fill(frame) ??
    shrink(frame) ??
    replaceNext(frame) ??
    restore(frame) ??
    frame.done(`${frame.voters.length} members are healthy on current machines`)
  );
}

/** Memories of what is gone. */
function forget(memory: EtcdMemory, scope: EtcdScope): EtcdMemory {
  const machines = new Set(scope.machines.map(({ instanceId }) => instanceId));
  const learning = new Set(
    scope.members.filter(({ learner }) => learner).flatMap(({ peerUrls }) => peerUrls),
  );
  const waiting = new Set(scope.machines.map(({ peerUrl }) => peerUrl));
  return {
    ...memory,
    condemned: memory.condemned.filter((instanceId) => machines.has(instanceId)),
    added: memory.added.filter((url) => learning.has(url) || waiting.has(url)),
  };
}

/** Who cannot be told apart is not touched: a machine that seems to carry nobody might carry a voter. */
function unknownMachines(frame: EtcdFrame): EtcdPlan | undefined {
  const lost = frame.voters.filter((member) => member.instanceId === undefined);
  if (lost.length === 0) return undefined;
  if (frame.machines.every((machine) => !machine.outdated && frame.hasMember(machine))) return undefined;
  return frame.refuse(
    lost.map((member) => `it is unknown which machine carries member ${memberWord(member)}`),
    'Name members after their instances, or let their URLs carry the private address or DNS name, or tag each auto scaling group with fairway.dev/etcd-member.',
  );
}

/** While there is work. */
function protect(frame: EtcdFrame): EtcdPlan | undefined {
  const begun = Object.keys(frame.memory.baseline).length > 0;
  const due = frame.size % 2 === 1 && replacementOrder(frame.scope).length > 0;
  return begun || due || frame.voters.length !== frame.size ? guard(frame) : undefined;
}

/** A scale-in, or a rebalancing of zones, may take no machine that carries a member. */
function guard(frame: EtcdFrame): EtcdPlan | undefined {
  const open = frame.machines.filter((machine) => frame.hasMember(machine) && !machine.protectedFromScaleIn);
  const [first] = open;
  if (!first) return undefined;
  const instanceIds = open.filter(({ group }) => group === first.group).map(({ instanceId }) => instanceId);
  return frame.act(
    { kind: 'protect', group: first.group, instanceIds },
    'no scale-in may take a machine that carries a member',
  );
}

/** A machine that goes unbalances the zones for a while; nobody is to answer that by moving another one. */
function suspend(frame: EtcdFrame, victim: EtcdScopeMember): EtcdPlan | undefined {
  const machine = frame.machineOf(victim);
  const group = machine && frame.group(machine.group);
  if (!group?.rebalances) return undefined;
  return frame.act(
    { kind: 'suspend-rebalance', group: group.name },
    'zones are balanced again when all machines are replaced',
    { baseline: { ...frame.memory.baseline, [group.name]: frame.baselineOf(group) } },
  );
}

/** Machines that carry no member and are not to carry one. */
function clearAway(frame: EtcdFrame): EtcdPlan | undefined {
  const idle = frame.machines.filter((machine) => !frame.hasMember(machine));
  const gone = idle.find(
    ({ instanceId, outdated }) =>
      frame.memory.condemned.includes(instanceId) || (outdated && frame.policy.way === 'member'),
  );
  if (gone) {
    return frame.act(
      { kind: 'terminate', instanceId: gone.instanceId, decrement: surplus(frame, gone) },
      `${gone.instanceId} carries no member any more`,
    );
  }
  const needed = frame.voters.length < frame.size || replacementOrder(frame.scope).length > 0;
  const spare = needed ? undefined : idle.find((machine) => surplus(frame, machine));
  if (!spare) return undefined;
  return frame.act(
    { kind: 'terminate', instanceId: spare.instanceId, decrement: true },
    `${spare.instanceId} is not needed any more`,
  );
}

function surplus(frame: EtcdFrame, machine: EtcdMachine): boolean {
  const group = frame.group(machine.group);
  return group !== undefined && group.desired > frame.wanted(group);
}

/** A machine that waits to carry a member; and members that are missing. */
function fill(frame: EtcdFrame): EtcdPlan | undefined {
  const { way } = frame.policy;
  const missing = frame.voters.length < frame.size;
  const beside =
    way === 'member' &&
    frame.voters.length === frame.size &&
    grown(frame) &&
    replacementOrder(frame.scope).length > 0;
  const idle = frame.machines.find((machine) => !frame.hasMember(machine));
  if (!missing && !beside && !(way === 'static' && idle)) return undefined;
  if (way === 'static' || !idle?.inService) {
    return frame.wait(
      idle
        ? `machine ${idle.instanceId} to ${idle.inService ? 'join as a member' : 'boot'}`
        : 'a new machine',
      'Look at the activity of the auto scaling group, and at the log of the machine.',
      frame.scope.groups.flatMap((group) => group.recentFailures),
    );
  }
  const notYet = closedGate(frame);
  if (notYet) return notYet;
  return frame.act(
    { kind: 'add-learner', peerUrl: idle.peerUrl, instanceId: idle.instanceId },
    `${idle.instanceId} is to carry a member`,
    { added: [...frame.memory.added.filter((url) => url !== idle.peerUrl), idle.peerUrl] },
  );
}

/** Before anything that touches the voters: all well, and for a while. */
function closedGate(frame: EtcdFrame): EtcdPlan | undefined {
  const reasons = gateReasons(frame.scope, frame.policy);
  if (reasons.length > 0) return frame.refuse(reasons, 'It goes on when all members are well.');
  const fresh = frame.voters.find(
    ({ wellSince }) => frame.now - (wellSince ?? frame.now) < frame.policy.settle,
  );
  return fresh && frame.wait(`member ${memberWord(fresh)} to settle`, 'Look at the log of this member.');
}

const grown = (frame: EtcdFrame): boolean =>
  frame.scope.groups.some((group) => group.desired > frame.wanted(group));

/** One voter more than there should be: the old one goes, now that the new one votes. */
function shrink(frame: EtcdFrame): EtcdPlan | undefined {
  const { voters, size, memory } = frame;
  if (voters.length <= size) return undefined;
  if (voters.length > size + 1 || Object.keys(memory.baseline).length === 0) {
    return frame.refuse(
      [`there are ${voters.length} voters, and ${size} machines are wanted`],
      'Remove the members that should not be there, or enlarge the auto scaling group.',
    );
  }
  const victim = replacementOrder(frame.scope)[0] ?? [...voters].reverse().find((member) => !member.leader);
  return victim && retire(frame, victim, 'remove');
}

/** The next outdated machine, where everything is as it should be. */
function replaceNext(frame: EtcdFrame): EtcdPlan | undefined {
  const [victim] = replacementOrder(frame.scope);
  if (!victim) return undefined;
  const { policy, scope, size } = frame;
  if (size % 2 === 0)
    return frame.refuse([evenReason(size)], 'Set the size of the etcd group to 3 or 5 first.');
  const notYet = closedGate(frame);
  if (notYet) return notYet;
  const calm = suspend(frame, victim);
  if (calm) return calm;
  if (policy.way === 'static') {
    if (scope.machines.length !== size)
      return frame.wait('the machines of the group', 'Look at its activity.');
    return retire(frame, victim, 'stop');
  }
  return grow(frame, victim);
}

function grow(frame: EtcdFrame, victim: EtcdScopeMember): EtcdPlan | undefined {
  const machine = frame.machineOf(victim);
  const group = machine && frame.group(machine.group);
  if (!group) return undefined;
  const baseline = frame.baselineOf(group);
  const desired = baseline.desired + 1;
  return frame.act(
    {
      kind: 'set-size',
      group: group.name,
      desired,
      expected: group.desired,
      ...(group.maxSize < desired && { maxSize: desired }),
    },
    `a new machine beside ${memberWord(victim)}'s`,
    { baseline: { ...frame.memory.baseline, [group.name]: baseline } },
  );
}

/** Leadership first, then the member or its machine; the projection has the last word. */
function retire(frame: EtcdFrame, victim: EtcdScopeMember, change: EtcdChange): EtcdPlan {
  const { members } = frame.scope;
  const words = projectionInWords(members, victim.id, change);
  if (!projectQuorum(members, victim.id, change).keepsQuorum) {
    return frame.refuse(
      [words],
      'A single member cannot be replaced this way: set etcd_replacement: member.',
    );
  }
  const notYet = closedGate(frame);
  if (notYet) return notYet;
  const heir = victim.leader ? heirOf(frame.scope, victim) : undefined;
  if (heir) {
    return frame.act(
      { kind: 'move-leader', from: victim.id, to: heir.id },
      `${memberWord(victim)} leads and is to go`,
    );
  }
  if (change === 'stop') {
    return frame.act(
      { kind: 'terminate', instanceId: victim.instanceId as string, decrement: false },
      `${memberWord(victim)} is outdated; ${words}`,
    );
  }
  const { instanceId } = victim;
  return frame.act(
    { kind: 'remove-member', memberId: victim.id, ...(instanceId !== undefined && { instanceId }) },
    `${memberWord(victim)} is outdated; ${words}`,
    {
      condemned: instanceId === undefined ? frame.memory.condemned : [...frame.memory.condemned, instanceId],
    },
  );
}

/** The groups as they were before. */
function restore(frame: EtcdFrame): EtcdPlan | undefined {
  for (const [name, baseline] of Object.entries(frame.memory.baseline)) {
    const group = frame.group(name);
    if (group && group.desired > baseline.desired) {
      return frame.act(
        { kind: 'set-size', group: name, desired: baseline.desired, expected: group.desired },
        'no further machine is needed',
      );
    }
    if (group && group.maxSize > baseline.maxSize) {
      return frame.act({ kind: 'restore-max', group: name, maxSize: baseline.maxSize }, 'as it was before');
    }
    if (group && baseline.rebalances && !group.rebalances) {
      return frame.act({ kind: 'resume-rebalance', group: name }, 'as it was before');
    }
  }
  return undefined;
}
