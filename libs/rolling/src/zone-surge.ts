import type { Duration, Instant } from '#kernel';
import { formatDuration, minutes, seconds } from '#kernel';
import type { LaunchAction, LaunchReply } from './action.js';
import { bootPermits } from './boot-permits.js';
import { isBoundToZone } from './volumes.js';
import type { RollDraft } from './draft.js';
import { isAvailable, remainingOutdated, type GroupState, type Member } from './group-state.js';
import type { PoolMemory, RollMemory } from './memory.js';
import { fittingLaunches, roomyZones, zoneOutlook } from './zones.js';

/**
 * A launch whose answer was lost is asked for again under the same token; a machine is attached once it runs. Both are
 * asked for several times within any `node_register_timeout`.
 */
const askAgain = ({ policy }: GroupState): Duration => Math.min(seconds(5), policy.registerTimeout / 10);
const NEXT_TYPE = seconds(5);
const FIRST_BACKOFF = minutes(1);
const LAST_BACKOFF = minutes(10);

const VOLUMES = 'volumes cannot leave their zone';
const EVEN = 'it is where the pool needs its nodes in the end';

/** Surge can be started in a zone of our choice: the group spans several and the policy allows surge at all. */
const choosesZones = ({ pool, policy }: GroupState): boolean =>
  pool.group.zones.length > 1 && policy.strategy === 'surge' && policy.maxSurge !== 0;

/** A node that this roll need not replace serves, or is on its way, in the zone. */
const isServed = (draft: RollDraft, group: GroupState, zone: string): boolean =>
  group.members.some(
    (member) =>
      !member.outdated &&
      !member.leaving &&
      member.instance.zone === zone &&
      draft.instance(member.id)?.leaves === undefined,
  );

/** Zones with volumes on outdated nodes and no new node: volumes cannot leave them, so a new node has to come. */
function needyZones(draft: RollDraft, group: GroupState): readonly string[] {
  if (!choosesZones(group)) return [];
  const holders = remainingOutdated(draft, group).filter(
    (member) => !member.locked && isBoundToZone(draft, member),
  );
  const zones = [...new Set(holders.map((member) => member.instance.zone))].sort();
  return zones.filter((zone) => !isServed(draft, group, zone));
}

/** Those of them in which EC2 did not refuse a launch a moment ago. */
export const openNeedyZones = (draft: RollDraft, group: GroupState): readonly string[] =>
  needyZones(draft, group).filter(
    (zone) => (draft.pool(group.name)?.zoneBackoff?.[zone]?.nextAt ?? 0) <= draft.now,
  );

/** Outdated nodes that a new node anywhere helps along: the others wait for one in their own zone. */
export function helpedAnywhere(
  draft: RollDraft,
  group: GroupState,
  members: readonly Member[],
): readonly Member[] {
  const needy = needyZones(draft, group);
  return members.filter((member) => !needy.includes(member.instance.zone) || !isBoundToZone(draft, member));
}

/** Waits for a zone's new node that was asked for, or that AWS has no capacity for yet. */
export const awaitsZone = (draft: RollDraft, group: GroupState): boolean =>
  draft.pool(group.name)?.zoneLaunch !== undefined ||
  needyZones(draft, group).some((zone) => draft.pool(group.name)?.zoneBackoff?.[zone] !== undefined);

/** The drains of a node with volumes wait for a new node in its zone, where one can be had. */
export const waitsForZone = (draft: RollDraft, group: GroupState, member: Member): boolean =>
  choosesZones(group) &&
  member.outdated &&
  isAvailable(draft, member) &&
  isBoundToZone(draft, member) &&
  !group.members.some(
    (other) => !other.outdated && other.instance.zone === member.instance.zone && isAvailable(draft, other),
  );

