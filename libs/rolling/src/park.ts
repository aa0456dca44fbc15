import { formatDuration } from '#kernel';
import { isHard } from './drain.js';
import { isForcible } from './ladder.js';
import type { RollDraft } from './draft.js';
import type { GroupState, Member } from './group-state.js';
import { registerTargets } from './load-balancers.js';
import { readMark, restorePatch } from './marks.js';
import type { Blocker } from './memory.js';
import { pdbName, pdbsOf, podName } from './pdb.js';

/** A blocked node gives way to others after a while, and is set aside for good at the deadline. */
export function parkOrQuarantine(
  draft: RollDraft,
  group: GroupState,
  member: Member,
  blockers: readonly Blocker[],
): void {
  const memory = draft.instance(member.id);
  const hard = blockers.filter(isHard);
  if (memory?.blockedSince === undefined || hard.length === 0) return;
  const { policy } = group;
  const blockedFor = draft.now - memory.blockedSince;
  if (blockedFor >= policy.blockedDeadline) {
    if (policy.onBlockedDeadline === 'fail') return failRoll(draft, group, member, hard);
    if (policy.onBlockedDeadline === 'ladder' && hard.some(isForcible)) return;
    giveBack(draft, group, member, 'quarantined', `blocked for ${formatDuration(blockedFor)}`);
    draft.note({
      pool: group.pool.pool,
      instance: member.id,
      code: 'node-quarantined',
      severity: 'error',
      since: memory.blockedSince,
      message: `${member.node?.name ?? member.id} is set aside after ${formatDuration(blockedFor)}: ${hard[0]?.message ?? ''}.`,
      unblock: 'It is taken up again when nothing holds it any more.',
    });
    return;
  }
  draft.look(policy.blockedDeadline - blockedFor);
  if (!othersCouldGo(draft, group, member)) return;
  if (blockedFor < policy.parkAfter) return draft.look(policy.parkAfter - blockedFor);
  giveBack(draft, group, member, 'slow-lane', `blocked for ${formatDuration(blockedFor)}, others go first`);
}

function failRoll(draft: RollDraft, group: GroupState, member: Member, blockers: readonly Blocker[]): void {
  draft.halt({
    code: 'drain-deadline',
    pool: group.pool.pool,
    reason: `${member.node?.name ?? member.id} could not be drained in time: ${blockers[0]?.message ?? ''}`,
    diagnostics: blockers.map((blocker) => blocker.message),
  });
}

const othersCouldGo = (draft: RollDraft, group: GroupState, member: Member): boolean =>
  group.members.some((other) => {
    const state = draft.instance(other.id)?.state;
    const waiting = state === 'queued' || state === 'current';
    return other.id !== member.id && other.outdated && !other.leaving && !other.locked && waiting;
  });

/** Uncordons and re-registers; the drain's clocks stay. A quarantined node loses every mark. */
export function giveBack(
  draft: RollDraft,
  group: GroupState,
  member: Member,
  state: 'slow-lane' | 'quarantined' | 'queued' | 'current',
  reason: string,
): void {
  dropEvictions(draft, member.id);
  if (member.node && readMark(member.node)) {
    const { name, uid } = member.node;
    const marks = { updateId: draft.scope.updateId, now: draft.now, policy: group.policy };
    const keep = state === 'quarantined' || state === 'current' ? 'nothing' : 'queued';
    const patch = restorePatch(member.node, marks, keep);
    draft.act({
      kind: 'restore-node',
      pool: group.pool.pool,
      key: name,
      reason,
      node: name,
      uid,
      instance: member.id,
      patch,
    });
  }
  registerTargets(draft, group, member);
  draft.enter(member.id, state);
  draft.changeInstance(member.id, {
    emptySince: undefined,
    lbExcludedAt: undefined,
    nominatedAt: undefined,
    ...(state !== 'slow-lane' &&
      state !== 'quarantined' && { drainStartedAt: undefined, blockedSince: undefined }),
  });
}

/** Evictions that this pass had decided for the node before it was given back. */
function dropEvictions(draft: RollDraft, instance: string): void {
  const keep = draft.actions.filter((action) => !(action.kind === 'evict' && action.instance === instance));
  draft.actions.splice(0, draft.actions.length, ...keep);
}

/** A parked node whose blockers are all gone: the PDB allows again, the pod left, the webhook's pod was moved. */
export const isUnblocked = (draft: RollDraft, member: Member): boolean =>
  standing(draft, member).length === 0;

/** What kept it when it was looked at last, less what is gone since. */
export const standing = (draft: RollDraft, member: Member): readonly Blocker[] =>
  (draft.instance(member.id)?.blockedBy ?? []).filter((blocker) => {
    const pod = member.drainable.find((candidate) => podName(candidate) === blocker.pod);
    if (!pod) return false;
    const pdbs = pdbsOf(pod, draft.scope.pdbs);
    if (blocker.pdb === undefined || pdbs.length > 1) return true;
    return pdbs.some((pdb) => pdbName(pdb) === blocker.pdb && pdb.disruptionsAllowed <= 0);
  });
