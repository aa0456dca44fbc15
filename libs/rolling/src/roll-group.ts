import { abortGroup, takeSurgeBack } from './abort.js';
import { raiseSurge, settleCapacity, watchShortage } from './capacity.js';
import { tellBlockers } from './drain.js';
import type { RollDraft } from './draft.js';
import { staysUneven } from './even-out.js';
import { finishGroup } from './finish.js';
import { closeGone } from './gone.js';
import {
  isAvailable,
  isAway,
  remainingOutdated,
  remember,
  sinceLaunch,
  type GroupState,
  type Member,
} from './group-state.js';
import { readMark } from './marks.js';
import { trackBoot } from './new-node.js';
import { candidatesOf, nominate, nominateDead, releaseUnblocked, type DrainSlots } from './nominate.js';
import { advance } from './old-node.js';
import { standing } from './park.js';
import { beforeRoll, giveBackUndrained, prepareGroup, ROLL_TAG, unmarkFrozen } from './prepare.js';
import type { GroupReport, Turn } from './report.js';
import { keepTime } from './time-spent.js';
import { awaitsZone } from './zone-surge.js';

export const HALTED = 'the roll is halted';

/** One group in one pass: close what ended, move what is on its way, then start what may be started. */
export function rollGroup(draft: RollDraft, group: GroupState, slots: DrainSlots, turn: Turn): GroupReport {
  if (!begin(draft, group)) return { group, finished: true, turn: {}, coming: 0, frozen: false };
  settleCapacity(draft, group);
  closeGone(draft, group);
  for (const member of group.members) trackBoot(draft, group, member);
  const shortage = watchShortage(draft, group);
  const frozen = freeze(draft, group);
  if (draft.halted) giveBackUndrained(draft, group, 'queued', HALTED);
  if (draft.aborted) abortGroup(draft, group);
  for (const member of group.members) moveOn(draft, group, member);
  if (draft.aborted) takeSurgeBack(draft, group, slots);
  const failed = group.members.some((member) => draft.instance(member.id)?.leaves === 'failed-boot');
  const rolling = failed || remainingOutdated(draft, group).length > 0 || owed(draft, group) > 0;
  const stopped = draft.halted !== undefined || draft.aborted !== undefined;
  if (rolling && !stopped && turn.waits === undefined) start(draft, group, slots, frozen);
  if (frozen) unmarkFrozen(draft, group);
  const coming = comingUp(draft, group, shortage);
  const busy = group.members.some((member) => isAway(draft.instance(member.id)));
  const nothingLeft = draft.aborted !== undefined || remainingOutdated(draft, group).length === 0;
  const ended = nothingLeft && owed(draft, group) === 0 && !busy;
  const clean = ended && coming === 0 && pendingGone(draft, group) === 0 && finishGroup(draft, group);
  noteLocked(draft, group);
  tellParked(draft, group);
  const report = { group, finished: clean, turn, coming, frozen };
  keepTime(draft, report);
  return report;
}

/** Nothing new is started while frozen; a group that waits for its turn launches nothing either. */
function start(draft: RollDraft, group: GroupState, slots: DrainSlots, frozen: boolean): void {
  if (frozen) return;
  if (draft.scope.starts === 'dead') return nominateDead(draft, group, slots);
  prepareGroup(draft, group);
  releaseUnblocked(draft, group);
  raiseSurge(draft, group, candidatesOf(draft, group));
  nominate(draft, group, slots);
}

/** True when there is something to do or to undo. Opens the group's memory then. */
function begin(draft: RollDraft, group: GroupState): boolean {
  const memory = draft.pool(group.name);
  const running = memory !== undefined && memory.finished === undefined;
  if (running) return true;
  if (draft.aborted && !leftovers(draft, group)) return false;
  if (staysUneven(draft, group)) return false;
  const quiet =
    group.members.every((member) => !member.outdated && !isYoung(draft, group, member)) &&
    !leftovers(draft, group) &&
    group.members.filter((member) => !member.leaving).length >= group.pool.group.desiredCapacity;
  if (quiet || (memory?.finished?.updateId === draft.scope.updateId && onlySettled(draft, group)))
    return false;
  const { minSize, maxSize, desiredCapacity, tags } = group.pool.group;
  const before = beforeRoll(tags[ROLL_TAG]);
  const tagged = before?.sizes;
  draft.setPool(group.name, {
    pool: group.pool.pool,
    startedAt: draft.now,
    original: tagged ?? { minSize, maxSize, desiredCapacity },
    // Without memory the tag tells what was before; what is above it is taken for our surge.
    surgeOwed: tagged ? Math.max(0, desiredCapacity - tagged.desiredCapacity) : 0,
    ...(tagged && maxSize > tagged.maxSize && { raisedMax: maxSize }),
    azRebalanceSuspendedByUs: tagged !== undefined,
    replaced: memory?.replaced ?? [],
    failedBoots: memory?.failedBoots ?? [],
    consecutiveFailedBoots: memory?.consecutiveFailedBoots ?? 0,
    ...(memory?.evening !== undefined && { evening: memory.evening }),
    ...(memory?.bootMs !== undefined && { bootMs: memory.bootMs }),
    ...(memory?.usualBootMs !== undefined && { usualBootMs: memory.usualBootMs }),
    ...(memory?.drainMs !== undefined && { drainMs: memory.drainMs }),
  });
  for (const member of group.members) {
    remember(draft, group, member);
    if (before?.unprotected && member.instance.protectedFromScaleIn) {
      draft.changeInstance(member.id, { protectedByUs: true });
    }
  }
  return true;
}

