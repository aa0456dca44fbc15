import { formatDuration, seconds } from '#kernel';
import { bootPermits } from './boot-permits.js';
import { isBoundToZone } from './volumes.js';
import type { RollDraft } from './draft.js';
import { automaticSurge } from './duration.js';
import { remainingOutdated, wantedSize, type GroupState, type Member } from './group-state.js';
import type { InstanceMemory } from './memory.js';
import { isConcreteVersion } from './outdated.js';
import { decrementPending } from './terminate.js';
import { fittingLaunches } from './zones.js';
import { helpedAnywhere, launchWhereNeeded, settleZoneLaunch } from './zone-surge.js';

/** Reads may be this much older than a write that succeeded. */
const STALE_READS = seconds(60);
const RAISE_AGAIN = seconds(10);

/** Finds out by observation which of the intended capacity changes happened. */
export function settleCapacity(draft: RollDraft, group: GroupState): void {
  settleRaise(draft, group);
  settleZoneLaunch(draft, group);
  for (const [id, memory] of draft.instancesOf(group.name)) settleDecrement(draft, group, id, memory);
  keepAboveMinimum(draft, group);
}

/** Somebody raised the minimum or lowered the capacity: what cannot be decremented is wanted by others now. */
function keepAboveMinimum(draft: RollDraft, group: GroupState): void {
  const memory = draft.pool(group.name);
  const { desiredCapacity, minSize } = group.pool.group;
  // Only once nothing else needs the surge: until then a stale read must not make us forget it.
  if (remainingOutdated(draft, group).length > 0 || decrementPending(draft, group)) return;
  const most = Math.max(0, desiredCapacity - minSize);
  if (memory && memory.surgeOwed > most) draft.changePool(group.name, { surgeOwed: most });
}

function settleRaise(draft: RollDraft, group: GroupState): void {
  const memory = draft.pool(group.name);
  const pending = memory?.surgePending;
  if (!memory || !pending) return;
  const seen = group.pool.group.desiredCapacity;
  if (seen === pending.from && draft.now - pending.at < STALE_READS) return;
  const landed = seen === pending.to;
  draft.changePool(group.name, {
    surgePending: undefined,
    surgeOwed: memory.surgeOwed + (landed ? pending.to - pending.from : 0),
  });
  if (landed || seen === pending.from) return;
  // Somebody scaled in the same moment. Taking nothing back is the mistake that costs a machine, not a workload.
  draft.note({
    pool: group.pool.pool,
    code: 'capacity-moved',
    severity: 'warning',
    message: `${group.name}: desired capacity went from ${pending.from} to ${seen} while Fairway asked for ${pending.to}; it is taken as wanted by others.`,
  });
}

function settleDecrement(draft: RollDraft, group: GroupState, id: string, memory: InstanceMemory): void {
  const { terminate } = memory;
  if (!terminate?.decrement || terminate.settled) return;
  const member = group.members.find((candidate) => candidate.id === id);
  if (member && !member.leaving) return;
  const seen = group.pool.group.desiredCapacity;
  const unchanged = seen >= terminate.desiredBefore;
  if (unchanged && draft.now - terminate.at < STALE_READS && member) return;
  draft.changeInstance(id, { terminate: { ...terminate, settled: true } });
  const owed = draft.pool(group.name)?.surgeOwed ?? 0;
  // Gone and the capacity as before: somebody else took the instance, and our surge is still there.
  draft.changePool(group.name, { surgeOwed: unchanged ? owed : Math.max(0, owed - 1) });
}

/** Surge that the policy allows, from the pool's own measurements where it says `auto`. */
export function surgeTarget(draft: RollDraft, group: GroupState): number {
  const { policy } = group;
  if (policy.strategy !== 'surge') return 0;
  if (policy.maxSurge !== 'auto') return policy.maxSurge;
  const memory = draft.pool(group.name);
  const size = wantedSize(group, memory);
  const hiding = automaticSurge(
    size,
    memory?.bootMs ?? policy.expectedBoot,
    memory?.drainMs ?? policy.expectedDrain,
  );
  return Math.max(hiding, volumeZones(draft, group).length);
}

/** Zones in which outdated nodes of the group hold volumes, which cannot leave their zone. */
function volumeZones(draft: RollDraft, group: GroupState): readonly string[] {
  const holders = remainingOutdated(draft, group).filter((member) => isBoundToZone(draft, member));
  return [...new Set(holders.map((member) => member.instance.zone))].sort();
}

