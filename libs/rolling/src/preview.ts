import type { Duration, Instant } from '#kernel';
import type { PdbView, PodView } from '#fleet';
import type { PoolPreview, RollNote, RollPreview } from './decision.js';
import { surgeTarget } from './capacity.js';
import { RollDraft } from './draft.js';
import { rollDuration } from './duration.js';
import { groupState, type GroupState, type Member } from './group-state.js';
import { drainsAllowed, unavailableAllowed } from './limits.js';
import { orderOutdated } from './nominate.js';
import { neverAllows, pdbBlock, pdbName, pdbRemedy, pdbsOf, podName } from './pdb.js';
import { homelessWithSurge } from './homes.js';
import type { RollPolicy } from './policy.js';
import type { RollScope } from './scope.js';

/** What the roll would do and what would stop it, from one look and without any write. */
export function previewRoll(scope: RollScope, policy: RollPolicy, now: Instant): RollPreview {
  const draft = new RollDraft(scope, now);
  const groups = scope.groups.map((pool) => groupState(draft, pool, policy));
  const pools = groups.map((group) => previewGroup(draft, group));
  const rolled = groups.flatMap((group) =>
    group.members.filter((member) => member.outdated).map((member) => ({ group, member })),
  );
  const notes = rolled.flatMap(({ group, member }) => foreseen(scope, group, member));
  const masters = pools.filter((pool) => pool.master).reduce((sum, pool) => sum + pool.estimate, 0);
  const workers = pools
    .filter((pool) => !pool.master)
    .reduce((most, pool) => Math.max(most, pool.estimate), 0);
  return { pools, blockers: distinct(notes).map(blockerOf), estimate: masters + workers };
}

function previewGroup(draft: RollDraft, group: GroupState): PoolPreview {
  const old = orderOutdated(
    draft,
    group,
    group.members.filter((member) => member.outdated && !member.leaving),
  );
  const { policy, pool } = group;
  const surge = Math.min(surgeTarget(draft, group), old.length);
  const parallelDrains = drainsAllowed(group);
  const shape = { n: old.length, s: surge, u: unavailableAllowed(group), p: parallelDrains };
  const estimate: Duration = rollDuration({ ...shape, b: policy.expectedBoot, e: policy.expectedDrain });
  const order = old.map((member) => member.id);
  return {
    pool: pool.pool,
    group: group.name,
    master: pool.master,
    total: group.members.filter((member) => !member.leaving).length,
    outdated: order,
    reason: old[0]?.reason ?? 'current',
    surge,
    parallelDrains,
    order,
    estimate,
  };
}

function foreseen(scope: RollScope, group: GroupState, member: Member): readonly RollNote[] {
  const byPods = member.drainable.flatMap((pod) => podTrouble(scope, group, pod));
  const homeless = homelessWithSurge(scope, member).map(({ pod, reason }): RollNote => ({
    pool: group.pool.pool,
    instance: member.id,
    code: 'no-home',
    severity: 'warning',
    message: `${podName(pod)} would fit on no other node, nor on a new one: ${reason}.`,
    unblock: 'Add room for it, or change what it asks for.',
  }));
  return [...byPods, ...homeless];
}

function podTrouble(scope: RollScope, group: GroupState, pod: PodView): readonly RollNote[] {
  const pdbs = pdbsOf(pod, scope.pdbs);
  if (pdbs.length > 1) return [severalNote(group, pod, pdbs)];
  const [pdb] = pdbs;
  if (!pdb || !neverAllows(pdb)) return [];
  return [
    {
      pool: group.pool.pool,
      code: 'pdb-never-allows',
      severity: 'warning',
      message: `PDB ${pdbName(pdb)} can never allow an eviction: it needs ${pdb.desiredHealthy} of ${pdb.expectedPods} pods healthy.`,
      unblock: pdbRemedy(pdb),
      blockedBy: pdbBlock(pdb, pod),
    },
  ];
}

function severalNote(group: GroupState, pod: PodView, pdbs: readonly PdbView[]): RollNote {
  const [first] = pdbs;
  return {
    pool: group.pool.pool,
    code: 'several-pdbs',
    severity: 'warning',
    message: `${podName(pod)} is covered by ${pdbs.length} PDBs (${pdbs.map(pdbName).join(', ')}): it can never be evicted.`,
    unblock: 'Its owner must leave one PDB that selects it.',
    ...(first && { blockedBy: pdbBlock(first, pod) }),
  };
}

/** One note per PDB, not per pod. */
function distinct(notes: readonly RollNote[]): readonly RollNote[] {
  const seen = new Map<string, RollNote>();
  for (const note of notes) {
    const about = note.blockedBy ? `${note.blockedBy.namespace}/${note.blockedBy.pdb}` : note.message;
    const key = `${note.code} ${about}`;
    if (!seen.has(key)) seen.set(key, note);
  }
  return [...seen.values()];
}

function blockerOf(note: RollNote): RollPreview['blockers'][number] {
  const owner = note.blockedBy?.owner;
  return {
    what: note.message,
    remedy: note.unblock ?? 'Look at the pod.',
    note,
    ...(owner !== undefined && { owner }),
  };
}
