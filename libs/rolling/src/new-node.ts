import { formatDuration } from '#kernel';
import { showsStrain, usualBoot } from './boots.js';
import type { RollDraft } from './draft.js';
import { isAway, sinceLaunch, wantedSize, type GroupState, type Member } from './group-state.js';
import type { PoolMemory } from './memory.js';

const SMOOTHING = 0.5;
export const smoothed = (before: number | undefined, now: number): number =>
  before === undefined ? now : before * (1 - SMOOTHING) + now * SMOOTHING;

/** The clocks of one node on its way in, and the verdict when they have run out. */
export function trackBoot(draft: RollDraft, group: GroupState, member: Member): void {
  noteReadiness(draft, member);
  const memory = draft.instance(member.id);
  if (!memory || member.outdated || member.leaving || isAway(memory) || memory.state === 'failed-boot')
    return;
  if (memory.initialisedAt !== undefined) return;
  if (showsStrain(draft, group, member)) draft.changeInstance(member.id, { strained: true });
  if (member.boot.initialised) return initialised(draft, group, member);
  draft.enter(member.id, member.boot.state);
  if (member.boot.unwatched === true) draft.lookAtAws(group.policy, member.id);
  draft.look(member.boot.due ?? group.policy.pollInterval);
  if (launchedByRoll(draft, group, member)) judgeBoot(draft, group, member);
}

/** When we first saw the node's present readiness: deadlines do not trust the cluster's clock alone. */
function noteReadiness(draft: RollDraft, member: Member): void {
  if (!member.node) return;
  const value = member.node.readySince ?? '';
  const seen = draft.instance(member.id)?.readySeen;
  if (seen?.value !== value) draft.changeInstance(member.id, { readySeen: { value, at: draft.now } });
}

function initialised(draft: RollDraft, group: GroupState, member: Member): void {
  const pool = draft.pool(group.name);
  draft.changeInstance(member.id, { initialisedAt: draft.now });
  draft.enter(member.id, 'in-service');
  if (!pool || !launchedByRoll(draft, group, member) || wasThere(draft, pool, member)) return;
  const strained = draft.instance(member.id)?.strained === true;
  const took = sinceLaunch(draft, member);
  if (!strained) draft.cleanBoots += 1;
  draft.changePool(group.name, {
    bootMs: smoothed(pool.bootMs, took),
    usualBootMs: usualBoot(pool.usualBootMs, took, strained),
    consecutiveFailedBoots: 0,
  });
}

/** In service at the first look, and older than the roll: its age says nothing about how long it booted. */
function wasThere(draft: RollDraft, pool: PoolMemory, member: Member): boolean {
  return draft.instance(member.id)?.firstSeenAt === draft.now && launchOf(member) < pool.startedAt;
}

/** NaN if AWS does not say. */
const launchOf = (member: Member): number => Date.parse(member.instance.launchedAt ?? '');

function launchedByRoll(draft: RollDraft, group: GroupState, member: Member): boolean {
  const started = draft.pool(group.name)?.startedAt ?? draft.now;
  const seen = draft.instance(member.id)?.firstSeenAt ?? draft.now;
  const launched = launchOf(member);
  // One that was on its way when the roll began has been watched long enough to be judged as well.
  return seen > started || (!Number.isNaN(launched) && launched > started - group.policy.registerTimeout);
}

function judgeBoot(draft: RollDraft, group: GroupState, member: Member): void {
  const { registerTimeout, initialiseTimeout } = group.policy;
  const limit = member.node === undefined ? registerTimeout : registerTimeout + initialiseTimeout;
  const age = Math.min(
    sinceLaunch(draft, member),
    draft.now - (draft.instance(member.id)?.firstSeenAt ?? draft.now),
  );
  if (age < limit) return draft.look(limit - age);
  bootFailed(draft, group, member.id, `waited ${formatDuration(age)} for ${member.boot.waitsFor ?? 'it'}`);
  draft.enter(member.id, 'failed-boot');
  draft.changeInstance(member.id, { leaves: 'failed-boot' });
}

/** Counts against the error budget. The roll halts when the budget is spent; the last instance stays for diagnosis. */
export function bootFailed(draft: RollDraft, group: GroupState, instanceId: string, reason: string): void {
  const pool = draft.pool(group.name);
  if (!pool) return;
  const failedBoots = [...pool.failedBoots, { instanceId, at: draft.now, reason }];
  const consecutiveFailedBoots = pool.consecutiveFailedBoots + 1;
  draft.changePool(group.name, { failedBoots, consecutiveFailedBoots });
  draft.note({
    pool: group.pool.pool,
    instance: instanceId,
    code: 'boot-failed',
    severity: 'warning',
    message: `${instanceId} did not come up: ${reason}.`,
  });
  if (!overBudget(group, pool, failedBoots.length, consecutiveFailedBoots)) return;
  draft.halt({
    code: 'boots-failed',
    pool: group.pool.pool,
    reason: `${failedBoots.length} new nodes of ${group.pool.pool} did not come up; old nodes are left alone and nothing more is launched`,
    diagnostics: [
      ...failedBoots.map((boot) => `${boot.instanceId}: ${boot.reason}`),
      ...group.pool.group.recentFailures.map((failure) => failure.message),
    ],
  });
}

function overBudget(group: GroupState, pool: PoolMemory, failedBoots: number, consecutive: number): boolean {
  const share = Math.max(1, Math.floor(wantedSize(group, pool) * 0.05));
  return (
    consecutive >= group.policy.failedBootBudget ||
    failedBoots > Math.max(share, group.policy.failedBootBudget - 1)
  );
}