/** Asks for one machine in a zone that needs it. True when this pass's surge is that. */
export function launchWhereNeeded(draft: RollDraft, group: GroupState): boolean {
  const memory = draft.pool(group.name);
  if (!memory || memory.zoneLaunch) return memory?.zoneLaunch !== undefined;
  const needy = needyZones(draft, group).find((each) => due(draft, group, each) <= draft.now);
  const zone = needy ?? evenZone(draft, group);
  if (zone === undefined) return false;
  const { desiredCapacity, maxSize } = group.pool.group;
  if (bootPermits(draft, group, 1) === 0) return true;
  if (desiredCapacity >= maxSize) {
    makeRoom(draft, group, zone);
    return true;
  }
  draft.bootsAllowed -= 1;
  const token = `${draft.scope.updateId}/${group.name}/${zone}/${draft.now}`;
  draft.changePool(group.name, { zoneLaunch: { zone, token, at: draft.now, askedAt: draft.now } });
  launch(draft, group, zone, token, needy === undefined ? EVEN : VOLUMES);
  return true;
}

/** Where the next node belongs if AWS would start it elsewhere. Without capacity there, AWS may choose after all. */
function evenZone(draft: RollDraft, group: GroupState): string | undefined {
  if (!choosesZones(group) || fittingLaunches(draft, group, 1) > 0) return undefined;
  const roomy = roomyZones(draft, group, zoneOutlook(draft, group).staying);
  return roomy.find((zone) => (draft.pool(group.name)?.zoneBackoff?.[zone]?.nextAt ?? 0) <= draft.now);
}

function makeRoom(draft: RollDraft, group: GroupState, zone: string): void {
  const { desiredCapacity, maxSize } = group.pool.group;
  draft.changePool(group.name, { raisedMax: desiredCapacity + 1 });
  draft.act({
    kind: 'raise-max-size',
    pool: group.pool.pool,
    key: group.name,
    reason: `room for a node in ${zone}`,
    group: group.name,
    from: maxSize,
    to: desiredCapacity + 1,
  });
}

function due(draft: RollDraft, group: GroupState, zone: string): Instant {
  const backoff = draft.pool(group.name)?.zoneBackoff?.[zone];
  if (backoff && backoff.nextAt > draft.now) {
    draft.look(Math.min(group.policy.pollInterval, backoff.nextAt - draft.now));
    tellZone(draft, group, zone, backoff);
  }
  return backoff?.nextAt ?? draft.now;
}

function tellZone(
  draft: RollDraft,
  group: GroupState,
  zone: string,
  { since, message }: { readonly since: Instant; readonly message: string },
): void {
  const waited = draft.now - since;
  draft.note({
    pool: group.pool.pool,
    subject: zone,
    code: 'zone-without-capacity',
    severity: waited >= group.policy.launchTimeout ? 'warning' : 'info',
    since,
    message: `${group.name} gets no instance in ${zone} for ${formatDuration(waited)}: ${message}. Nodes with volumes there wait; the other zones go on.`,
    unblock: 'It is tried again by itself. Check quota, subnet addresses and capacity of the instance types.',
  });
}

/** A zone may have machines of one type and none of another: each refusal is followed by the next type. */
function typeOf(
  draft: RollDraft,
  group: GroupState,
  zone: string,
): Pick<LaunchAction, 'instanceType' | 'more'> {
  const { instanceTypes } = group.pool.group;
  if (instanceTypes.length < 2) return {};
  const turn = (draft.pool(group.name)?.zoneBackoff?.[zone]?.refusals ?? 0) % instanceTypes.length;
  return { instanceType: instanceTypes[turn] as string, more: turn < instanceTypes.length - 1 };
}

function launch(draft: RollDraft, group: GroupState, zone: string, token: string, reason: string): void {
  draft.act({
    kind: 'launch-in-zone',
    pool: group.pool.pool,
    key: `${group.name}/${zone}`,
    reason,
    group: group.name,
    zone,
    token,
    ...typeOf(draft, group, zone),
  });
}

