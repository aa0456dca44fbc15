import type { RollDraft } from './draft.js';
import { expectedDrainSeconds } from './drainable.js';
import {
  isAvailable,
  isAway,
  remainingOutdated,
  sinceLaunch,
  wantedSize,
  type GroupState,
  type Member,
} from './group-state.js';
import { unavailableAllowed } from './limits.js';
import { advance } from './old-node.js';
import { giveBack, isUnblocked } from './park.js';
import { moveReplicasFirst, unsettledPrimaries } from './databases.js';
import { podName } from './pdb.js';
import { holdingPdbs } from './foreseen.js';
import { hasHomeless, homelessOf } from './homes.js';
import { isBoundToZone } from './volumes.js';
import { decrementPending } from './terminate.js';
import { tellNoNode } from './unreachable.js';
import { isDead } from './unreachable.js';
import { awaitsZone, helpedAnywhere, waitsForZone } from './zone-surge.js';
import { timelyZones, zoneOutlook } from './zones.js';

/** Slots for drains that several groups share in one pass. */
export interface DrainSlots {
  readonly free: (group: GroupState) => boolean;
}

/** Outdated members that could be taken now or later without anybody's help. */
export function candidatesOf(draft: RollDraft, group: GroupState): readonly Member[] {
  return remainingOutdated(draft, group).filter((member) => {
    const state = draft.instance(member.id)?.state;
    return !member.locked && state !== 'quarantined';
  });
}

/** Starts the next nodes: whenever a slot, a permit and a target exist. */
export function nominate(draft: RollDraft, group: GroupState, slots: DrainSlots): void {
  if (inCanarySoak(draft, group)) return;
  const lonely: Lonely[] = [];
  const seen = new Set<string>();
  // In order anew after each: which zone should give a node next depends on who went before.
  while (slots.free(group) && nominateNext(draft, group, seen, lonely)) continue;
  nominateLonely(draft, group, slots, lonely);
}

/** Takes, or prepares, the first node that can go now; false where none can. */
function nominateNext(draft: RollDraft, group: GroupState, seen: Set<string>, lonely: Lonely[]): boolean {
  const available = availableOf(draft, group);
  for (const member of ordered(draft, group)) {
    if (seen.has(member.id)) continue;
    seen.add(member.id);
    if (!permitted(draft, group, member, available)) continue;
    // Only the first of them is told, and taken when nothing else is left.
    const reason = lonely.length === 0 ? lonelyReason(draft, group, member) : undefined;
    if (reason) lonely.push({ member, reason });
    if (reason || (lonely.length > 0 && isLonely(draft, group, member))) continue;
    if (!moveReplicasFirst(draft, group, member)) take(draft, group, member);
    return true;
  }
  return false;
}

/** A node whose pods would find no home now, and what to tell people about it. */
interface Lonely {
  readonly member: Member;
  readonly reason: { readonly code: string; readonly message: string; readonly unblock: string };
}

/** Machines that are off and kubelets that are dead: nobody is disturbed, and pods that hang on them are let go. */
export function nominateDead(draft: RollDraft, group: GroupState, slots: DrainSlots): void {
  for (const member of candidatesOf(draft, group)) {
    const idle = !isAway(draft.instance(member.id)) && isDead(draft, group, member);
    if (idle && slots.free(group)) take(draft, group, member);
  }
}

/** In an aborted roll the surge goes back, and nothing else. */
export function nominateSurplus(draft: RollDraft, group: GroupState, slots: DrainSlots): void {
  const idle = group.members.filter((member) => !member.leaving && !isAway(draft.instance(member.id)));
  const broken = idle.filter((member) => draft.instance(member.id)?.leaves === 'failed-boot');
  for (const member of [...broken, ...surplus(draft, group, idle)]) {
    if (slots.free(group) && permitted(draft, group, member)) take(draft, group, member);
  }
}

function take(draft: RollDraft, group: GroupState, member: Member): void {
  const failed = draft.instance(member.id)?.leaves === 'failed-boot';
  const leaves = failed ? 'failed-boot' : member.outdated ? 'outdated' : 'surplus';
  draft.changeInstance(member.id, {
    leaves,
    nominatedAt: draft.now,
    emptySince: undefined,
    blockedMs: undefined,
  });
  draft.enter(member.id, 'nominated');
  advance(draft, group, member);
}

