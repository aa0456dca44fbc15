import type { Duration } from '#kernel';
import type { RollProgress } from '#fleet';
import { surgeTarget } from './capacity.js';
import type { RollDraft } from './draft.js';
import { rollDuration } from './duration.js';
import {
  isAvailable,
  isAway,
  remainingOutdated,
  sinceLaunch,
  wantedSize,
  type GroupState,
  type Member,
} from './group-state.js';
import { drainsAllowed, unavailableAllowed } from './limits.js';
import type { GroupReport } from './report.js';
import { stillGiven } from './unreachable.js';

/** An end that is overdue is not due now: a part of its usual time is always still to come. */
const LEAST_LEFT = 0.1;
/** A boot that takes this many times the usual: nobody knows when it ends, or whether it does. */
const OVERDUE = 2;

/** The state from which the rest of a roll is reckoned; all times in one unit. */
interface RestOfRoll {
  /** Outdated nodes that no drain has begun for. */
  readonly n: number;
  readonly u: number;
  readonly p: number;
  readonly b: number;
  readonly e: number;
  /** Until each drain in progress ends. */
  readonly draining: readonly number[];
  /** Until each node beyond the wanted size is complete; 0 for one that serves. */
  readonly spare: readonly number[];
  /** Launches that are still to come. */
  readonly launches: number;
}

/** The recurrence of `rollDuration`, continued from the middle of a roll. */
function restDuration({ n, p, b, e, u, draining, spare, launches }: RestOfRoll): number {
  const places = [...spare, ...Array.from({ length: u }, () => 0)].sort(ascending);
  const slots = Array.from({ length: Math.max(0, p - draining.length) }, () => 0);
  let [left, end, toLaunch] = [n, Math.max(0, ...spare), launches];
  const freed = (at: number): void => {
    slots.push(at);
    slots.sort(ascending);
    end = Math.max(end, at);
    if (toLaunch <= 0) return;
    toLaunch -= 1;
    places.push(at + b);
    places.sort(ascending);
    end = Math.max(end, at + b);
  };
  for (const at of draining) freed(at);
  for (; left > 0; left -= 1) {
    const [place, slot] = [places.shift(), slots.shift()];
    if (place === undefined || slot === undefined) return Number.POSITIVE_INFINITY;
    freed(Math.max(place, slot) + e);
  }
  return end;
}

const ascending = (a: number, b: number): number => a - b;

interface Measured {
  readonly b: Duration;
  readonly e: Duration;
}

/** Boot and drain as the pool measured them; the policy's assumption before the first one. */
function measured(draft: RollDraft, group: GroupState): Measured {
  const memory = draft.pool(group.name);
  return {
    b: memory?.bootMs ?? group.policy.expectedBoot,
    e: memory?.drainMs ?? group.policy.expectedDrain,
  };
}

/** Time until the group has no outdated node left; infinite while a drain waits for somebody, or for a boot, whose time nobody knows. */
export function groupEta(draft: RollDraft, group: GroupState): number {
  const { b, e } = measured(draft, group);
  if (group.members.some((member) => waitsForSomebody(draft, member, e))) return Number.POSITIVE_INFINITY;
  const away = group.members.filter((member) => isAway(draft.instance(member.id)) || member.leaving);
  const waiting = remainingOutdated(draft, group).filter((member) => !isAway(draft.instance(member.id)));
  const draining = away.map((member) => {
    const given = stillGiven(draft, group, member.id);
    if (given !== undefined) return Math.max(e * LEAST_LEFT, given);
    const since = draft.instance(member.id)?.nominatedAt ?? draft.instance(member.id)?.terminate?.at;
    return Math.max(e * LEAST_LEFT, e - (draft.now - (since ?? draft.now)));
  });
  const ages = group.members
    .filter((member) => !member.outdated && !away.includes(member) && !isAvailable(draft, member))
    .map((member) => sinceLaunch(draft, member));
  if (ages.some((age) => age > OVERDUE * b)) return Number.POSITIVE_INFINITY;
  const booting = ages.map((age) => Math.max(b * LEAST_LEFT, b - age));
  const serving = group.members.filter((member) => isAvailable(draft, member)).length;
  const wanted = wantedSize(group, draft.pool(group.name));
  const spare = [...Array.from({ length: Math.max(0, serving - wanted) }, () => 0), ...booting];
  const surge = Math.max(0, Math.min(surgeTarget(draft, group), waiting.length) - spare.length);
  const ordered = away.filter((member) => draft.instance(member.id)?.terminate?.decrement === true).length;
  const rest = restDuration({
    n: waiting.length,
    u: unavailableAllowed(group),
    p: drainsAllowed(group),
    b,
    e,
    draining,
    spare: [...spare, ...Array.from({ length: surge }, () => b)],
    launches: Math.max(0, waiting.length + draining.length - ordered - spare.length - surge),
  });
  const nothing = waiting.length === 0 && draining.length === 0 && booting.length === 0;
  return nothing ? 0 : Math.max(rest, LEAST_LEFT * Math.min(b, e));
}

/** A budget that opens by itself does so within a usual drain. */
function waitsForSomebody(draft: RollDraft, member: Member, e: Duration): boolean {
  const memory = draft.instance(member.id);
  const since = memory?.blockedSince ?? memory?.drainStartedAt;
  const waits = memory?.blockedBy !== undefined || memory?.waitsFor !== undefined;
  return isAway(memory) && waits && since !== undefined && draft.now - since > e;
}

/** η of a group's roll so far, or in the end (rolling.md, "Duration"), and what the time went into. */
export function efficiencyOf(draft: RollDraft, { group, finished }: GroupReport): RollProgress | undefined {
  const memory = draft.pool(group.name);
  if (!memory?.time) return undefined;
  const { b, e } = measured(draft, group);
  const done = memory.replaced.length;
  const total = done + group.members.filter((member) => member.outdated).length;
  const end = finished && memory.finished ? memory.finished.at : draft.now;
  const observedMs = end - memory.startedAt;
  const [s, u, p] = [surgeTarget(draft, group), unavailableAllowed(group), drainsAllowed(group)];
  const possible = rollDuration({ n: done, s: Math.min(s, total), u, p, b, e });
  const possibleMs = Number.isFinite(possible) ? Math.round(possible) : 0;
  return {
    pool: group.pool.pool,
    group: group.name,
    nodes: { done, total },
    observedMs,
    possibleMs,
    ...(done > 0 && observedMs > 0 && { eta: Math.min(1, possibleMs / observedMs) }),
    bootMs: Math.round(b),
    drainMs: Math.round(e),
    spent: memory.time.spent,
  };
}