/** After a finished roll only a new outdated node or leftovers open the group again, not somebody else's launches. */
const onlySettled = (draft: RollDraft, group: GroupState): boolean =>
  group.members.every((member) => !member.outdated) && !leftovers(draft, group);

const leftovers = (draft: RollDraft, group: GroupState): boolean =>
  group.pool.group.tags[ROLL_TAG] !== undefined ||
  draft.instancesOf(group.name).length > 0 ||
  group.members.some(
    (member) => member.node !== undefined && readMark(member.node) !== undefined && !member.leaving,
  );

/** Still within the time that a boot may take, and not complete. */
function isYoung(draft: RollDraft, group: GroupState, member: Member): boolean {
  if (member.leaving || isAvailable(draft, member)) return false;
  const { registerTimeout, initialiseTimeout } = group.policy;
  const created = Date.parse(member.instance.launchedAt ?? member.node?.createdAt ?? '');
  return !Number.isNaN(created) && draft.now - created < registerTimeout + initialiseTimeout;
}

function freeze(draft: RollDraft, group: GroupState): boolean {
  const frozen = draft.scope.frozen.includes(group.pool.pool);
  const since = draft.pool(group.name)?.frozenSince ?? draft.now;
  draft.changePool(group.name, { frozenSince: frozen ? since : undefined });
  return frozen;
}

function moveOn(draft: RollDraft, group: GroupState, member: Member): void {
  const memory = draft.instance(member.id);
  if (isAway(memory)) return advance(draft, group, member);
  if (member.leaving && member.outdated) draft.enter(member.id, 'lost');
}

/** Surge that no ordered decrement will take back. */
function owed(draft: RollDraft, group: GroupState): number {
  const memory = draft.pool(group.name);
  const ordered = draft
    .instancesOf(group.name)
    .filter(([, { terminate }]) => terminate?.decrement && !terminate.settled);
  const pending = memory?.surgePending === undefined ? 0 : memory.surgePending.to - memory.surgePending.from;
  const loose = memory?.zoneLaunch === undefined ? 0 : 1;
  return (memory?.surgeOwed ?? 0) + pending + loose - ordered.length;
}

/** Instances that are expected or on their way in; nodes that have been broken for long are told, not waited for. */
function comingUp(draft: RollDraft, group: GroupState, shortage: 'none' | 'short' | 'long'): number {
  const unfinished = group.members.filter((member) => {
    const memory = draft.instance(member.id);
    if (member.outdated || member.leaving || isAway(memory) || isAvailable(draft, member)) return false;
    return (
      memory?.initialisedAt === undefined &&
      (memory?.state === 'failed-boot' || waitedFor(draft, group, member))
    );
  });
  const missing = shortage === 'short' ? 1 : 0;
  const byZone = awaitsZone(draft, group) ? 1 : 0;
  return unfinished.length + missing + byZone;
}

function waitedFor(draft: RollDraft, group: GroupState, member: Member): boolean {
  const { registerTimeout, initialiseTimeout } = group.policy;
  if (sinceLaunch(draft, member) < registerTimeout + initialiseTimeout) return true;
  draft.note({
    pool: group.pool.pool,
    instance: member.id,
    code: 'node-unhealthy',
    severity: 'warning',
    message: `${member.node?.name ?? member.id} still waits for ${member.boot.waitsFor ?? 'its node'}.`,
    unblock: 'Look at the node; replace it if it does not recover.',
  });
  return false;
}

const pendingGone = (draft: RollDraft, group: GroupState): number =>
  draft.instancesOf(group.name).filter(([, { state }]) => state === 'instance-gone').length;

function tellParked(draft: RollDraft, group: GroupState): void {
  for (const member of group.members) {
    const memory = draft.instance(member.id);
    if (memory?.state !== 'quarantined' && memory?.state !== 'slow-lane') continue;
    tellBlockers(draft, group, member, standing(draft, member));
  }
}

function noteLocked(draft: RollDraft, group: GroupState): void {
  for (const member of group.members) {
    if (!member.locked || !member.outdated) continue;
    draft.note({
      pool: group.pool.pool,
      instance: member.id,
      code: 'upgrade-lock',
      severity: 'warning',
      message: `${member.node?.name ?? member.id} carries fairway.dev/upgrade-lock and is skipped.`,
      unblock: 'Remove the lock from the node.',
    });
  }
}
