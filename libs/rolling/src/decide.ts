import type { Instant } from '#kernel';
import type { RollDecision } from './decision.js';
import { RollDraft } from './draft.js';
import { groupState, isAway, remember, type GroupState } from './group-state.js';
import { watchLaunches } from './launched-outdated.js';
import { drainsAllowed } from './limits.js';
import type { RollPolicy } from './policy.js';
import { giveBackUndrained } from './prepare.js';
import { HALTED, rollGroup } from './roll-group.js';
import { report, type GroupReport } from './report.js';
import type { RollScope } from './scope.js';

/**
 * The next actions of a roll: a total, deterministic function of what is seen. It is asked again after every round of
 * actions and whenever something changed; a process may die between any two of them.
 * See rolling.md. `policy` is what pools share; a pool's own policy is in its scope.
 */
export function decide(scope: RollScope, policy: RollPolicy, now: Instant): RollDecision {
  const draft = new RollDraft(scope, now);
  const groups = [...scope.groups]
    .sort((a, b) => (key(a.pool, a.group.groupName) < key(b.pool, b.group.groupName) ? -1 : 1))
    .map((pool) => groupState(draft, pool, policy));
  for (const group of groups) {
    for (const member of group.members) if (isTracked(draft, group)) remember(draft, group, member);
  }
  const slots = { free: (group: GroupState) => slotFree(draft, groups, group, policy) };
  const wasHalted = draft.halted !== undefined;
  for (const group of groups) watchLaunches(draft, group);
  const reports: GroupReport[] = [];
  const masters = groups.filter((group) => group.pool.master);
  for (const group of masters) reports.push(rollGroup(draft, group, slots, masterTurn(scope)));
  const mastersDone = reports.every((master) => master.finished);
  for (const group of groups.filter((candidate) => !candidate.pool.master)) {
    reports.push(rollGroup(draft, group, slots, mastersDone ? {} : AFTER_MASTERS));
  }
  if (draft.halted && !wasHalted) stopAdvancing(draft, groups);
  return report(draft, policy, reports);
}

const AFTER_MASTERS = { waits: 'until every master is new', forOthers: true };

/** A roll that halts in this pass takes no further step in it; only what is drained already is finished. */
function stopAdvancing(draft: RollDraft, groups: readonly GroupState[]): void {
  const kept = draft.actions.filter((action) => action.kind === 'terminate' || action.kind === 'forget');
  draft.actions.splice(0, draft.actions.length, ...kept);
  for (const group of groups) giveBackUndrained(draft, group, 'queued', HALTED);
}

const key = (pool: string, group: string): string => `${pool} ${group}`;

/** Memory is kept for groups that roll, not for all nodes of a quiet cluster. */
function isTracked(draft: RollDraft, group: GroupState): boolean {
  const memory = draft.pool(group.name);
  return (
    (memory !== undefined && memory.finished === undefined) ||
    (draft.aborted === undefined && group.members.some((member) => member.outdated))
  );
}

/** Between two masters the control plane must be whole. */
function masterTurn(scope: RollScope): { readonly waits?: string } {
  const gate = scope.controlPlaneGate;
  return gate === undefined || gate.open
    ? {}
    : { waits: `for the control plane: ${gate.reasons.join('; ')}` };
}

/** Masters one at a time in the whole cluster; workers by their pool's and the cluster's limit. */
function slotFree(
  draft: RollDraft,
  groups: readonly GroupState[],
  group: GroupState,
  shared: RollPolicy,
): boolean {
  const away = (among: readonly GroupState[]): number =>
    among.flatMap((each) => each.members).filter((member) => isAway(draft.instance(member.id))).length;
  if (group.pool.master) return away(groups.filter((other) => other.pool.master)) < 1;
  const sameKind = groups.filter((other) => !other.pool.master);
  const samePool = sameKind.filter((other) => other.pool.pool === group.pool.pool);
  if (away(samePool) >= drainsAllowed(group)) return false;
  return group.policy.strategy === 'all-at-once' || away(sameKind) < shared.clusterParallelDrains;
}