/** Raises the desired capacity by the surge that is missing; never more than nodes that are to be replaced. */
export function raiseSurge(draft: RollDraft, group: GroupState, candidates: readonly Member[]): void {
  const memory = draft.pool(group.name);
  if (!memory) return;
  const missing = Math.min(surgeTarget(draft, group), candidates.length) - memory.surgeOwed;
  if (missing <= 0) return;
  if (templateReady(draft, group) && !decrementPending(draft, group) && !raiseInFlight(draft, group)) {
    if (launchWhereNeeded(draft, group)) return;
  }
  const helped = helpedAnywhere(draft, group, candidates).length - memory.surgeOwed;
  if (helped <= 0) return;
  const count = remainingOutdated(draft, group).length;
  const wanted = Math.min(missing, helped);
  // The rest is asked for by zone; where that cannot be, AWS chooses all the same.
  const fitting = Math.max(1, fittingLaunches(draft, group, wanted));
  raiseBy(draft, group, fitting, `surge: ${count} nodes are outdated`);
}

/** Asks the group for so many more instances, or first for the room for them; fewer where the fleet's throttle says so. */
export function raiseBy(
  draft: RollDraft,
  group: GroupState,
  missing: number,
  reason: string,
): 'raised' | 'made-room' | 'waits' {
  if (!templateReady(draft, group) || decrementPending(draft, group)) return 'waits';
  if (raiseInFlight(draft, group)) return 'waits';
  const { desiredCapacity: from, maxSize } = group.pool.group;
  const boots = bootPermits(draft, group, missing);
  if (boots <= 0) return 'waits';
  const to = from + boots;
  const base = { pool: group.pool.pool, group: group.name, key: group.name };
  if (to > maxSize) {
    draft.changePool(group.name, { raisedMax: to });
    draft.act({
      ...base,
      kind: 'raise-max-size',
      from: maxSize,
      to,
      reason: `room for ${boots} more (${reason})`,
    });
    return 'made-room';
  }
  draft.changePool(group.name, { surgePending: { from, to, at: draft.now } });
  draft.bootsAllowed -= boots;
  draft.act({ ...base, kind: 'set-desired-capacity', from, to, reason });
  return 'raised';
}

/** A change of the desired capacity that was ordered a moment ago and is not seen yet. */
export function raiseInFlight(draft: RollDraft, group: GroupState): boolean {
  const pending = draft.pool(group.name)?.surgePending;
  return pending !== undefined && draft.now - pending.at < RAISE_AGAIN;
}

/** New instances would come from the old template: the stack is still being updated, or the version can move. */
function templateReady(draft: RollDraft, group: GroupState): boolean {
  const { targetVersion, pool } = group.pool;
  const has = group.pool.group.launchTemplate;
  const concrete = isConcreteVersion(targetVersion.version);
  if (concrete && has?.name === targetVersion.name && has.version === targetVersion.version) return true;
  draft.note({
    pool,
    code: concrete ? 'template-not-set' : 'template-version-moves',
    severity: concrete ? 'info' : 'error',
    message: concrete
      ? `${group.name} still launches ${has?.name ?? 'no template'} version ${has?.version ?? '?'}, not ${targetVersion.name} version ${targetVersion.version}.`
      : `${group.name} asks for launch template version ${targetVersion.version}, which moves by itself.`,
    ...(!concrete && { unblock: 'Give the auto scaling group a concrete launch template version.' }),
  });
  draft.look(group.policy.pollInterval);
  return false;
}

/** The group wants more instances than it has. Told with AWS's own words once it takes too long. */
export function watchShortage(draft: RollDraft, group: GroupState): 'none' | 'short' | 'long' {
  const memory = draft.pool(group.name);
  const live = group.members.filter((member) => !member.leaving).length;
  const { desiredCapacity, recentFailures } = group.pool.group;
  const shortSince = live < desiredCapacity ? (memory?.shortSince ?? draft.now) : undefined;
  draft.changePool(group.name, { shortSince });
  if (shortSince === undefined) return 'none';
  draft.look(group.policy.pollInterval);
  const short = draft.now - shortSince;
  if (short < group.policy.launchTimeout) return 'short';
  draft.note({
    pool: group.pool.pool,
    code: 'short-of-instances',
    severity: 'warning',
    since: shortSince,
    message: `${group.name} has ${live} of ${desiredCapacity} instances for ${formatDuration(short)}: ${recentFailures[0]?.message ?? 'AWS gives no reason'}.`,
    unblock: 'Check quota, subnet addresses and capacity of the instance types; AWS keeps trying by itself.',
  });
  return 'long';
}
