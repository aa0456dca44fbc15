import type { Duration, Instant } from '#kernel';
import { formatDuration } from '#kernel';
import type { PodView } from '#fleet';
import type { RollDraft } from './draft.js';
import type { GroupState, Member } from './group-state.js';
import type { Blocker } from './memory.js';
import { ownerOf, pdbName, pdbsOf, podName } from './pdb.js';

/** Blocks that a deletion ends. Webhooks' denials count once their window is over. */
const FORCIBLE: readonly string[] = [
  'pdb',
  'several-pdbs',
  'broken-pdb',
  'forbidden-with-pdb',
  'webhook-denied',
];

export const isForcible = (blocker: Blocker): boolean => FORCIBLE.includes(blocker.code);

/**
 * The ladder: after all the patience that the policy asks for, one pod at a time is deleted past its PDB, with the pod's
 * own grace period. Owners are told before and when it happens.
 */
export function climbLadder(
  draft: RollDraft,
  group: GroupState,
  member: Member,
  blockers: readonly Blocker[],
): void {
  const rungs = member.drainable
    .filter((pod) => pod.deletionTimestamp === undefined)
    .filter((pod) => blockers.some((blocker) => blocker.pod === podName(pod) && isForcible(blocker)))
    .map((pod) => ({ pod, ...dueAt(draft, group, member, pod) }))
    .sort((a, b) => a.at - b.at || (podName(a.pod) < podName(b.pod) ? -1 : 1));
  const [first] = rungs;
  if (first && first.at <= draft.now) return force(draft, group, member, first.pod, first.grant);
  for (const { pod, at } of rungs) announce(draft, group, member, pod, at);
}

interface Due {
  readonly at: Instant;
  /** The conditions and how long each has held, for the record. */
  readonly grant: string;
}

/** When every condition holds. All of them only wait for time, as long as the pod and its siblings stay. */
function dueAt(draft: RollDraft, group: GroupState, member: Member, pod: PodView): Due {
  const { ladder } = group.policy;
  const memory = draft.instance(member.id);
  const started = memory?.drainStartedAt ?? draft.now;
  const siblings = siblingsOf(draft, pod);
  const conditions: readonly (readonly [string, Instant, Duration])[] = [
    ['node draining', started, ladder.gracePeriod],
    ...(memory?.forcedAt === undefined
      ? []
      : [['last forced pod', memory.forcedAt, ladder.forceInterval] as const]),
    ['pod age', born(pod, draft.now), ladder.minPodLifetime],
    ...siblings.map((sibling) => {
      const limit = sibling.ready ? ladder.minHealthySiblingLifetime : ladder.minUnhealthySiblingLifetime;
      const kind = sibling.ready ? 'healthy' : 'unhealthy';
      return [`${kind} sibling ${sibling.name}`, born(sibling, draft.now), limit] as const;
    }),
  ];
  return {
    at: Math.max(...conditions.map(([, since, limit]) => since + limit)),
    grant: conditions
      .map(
        ([what, since, limit]) => `${what} ${formatDuration(draft.now - since)} (≥ ${formatDuration(limit)})`,
      )
      .join(', '),
  };
}

/** Other pods that the same PDB covers. */
function siblingsOf(draft: RollDraft, pod: PodView): readonly PodView[] {
  const names = pdbsOf(pod, draft.scope.pdbs).map(pdbName);
  return draft.scope.pods.filter(
    (other) =>
      other.uid !== pod.uid &&
      other.deletionTimestamp === undefined &&
      other.namespace === pod.namespace &&
      pdbsOf(other, draft.scope.pdbs).some((pdb) => names.includes(pdbName(pdb))),
  );
}

/** A pod whose age cannot be read is as good as new. */
function born(pod: PodView, now: Instant): Instant {
  const at = Date.parse(pod.createdAt);
  return Number.isNaN(at) ? now : at;
}

function force(draft: RollDraft, group: GroupState, member: Member, pod: PodView, conditions: string): void {
  const grant = `drain_on_deadline: ladder; ${conditions}`;
  draft.changeInstance(member.id, { forcedAt: draft.now });
  draft.act({
    kind: 'delete-pod',
    pool: group.pool.pool,
    key: `${podName(pod)}/${pod.uid}`,
    reason: `its PDB kept it on ${member.node?.name ?? member.id} past every limit`,
    namespace: pod.namespace,
    name: pod.name,
    uid: pod.uid,
    node: member.node?.name ?? '',
    instance: member.id,
    grant,
  });
  draft.note({
    ...about(draft, group, member, pod),
    code: 'ladder-forced',
    severity: 'error',
    message: `${podName(pod)} is deleted past its PDB, with its own grace period of ${pod.terminationGracePeriodSeconds} s: ${conditions}.`,
  });
}

function announce(draft: RollDraft, group: GroupState, member: Member, pod: PodView, at: Instant): void {
  const warnAt = at - group.policy.ladder.warning;
  if (draft.now < warnAt) return draft.look(warnAt - draft.now);
  draft.look(at - draft.now);
  draft.note({
    ...about(draft, group, member, pod),
    code: 'ladder-soon',
    severity: 'warning',
    message: `${podName(pod)} will be deleted past its PDB at ${new Date(at).toISOString()} if it has not left ${member.node?.name ?? member.id} by then.`,
    unblock: 'Its owner can add a replica, relax the PDB or move it before.',
  });
}

function about(draft: RollDraft, group: GroupState, member: Member, pod: PodView) {
  const [pdb] = pdbsOf(pod, draft.scope.pdbs);
  const owner = pdb && ownerOf(pdb);
  return {
    pool: group.pool.pool,
    instance: member.id,
    subject: pod.uid,
    ...(pdb && {
      blockedBy: {
        pdb: pdb.name,
        namespace: pdb.namespace,
        pod: pod.name,
        needs: pdb.desiredHealthy,
        has: pdb.currentHealthy,
        ...(owner !== undefined && { owner }),
      },
    }),
  };
}