/** Follows a machine that was asked for by zone until the group has it; the group's desired capacity grows by that. */
export function settleZoneLaunch(draft: RollDraft, group: GroupState): void {
  const memory = draft.pool(group.name);
  const pending = memory?.zoneLaunch;
  if (!memory || !pending) return;
  if (group.members.some((member) => member.id === pending.instance)) {
    const { [pending.zone]: _done, ...zoneBackoff } = memory.zoneBackoff ?? {};
    draft.changePool(group.name, {
      zoneLaunch: undefined,
      zoneBackoff,
      surgeOwed: memory.surgeOwed + 1,
    });
    return;
  }
  if (draft.now - pending.at >= group.policy.registerTimeout) return giveUp(draft, group, pending);
  const wait = askAgain(group) - (draft.now - pending.askedAt);
  draft.look(Math.max(1, wait));
  if (wait > 0) return;
  draft.changePool(group.name, { zoneLaunch: { ...pending, askedAt: draft.now } });
  if (pending.instance === undefined) {
    return launch(draft, group, pending.zone, pending.token, 'no answer came');
  }
  draft.act({
    kind: 'attach-instance',
    pool: group.pool.pool,
    key: pending.instance,
    reason: `it was launched for ${pending.zone}`,
    group: group.name,
    instance: pending.instance,
  });
}

/** The zone rests as after a refusal: each machine that cannot be attached goes on running, and somebody pays for it. */
function giveUp(
  draft: RollDraft,
  group: GroupState,
  { zone, instance, at }: { readonly zone: string; readonly instance?: string; readonly at: Instant },
): void {
  const zoneBackoff = {
    ...draft.pool(group.name)?.zoneBackoff,
    [zone]: {
      intervalMs: LAST_BACKOFF,
      nextAt: draft.now + LAST_BACKOFF,
      since: at,
      message: `${instance ?? 'a machine'} that was launched there could not be attached`,
    },
  };
  draft.changePool(group.name, { zoneLaunch: undefined, zoneBackoff });
  draft.note({
    pool: group.pool.pool,
    ...(instance === undefined ? { subject: zone } : { instance }),
    code: 'zone-launch-lost',
    severity: 'warning',
    message: `${instance ?? 'A machine'} that was launched in ${zone} for ${group.name} could not be attached to it in ${formatDuration(group.policy.registerTimeout)}.`,
    unblock: `Look for instances with the tag fairway.dev/surge-of=${group.name} outside the group and end them.`,
  });
}

/** What EC2 answered to a launch, remembered: which machine it is, or when to try that zone again. */
export function observeLaunch(
  memory: RollMemory,
  action: LaunchAction,
  reply: LaunchReply,
  now: Instant,
): RollMemory {
  const pool = memory.pools[action.group];
  if (!pool) return memory;
  const changed = (change: object): RollMemory => ({
    ...memory,
    pools: { ...memory.pools, [action.group]: { ...pool, ...change } },
  });
  if (reply.kind === 'launched') {
    const pending = pool.zoneLaunch;
    if (pending?.token !== action.token) return memory;
    return changed({ zoneLaunch: { ...pending, instance: reply.instance } });
  }
  const { zoneLaunch: _refused, ...rest } = pool;
  const backoff = refused(pool.zoneBackoff?.[action.zone], action, reply.message, now);
  const zoneBackoff = { ...pool.zoneBackoff, [action.zone]: backoff };
  return { ...memory, pools: { ...memory.pools, [action.group]: { ...rest, zoneBackoff } } };
}

type ZoneBackoff = NonNullable<PoolMemory['zoneBackoff']>[string];

/** The zone rests, longer each time, when all types of the group were refused there. */
function refused(
  before: ZoneBackoff | undefined,
  { more }: LaunchAction,
  message: string,
  now: Instant,
): ZoneBackoff {
  const interval = before?.intervalMs ?? FIRST_BACKOFF / 2;
  const intervalMs = more ? interval : Math.min(LAST_BACKOFF, interval * 2);
  return {
    intervalMs,
    nextAt: now + (more ? NEXT_TYPE : intervalMs),
    since: before?.since ?? now,
    message,
    refusals: (before?.refusals ?? 0) + 1,
  };
}
