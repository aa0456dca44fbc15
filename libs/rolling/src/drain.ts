import { formatDuration, seconds } from '#kernel';
import type { PdbView, PodView } from '#fleet';
import { OWNER_MEMORY, type RollDraft } from './draft.js';
import { dueToBeGone, hasVolume, heldBy, isCritical } from './drainable.js';
import { pdbKey, podKey } from './eviction.js';
import type { GroupState, Member } from './group-state.js';
import type { Blocker } from './memory.js';
import { rememberMove, volumeSettling } from './volumes.js';
import { hasResponder, pdbBlock, pdbName, pdbRemedy, pdbsOf, podName } from './pdb.js';

/** Answers that stand for somebody at work: they do not run the blocked clock. */
const PATIENT = ['responder', 'held', 'transient', 'settling', 'namespace-terminating'];

export const isHard = (blocker: Blocker): boolean => !PATIENT.includes(blocker.code);

type Verdict =
  | { readonly kind: 'evict'; readonly pdb?: PdbView }
  | { readonly kind: 'going' }
  | { readonly kind: 'wait'; readonly blocker: Blocker };

/**
 * The evictions of one node in this pass, and what keeps the other pods. Non-critical pods go before critical ones, pods
 * with volumes one at a time; a PDB at zero is probed by one eviction of one pod, the others wait for its status.
 */