/** Undefined: every pod of it finds a home, or nobody waits for that: the node serves nobody, or the policy says so. */
function lonelyReason(draft: RollDraft, group: GroupState, member: Member): Lonely['reason'] | undefined {
  const node = member.node?.name ?? member.id;
  if (lacksZone(draft, group, member)) {
    return {
      code: 'zone-without-node',
      message: `${node} is the only node of ${member.instance.zone} and holds volumes: their pods wait until its replacement is up.`,
      unblock: 'Set max_surge: auto, or one auto scaling group per zone.',
    };
  }
  const homeless = needsHomes(draft, group, member) ? homelessOf(draft.scope, member) : undefined;
  if (!homeless) return undefined;
  const { count, first } = homeless;
  return {
    code: 'no-home',
    message: `${count} pods of ${node} fit nowhere, for example ${podName(first.pod)}: ${first.reason}.`,
    unblock: 'Add room for them, or change what they ask for.',
  };
}

const isLonely = (draft: RollDraft, group: GroupState, member: Member): boolean =>
  lacksZone(draft, group, member) || (needsHomes(draft, group, member) && hasHomeless(draft.scope, member));

const needsHomes = (draft: RollDraft, group: GroupState, member: Member): boolean =>
  member.outdated && isAvailable(draft, member) && group.policy.strategy === 'surge';

/**
 * Volumes cannot leave their zone: another node must serve there before the pod that uses one is moved, and a new one
 * where the group can be given one. What cannot be helped is left for the end and told, not waited for without an end.
 */
function lacksZone(draft: RollDraft, group: GroupState, member: Member): boolean {
  if (waitsForZone(draft, group, member)) return true;
  if (!member.outdated || !isAvailable(draft, member) || !isBoundToZone(draft, member)) return false;
  const sameZone = draft.scope.groups
    .flatMap((pool) => pool.nodes)
    .filter((node) => node.name !== member.node?.name && node.zone === member.instance.zone);
  return !sameZone.some((node) => node.ready && !node.unschedulable);
}

/** Nodes whose pods have no other home, when everything else is done and nothing is on its way. */
function nominateLonely(
  draft: RollDraft,
  group: GroupState,
  slots: DrainSlots,
  lonely: readonly Lonely[],
): void {
  if (awaitsZone(draft, group)) return;
  const coming = group.members.some(
    (member) => isAway(draft.instance(member.id)) || (!member.outdated && !isAvailable(draft, member)),
  );
  const [first] = lonely;
  if (!first || coming || !slots.free(group) || !permitted(draft, group, first.member)) return;
  const { member, reason } = first;
  draft.note({ pool: group.pool.pool, instance: member.id, severity: 'warning', ...reason });
  take(draft, group, member);
}

/** One node alone where the policy asks to watch it; otherwise the canary is only the first in order. */
function inCanarySoak(draft: RollDraft, group: GroupState): boolean {
  const memory = draft.pool(group.name);
  if (group.policy.canarySoak > 0 && memory?.replaced.length === 0 && hasBegun(draft, group)) return true;
  if (memory?.canaryAt === undefined || memory.replaced.length !== 1) return false;
  const left = group.policy.canarySoak - (draft.now - memory.canaryAt);
  if (left > 0) draft.look(left);
  return left > 0;
}

const hasBegun = (draft: RollDraft, group: GroupState): boolean =>
  draft
    .instancesOf(group.name)
    .some(
      ([, { leaves, state }]) => leaves === 'outdated' && state !== 'quarantined' && state !== 'slow-lane',
    );

/** Taking it away leaves enough: what does not serve now can go at any time. */
function permitted(
  draft: RollDraft,
  group: GroupState,
  member: Member,
  available = availableOf(draft, group),
): boolean {
  if (mayStillRegister(draft, group, member)) return false;
  if (!isAvailable(draft, member)) return true;
  return available - 1 >= wantedSize(group, draft.pool(group.name)) - unavailableAllowed(group);
}

/** A young machine whose Node is missing (not there yet, or deleted by hand) is left to come until its time is over. */
function mayStillRegister(draft: RollDraft, group: GroupState, member: Member): boolean {
  if (member.node !== undefined || !member.outdated) return false;
  const left = group.policy.registerTimeout - sinceLaunch(draft, member);
  if (left <= 0) return false;
  tellNoNode(draft, group, member, left);
  return true;
}

const availableOf = (draft: RollDraft, { members }: GroupState): number =>
  members.filter((member) => isAvailable(draft, member)).length;

