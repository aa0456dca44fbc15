import type { RollDraft } from './draft.js';
import { isAway, remainingOutdated, wantedSize, type GroupState, type Member } from './group-state.js';

/** Instances per zone. */
export type ZoneCounts = ReadonlyMap<string, number>;

export interface ZoneOutlook {
  /** All that the group has, or will have when AWS has launched what it is asked for. */
  readonly live: ZoneCounts;
  /** Those of them that stay when the roll is over. */
  readonly staying: ZoneCounts;
}

/** The group launches in its emptiest zone; which of several, AWS does not say. */
export function zoneOutlook(draft: RollDraft, group: GroupState): ZoneOutlook {
  const zones = group.pool.group.zones.map((zone) => [zone, 0] as const);
  const [live, staying] = [new Map(zones), new Map(zones)];
  const present = group.members.filter(
    (member) => !member.leaving && draft.instance(member.id)?.terminate === undefined,
  );
  for (const member of present) {
    const { zone } = member.instance;
    add(live, zone, 1);
    const goes = draft.instance(member.id)?.leaves !== undefined;
    if ((!member.outdated && !goes) || member.locked) add(staying, zone, 1);
  }
  for (let missing = toLaunch(draft, group) - present.length; missing > 0; missing -= 1) {
    const [zone = ''] = emptiest(live);
    for (const counts of [live, staying]) add(counts, zone, 1);
  }
  const loose = draft.pool(group.name)?.zoneLaunch;
  if (loose) for (const counts of [live, staying]) add(counts, loose.zone, 1);
  return { live, staying };
}

/** The desired capacity as it will be seen once an ordered decrement shows. */
function toLaunch(draft: RollDraft, group: GroupState): number {
  const { desiredCapacity } = group.pool.group;
  const pending = draft.pool(group.name)?.surgePending;
  const unseen = draft
    .instancesOf(group.name)
    .filter(
      ([, { terminate }]) =>
        terminate?.decrement && !terminate.settled && desiredCapacity >= terminate.desiredBefore,
    );
  return Math.max(desiredCapacity, pending?.to ?? 0) - unseen.length;
}

/** The most a zone has above another one. AWS rebalances from 2 on, and asks no PodDisruptionBudget. */
export function spreadOf(counts: ZoneCounts): number {
  const values = [...counts.values()];
  return values.length < 2 ? 0 : Math.max(...values) - Math.min(...values);
}

export const isUneven = (counts: ZoneCounts): boolean => spreadOf(counts) > 1;

/**
 * Zones that can take one more node for good, emptiest first: in the end each has the even share of the pool, and as
 * many as the division leaves over have one more.
 */
export function roomyZones(draft: RollDraft, group: GroupState, staying: ZoneCounts): readonly string[] {
  const size = wantedSize(group, draft.pool(group.name));
  const share = Math.floor(size / Math.max(1, staying.size));
  const above = [...staying.values()].filter((count) => count > share).length;
  const more = above < size % Math.max(1, staying.size);
  return [...staying]
    .filter(([, count]) => count < share || (count === share && more))
    .sort((a, b) => a[1] - b[1] || (a[0] < b[0] ? -1 : 1))
    .map(([zone]) => zone);
}

/** How many of so many launches of AWS's own choice lead to an even end, wherever of the emptiest zones they go. */
export function fittingLaunches(
  draft: RollDraft,
  group: GroupState,
  wanted: number,
  without?: Member,
): number {
  const outlook = zoneOutlook(draft, group);
  const [live, staying] = [new Map(outlook.live), new Map(outlook.staying)];
  if (live.size < 2) return wanted;
  if (without) add(live, without.instance.zone, -1);
  for (let fitting = 0; fitting < wanted; fitting += 1) {
    const roomy = roomyZones(draft, group, staying);
    const open = emptiest(live);
    if (!open.every((zone) => roomy.includes(zone))) return fitting;
    for (const counts of [live, staying]) add(counts, open[0] ?? '', 1);
  }
  return wanted;
}

/**
 * Of nodes that are alike, those of these zones go first: then every zone keeps its share of outdated nodes for the
 * end, and AWS's own choice of a zone keeps the pool even.
 */
export function timelyZones(draft: RollDraft, group: GroupState): ReadonlySet<string> {
  const { live } = zoneOutlook(draft, group);
  const waiting = new Map<string, number>();
  for (const member of remainingOutdated(draft, group)) {
    if (!isAway(draft.instance(member.id))) add(waiting, member.instance.zone, 1);
  }
  const surge = draft.pool(group.name)?.surgeOwed ?? 0;
  const share = Math.ceil(Math.max(1, surge) / Math.max(1, live.size));
  const rich = [...waiting].filter(([, count]) => count > share).map(([zone]) => zone);
  if (rich.length > 0) return new Set(rich);
  const most = Math.max(0, ...waiting.values());
  const fullest = [...waiting].filter(([, count]) => count === most && count > 0);
  const least = Math.min(...fullest.map(([zone]) => live.get(zone) ?? 0));
  return new Set(fullest.filter(([zone]) => (live.get(zone) ?? 0) === least).map(([zone]) => zone));
}

function emptiest(counts: ZoneCounts): readonly string[] {
  const least = Math.min(...counts.values());
  return [...counts]
    .filter(([, count]) => count === least)
    .map(([zone]) => zone)
    .sort();
}

function add(counts: Map<string, number>, zone: string, change: number): void {
  if (zone !== '') counts.set(zone, (counts.get(zone) ?? 0) + change);
}