export function drainNode(draft: RollDraft, group: GroupState, member: Member): readonly Blocker[] {
  const ordinary = member.drainable.filter((pod) => !isCritical(pod));
  const tier = ordinary.length > 0 ? ordinary : member.drainable;
  const sorted = [...tier].sort(
    (a, b) => a.priority - b.priority || compare(podName(a), podName(b)) || compare(a.uid, b.uid),
  );
  const blockers: Blocker[] = [];
  const settling = volumeSettling(draft, group, member);
  if (settling) blockers.push(settling);
  let volumeMoves =
    settling !== undefined ||
    member.drainable.some((pod) => hasVolume(pod) && pod.deletionTimestamp !== undefined);
  for (const pod of sorted) {
    if (hasVolume(pod) && volumeMoves && pod.deletionTimestamp === undefined) continue;
    const verdict = judge(draft, group, member, pod);
    if (verdict.kind === 'wait') blockers.push(verdict.blocker);
    if (verdict.kind !== 'evict') continue;
    // Asked again, it is still kept: the clock of a refusal runs on until one is granted.
    const refused = draft.eviction(podKey(pod.uid));
    if (verdict.pdb?.disruptionsAllowed === 0) blockers.push(pdbBlocker(draft, pod, verdict.pdb));
    else if (refused) blockers.push(askedBefore(draft, group, pod, refused));
    evict(draft, group, member, pod, verdict.pdb);
    if (hasVolume(pod)) {
      volumeMoves = true;
      rememberMove(draft, member, pod);
    }
  }
  return blockers;
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

function judge(draft: RollDraft, group: GroupState, member: Member, pod: PodView): Verdict {
  if (pod.deletionTimestamp !== undefined) return going(draft, group, member, pod);
  const asked = draft.eviction(podKey(pod.uid));
  const held = uncontrolled(group, pod) ?? holding(draft, group, member, pod);
  if (held) return { kind: 'wait', blocker: held };
  const pdbs = pdbsOf(pod, draft.scope.pdbs);
  if (pdbs.length > 1) return { kind: 'wait', blocker: severalPdbs(pod, pdbs) };
  if (asked && asked.nextAt > draft.now) {
    draft.look(asked.nextAt - draft.now);
    return { kind: 'wait', blocker: askedBefore(draft, group, pod, asked) };
  }
  const [pdb] = pdbs;
  return pdb ? byPdb(draft, pod, pdb) : bySyntheticBudget(draft, pod);
}

/** A pod that is being deleted only has to be waited for; one that is late is told. */
function going(draft: RollDraft, group: GroupState, member: Member, pod: PodView): Verdict {
  const due = dueToBeGone(pod);
  const late = due !== undefined && draft.now - due > group.policy.terminatingSlack;
  if (late) {
    draft.note({
      pool: group.pool.pool,
      instance: member.id,
      code: 'pod-stuck-terminating',
      severity: 'warning',
      message: `${podName(pod)} should have been gone ${formatDuration(draft.now - (due ?? draft.now))} ago.`,
      unblock: `Look at its finalizers and at the kubelet of ${member.node?.name ?? member.id}.`,
    });
  }
  return { kind: 'going' };
}

function uncontrolled(group: GroupState, pod: PodView): Blocker | undefined {
  if (pod.owner !== undefined || group.policy.podsWithoutController === 'delete') return undefined;
  const message = `${podName(pod)} has no controller: nothing would bring it back`;
  return { code: 'uncontrolled', pod: podName(pod), message };
}

function holding(draft: RollDraft, group: GroupState, member: Member, pod: PodView): Blocker | undefined {
  const why = heldBy(pod);
  const started = draft.instance(member.id)?.drainStartedAt ?? draft.now;
  if (why === undefined || draft.now - started >= group.policy.drainMaxHold) return undefined;
  const left = formatDuration(group.policy.drainMaxHold - (draft.now - started));
  return {
    code: 'held',
    pod: podName(pod),
    message: `${podName(pod)} asks to stay (${why}); at most ${left} more`,
  };
}

const severalPdbs = (pod: PodView, pdbs: readonly PdbView[]): Blocker => ({
  code: 'several-pdbs',
  pod: podName(pod),
  pdb: pdbs.map(pdbName).join(', '),
  message: `${podName(pod)} is covered by ${pdbs.length} PDBs (${pdbs.map(pdbName).join(', ')}): the Eviction API refuses it always`,
});

function askedBefore(
  draft: RollDraft,
  group: GroupState,
  pod: PodView,
  asked: { readonly kind: string; readonly message: string; readonly firstAt: number },
): Blocker {
  const name = podName(pod);
  if (asked.kind === 'accepted' || asked.kind === 'gone') {
    return { code: 'settling', pod: name, message: `${name} was evicted just now` };
  }
  if (asked.kind === 'transient' || asked.kind === 'throttled') {
    return {
      code: 'transient',
      pod: name,
      message: `the API could not evict ${name}: ${asked.message || asked.kind}`,
    };
  }
  const patient = asked.kind === 'webhook-denied' && draft.now - asked.firstAt < group.policy.responderWindow;
  const code = patient ? 'responder' : asked.kind;
  return { code, pod: name, message: `${name}: ${asked.message}` };
}

function byPdb(draft: RollDraft, pod: PodView, pdb: PdbView): Verdict {
  const name = pdbName(pdb);
  const fresh = pdb.observedGeneration >= pdb.generation;
  const left = draft.allowance.get(name) ?? (fresh ? pdb.disruptionsAllowed : 0);
  if (left > 0) {
    draft.allowance.set(name, left - 1);
    return { kind: 'evict', pdb };
  }
  const asked = draft.eviction(pdbKey(name));
  const due = asked?.nextAt ?? draft.now;
  const spent = pdb.disruptionsAllowed > 0;
  if (!spent && !draft.probed.has(name) && due <= draft.now) {
    draft.probed.add(name);
    return { kind: 'evict', pdb };
  }
  if (due > draft.now) draft.look(due - draft.now);
  return { kind: 'wait', blocker: spent ? settling(pod, name) : pdbBlocker(draft, pod, pdb) };
}

const settling = (pod: PodView, pdb: string): Blocker => ({
  code: 'settling',
  pod: podName(pod),
  message: `${podName(pod)} waits for its turn in ${pdb}`,
});

function pdbBlocker(draft: RollDraft, pod: PodView, pdb: PdbView): Blocker {
  const answer = draft.eviction(pdbKey(pdbName(pdb)));
  const needs = `needs ${pdb.desiredHealthy} healthy, has ${pdb.currentHealthy} of ${pdb.expectedPods}`;
  const said = answer?.kind === 'forbidden-with-pdb' ? `; the API says: ${answer.message}` : '';
  const code = hasResponder(pdb) ? 'responder' : answer?.kind === 'forbidden-with-pdb' ? 'broken-pdb' : 'pdb';
  return {
    code,
    pod: podName(pod),
    pdb: pdbName(pdb),
    message: `${podName(pod)} is held by PDB ${pdbName(pdb)} (${needs})${said}`,
  };
}

/**
 * Controllers with several replicas and no PDB: at most max(1, 25 %) of them gone and not yet back, in the whole cluster.
 * The number of replicas is the most that were seen since the drain disturbed them.
 */
function bySyntheticBudget(draft: RollDraft, pod: PodView): Verdict {
  const owner = pod.owner?.uid;
  if (owner === undefined) return { kind: 'evict' };
  const replicas = draft.scope.pods.filter(
    (other) => other.owner?.uid === owner && other.deletionTimestamp === undefined && !isFinished(other),
  );
  const known = draft.owner(owner);
  const current = known === undefined || draft.now - known.at > OWNER_MEMORY;
  if (current || replicas.length > known.replicas) draft.setOwner(owner, replicas.length);
  const total = draft.owner(owner)?.replicas ?? replicas.length;
  const disturbed =
    total - replicas.filter((replica) => replica.ready).length + (draft.disturbed.get(owner) ?? 0);
  const allowed = Math.max(1, Math.floor(total / 4));
  // A pod that is not ready is already missed: moving it costs nothing more.
  if (total >= 2 && pod.ready && disturbed >= allowed) {
    const message = `${podName(pod)}: ${disturbed} of ${total} replicas of ${pod.owner?.name ?? ''} are away already`;
    return { kind: 'wait', blocker: { code: 'synthetic-budget', pod: podName(pod), message } };
  }
  draft.disturbed.set(owner, (draft.disturbed.get(owner) ?? 0) + (pod.ready ? 1 : 0));
  return { kind: 'evict' };
}

const isFinished = (pod: PodView): boolean => pod.phase === 'Succeeded' || pod.phase === 'Failed';

function evict(draft: RollDraft, group: GroupState, member: Member, pod: PodView, pdb?: PdbView): void {
  const probe = pdb !== undefined && pdb.disruptionsAllowed === 0;
  draft.act({
    kind: 'evict',
    pool: group.pool.pool,
    key: `${podName(pod)}/${pod.uid}`,
    reason: probe
      ? `PDB ${pdbName(pdb)} is at zero: ask once for all its pods`
      : `drain ${member.node?.name ?? member.id}`,
    namespace: pod.namespace,
    name: pod.name,
    uid: pod.uid,
    node: member.node?.name ?? '',
    instance: member.id,
    ...(pdb && { pdb: pdbName(pdb) }),
  });
  if (probe) draft.look(seconds(5));
}

/** Notes for people about a node that has been blocked for a while; who can end it is named. */
export function tellBlockers(
  draft: RollDraft,
  group: GroupState,
  member: Member,
  blockers: readonly Blocker[],
): void {
  const memory = draft.instance(member.id);
  const since = memory?.blockedSince;
  const long = since !== undefined && draft.now - since >= group.policy.tellBlockedAfter;
  const old = long || memory?.state === 'quarantined';
  for (const [name, blocker] of firstPerCause(blockers)) {
    const pod = member.drainable.find((candidate) => podName(candidate) === blocker.pod);
    const pdb = draft.scope.pdbs.find((candidate) => pdbName(candidate) === blocker.pdb);
    const atOnce = blocker.code === 'several-pdbs' || blocker.code === 'uncontrolled';
    draft.note({
      pool: group.pool.pool,
      instance: member.id,
      code: `drain-blocked-${blocker.code}`,
      severity: isHard(blocker) && (old || atOnce) ? 'warning' : 'info',
      message: `${member.node?.name ?? name}: ${blocker.message}.`,
      unblock: pdb ? pdbRemedy(pdb) : remedyOf(blocker),
      ...(since !== undefined && { since }),
      ...(pdb && { blockedBy: pdbBlock(pdb, pod) }),
    });
  }
}

/** By what has to change: a PDB that holds five pods is one cause. */
export function firstPerCause(blockers: readonly Blocker[]): ReadonlyMap<string, Blocker> {
  const first = new Map<string, Blocker>();
  for (const blocker of blockers) {
    const cause = `${blocker.code} ${blocker.pdb ?? blocker.pod}`;
    if (!first.has(cause)) first.set(cause, blocker);
  }
  return first;
}

const REMEDIES: Readonly<Record<string, string>> = {
  'several-pdbs': 'Its owner must leave one PDB that selects it.',
  uncontrolled: 'Its owner must delete it, or give it a controller.',
  held: 'Its owner can remove the annotation or let the Job end.',
  'webhook-denied': 'The owner of the admission webhook must allow the eviction.',
  'synthetic-budget': 'It goes on when the missing replicas are ready.',
  'broken-pdb': 'The owner of the PDB must correct it.',
};

const remedyOf = (blocker: Blocker): string => REMEDIES[blocker.code] ?? 'It ends by itself.';
