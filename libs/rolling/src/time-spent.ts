import type { RollDraft } from './draft.js';
import { isAvailable, isAway, remainingOutdated, type GroupState, type Member } from './group-state.js';
import { drainsAllowed } from './limits.js';
import type { RollTime, TimeCause } from './memory.js';
import type { GroupReport } from './report.js';

/** Books the time since the last look on the cause that was found then, and finds the present one. */
export function keepTime(draft: RollDraft, report: GroupReport): void {
  const { group, finished } = report;
  const memory = draft.pool(group.name);
  if (!memory || (memory.finished && memory.time === undefined)) return;
  const spent = booked(memory.time, draft.now);
  draft.changePool(group.name, {
    time: { at: draft.now, cause: finished ? 'finish' : causeNow(draft, report), spent },
  });
}

function booked(time: RollTime | undefined, now: number): RollTime['spent'] {
  if (!time) return {};
  return { ...time.spent, [time.cause]: (time.spent[time.cause] ?? 0) + Math.max(0, now - time.at) };
}

const BLOCKED_AS: Readonly<Record<string, TimeCause>> = { responder: 'responder', held: 'hold' };

function causeNow(draft: RollDraft, report: GroupReport): TimeCause {
  const { group } = report;
  if (draft.halted) return 'halted';
  const away = group.members.filter((member) => isAway(draft.instance(member.id)));
  const left = remainingOutdated(draft, group).length;
  if (away.length > 0 && away.length >= Math.min(drainsAllowed(group), Math.max(1, left))) {
    return causeOfDrain(draft, group, away);
  }
  if (report.frozen) return 'paused';
  if (report.turn.waits !== undefined) return 'control-plane';
  if (left === 0) return 'finish';
  return away.length > 0 ? causeOfDrain(draft, group, away) : causeOfWaiting(draft, report);
}

/** All slots are taken; by whom somebody else keeps, where one is kept. */
function causeOfDrain(draft: RollDraft, group: GroupState, away: readonly Member[]): TimeCause {
  const blocked = away
    .flatMap((member) => draft.instance(member.id)?.blockedBy ?? [])
    .find((blocker) => blocker.code !== 'settling');
  if (blocked) return BLOCKED_AS[blocked.code] ?? 'pdb';
  const patient = draft.notes.find(
    (note) =>
      note.pool === group.pool.pool &&
      (note.code === 'drain-blocked-responder' || note.code === 'drain-blocked-held'),
  );
  if (patient) return patient.code === 'drain-blocked-held' ? 'hold' : 'responder';
  const between = draft.actions.some(
    (action) =>
      (action.kind === 'cordon' || action.kind === 'exclude-from-load-balancers') &&
      away.some((member) => member.id === action.instance),
  );
  return between ? 'fairway' : 'drain';
}

function causeOfWaiting(draft: RollDraft, { group, coming }: GroupReport): TimeCause {
  const throttled = draft.notes.some(
    (note) => note.code === 'boots-throttled' && note.pool === group.pool.pool,
  );
  if (throttled) return 'throttle';
  const booting = group.members.some(
    (member) => !member.outdated && !member.leaving && !isAvailable(draft, member),
  );
  if (booting || draft.pool(group.name)?.surgePending !== undefined) return 'boot';
  if (coming > 0 || draft.pool(group.name)?.shortSince !== undefined) return 'capacity';
  const memory = draft.pool(group.name);
  const canary = memory?.canaryAt !== undefined && memory.replaced.length === 1;
  if (canary && draft.now - (memory?.canaryAt ?? 0) < group.policy.canarySoak) return 'canary';
  const acted = draft.actions.some((action) => action.pool === group.pool.pool);
  const quarantined = group.members.some((member) =>
    ['quarantined', 'slow-lane'].includes(draft.instance(member.id)?.state ?? ''),
  );
  return acted ? 'fairway' : quarantined ? 'pdb' : 'capacity';
}
