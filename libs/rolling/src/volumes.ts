import type { Duration } from '#kernel';
import { formatDuration, minutes, seconds } from '#kernel';
import type { PodView } from '#fleet';
import type { RollDraft } from './draft.js';
import { hasVolume } from './drainable.js';
import type { GroupState, Member } from './group-state.js';
import type { Blocker } from './memory.js';
import { podName } from './pdb.js';

/** Detaching may take this much longer than the pod's own grace period. */
const DETACH: Duration = minutes(2);
/** A volume that is detached is attached elsewhere and its pod at work after this, or nobody waits for it any more. */
const REATTACH: Duration = seconds(90);

/**
 * Volume pods move one at a time: the next one waits while this node still holds a volume whose pod has left, and while
 * that pod is not back at work elsewhere. Undefined: nothing to wait for.
 */
export function volumeSettling(draft: RollDraft, group: GroupState, member: Member): Blocker | undefined {
  const moved = draft.instance(member.id)?.volumeMove;
  if (!moved) return undefined;
  if (member.pods.some((pod) => pod.uid === moved.uid)) return undefined;
  const goneAt = moved.goneAt ?? draft.now;
  if (moved.goneAt === undefined) draft.changeInstance(member.id, { volumeMove: { ...moved, goneAt } });
  const waited = draft.now - goneAt;
  const since = formatDuration(waited);
  if (attachedTo(draft, member) > claimsOf(member.pods) && waited < DETACH) {
    draft.look(Math.min(group.policy.pollInterval, DETACH - waited));
    return settling(moved.pod, `the volume of ${moved.pod} is being detached for ${since}`);
  }
  if (!isBack(draft, moved) && waited < REATTACH) {
    draft.look(Math.min(group.policy.pollInterval, REATTACH - waited));
    return settling(moved.pod, `${moved.pod} is on its way to work elsewhere for ${since}`);
  }
  draft.changeInstance(member.id, { volumeMove: undefined });
  return undefined;
}

/** The eviction of a pod with volumes, remembered until its volume is elsewhere. */
export function rememberMove(draft: RollDraft, member: Member, pod: PodView): void {
  const { uid, namespace, persistentVolumeClaims } = pod;
  const claims = persistentVolumeClaims.map((claim) => `${namespace}/${claim}`);
  draft.changeInstance(member.id, { volumeMove: { pod: podName(pod), uid, claims } });
}

/**
 * Volumes that the drained node still holds for nobody. `held`: wait, the machine must not go with them · `late`: they
 * had their time; ending the machine is what frees them, and that is recorded.
 */
export function volumesLeft(draft: RollDraft, member: Member): 'none' | 'held' | 'late' {
  const left = attachedTo(draft, member) - claimsOf(member.pods);
  const since = draft.instance(member.id)?.emptySince;
  if (left <= 0 || since === undefined) return 'none';
  return draft.now - since < DETACH ? 'held' : 'late';
}

/** Pods on it cannot leave its zone, as far as is known. */
export const isBoundToZone = (draft: RollDraft, member: Member): boolean =>
  member.drainable.some((pod) =>
    pod.persistentVolumeClaims.some(
      (claim) => draft.scope.volumeZones?.[`${pod.namespace}/${claim}`]?.length !== 0,
    ),
  );

const settling = (pod: string, message: string): Blocker => ({ code: 'settling', pod, message });

const attachedTo = (draft: RollDraft, member: Member): number =>
  (draft.scope.attachments ?? []).filter(({ node }) => node === member.node?.name).length;

/** Pods share a claim where the volume can be shared. */
const claimsOf = (pods: readonly PodView[]): number =>
  new Set(
    pods
      .filter(hasVolume)
      .flatMap((pod) => pod.persistentVolumeClaims.map((claim) => `${pod.namespace}/${claim}`)),
  ).size;

function isBack(
  draft: RollDraft,
  moved: { readonly uid: string; readonly claims: readonly string[] },
): boolean {
  return draft.scope.pods.some(
    (pod) =>
      pod.uid !== moved.uid &&
      pod.ready &&
      pod.persistentVolumeClaims.some((claim) => moved.claims.includes(`${pod.namespace}/${claim}`)),
  );
}