/** Failed boots, then outdated nodes in their order, then what only gives surge back. */
function ordered(draft: RollDraft, group: GroupState): readonly Member[] {
  const idle = group.members.filter((member) => !member.leaving && !isAway(draft.instance(member.id)));
  const failed = idle.filter((member) => draft.instance(member.id)?.leaves === 'failed-boot');
  const old = orderOutdated(
    draft,
    group,
    candidatesOf(draft, group).filter((member) => idle.includes(member)),
  );
  return [...failed, ...old, ...surplus(draft, group, idle)];
}

function surplus(draft: RollDraft, group: GroupState, idle: readonly Member[]): readonly Member[] {
  const owed = draft.pool(group.name)?.surgeOwed ?? 0;
  const leaving = group.members.some((member) => isAway(draft.instance(member.id)));
  const needed = draft.aborted ? 0 : helpedAnywhere(draft, group, remainingOutdated(draft, group)).length;
  if (owed <= needed || decrementPending(draft, group) || leaving) return [];
  const held = (member: Member): boolean =>
    draft.instance(member.id)?.state === 'quarantined' && !isUnblocked(draft, member);
  const current = idle.filter((member) => !member.outdated && !member.locked && !held(member));
  const cost = (member: Member): number => (member.node ? 1 + expectedDrainSeconds(member.drainable) : 0);
  const zones = zoneOutlook(draft, group).live;
  const crowd = (member: Member): number => zones.get(member.instance.zone) ?? 0;
  return [...current]
    .sort((a, b) => crowd(b) - crowd(a) || cost(a) - cost(b) || (a.id < b.id ? -1 : 1))
    .slice(0, 1);
}

/**
 * Dead nodes first: they serve nobody. Then one canary of least cost. Then empty nodes and the longest drains, so that
 * the last node is not the slow one. The node that runs Fairway comes after all that can be expected to go; nodes that
 * a PDB is known to hold, and those that gave way already, come last. Masters that serve go in the order of the control
 * plane's gate.
 */
export function orderOutdated(
  draft: RollDraft,
  group: GroupState,
  members: readonly Member[],
): readonly Member[] {
  const canary = (draft.pool(group.name)?.replaced.length ?? 0) === 0 && !hasBegun(draft, group);
  const cost = (member: Member): number => expectedDrainSeconds(member.drainable);
  const order = group.pool.master ? (draft.scope.controlPlaneGate?.order ?? []) : [];
  const rank = (member: Member): number => {
    if (draft.instance(member.id)?.state === 'slow-lane' && !isUnblocked(draft, member)) return 5;
    if (foreseenBlocked(draft, member)) return 4;
    if (runsFairway(group, member)) return 3;
    if (!member.node?.ready || member.instance.healthStatus !== 'Healthy') return 0;
    return member.drainable.length === 0 || order.includes(member.id) ? 1 : 2;
  };
  const early = timelyZones(draft, group);
  const placed = members.map((member) => ({
    member,
    rank: rank(member),
    place: order.indexOf(member.id),
    debt: unsettledPrimaries(draft, group, member).length,
    cost: canary ? cost(member) : -cost(member),
    late: early.has(member.instance.zone) ? 0 : 1,
  }));
  return placed
    .sort(
      (a, b) =>
        a.rank - b.rank ||
        a.place - b.place ||
        a.debt - b.debt ||
        a.cost - b.cost ||
        a.late - b.late ||
        (a.member.id < b.member.id ? -1 : 1),
    )
    .map(({ member }) => member);
}

const foreseenBlocked = (draft: RollDraft, member: Member): boolean =>
  member.drainable.some((pod) => holdingPdbs(pod, draft.scope.pdbs).length > 0);

function runsFairway({ policy }: GroupState, member: Member): boolean {
  const wanted = Object.entries(policy.fairwayLabels);
  return (
    wanted.length > 0 && member.pods.some((pod) => wanted.every(([key, value]) => pod.labels[key] === value))
  );
}

/** Quarantined nodes whose blockers are gone take part again. */
export function releaseUnblocked(draft: RollDraft, group: GroupState): void {
  for (const member of group.members) {
    if (draft.instance(member.id)?.state !== 'quarantined' || !isUnblocked(draft, member)) continue;
    draft.changeInstance(member.id, { blockedBy: undefined });
    giveBack(draft, group, member, 'current', 'what blocked it is gone');
  }
}
