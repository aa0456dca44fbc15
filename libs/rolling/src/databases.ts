import type { PodView } from '#fleet';
import type { RollDraft } from './draft.js';
import { isAvailable, isAway, type GroupState, type Member } from './group-state.js';
import { hasResponder, pdbName, pdbsOf, podName } from './pdb.js';

/**
 * Database primaries on the node whose replicas all still stand on outdated nodes: going now, they would switch over to a
 * node that goes as well, and switch again. The aim is one switchover per database and roll.
 */
export function unsettledPrimaries(draft: RollDraft, group: GroupState, member: Member): readonly PodView[] {
  const current = new Set(
    group.members.filter((other) => !other.outdated).map((other) => other.node?.name ?? ''),
  );
  return member.drainable
    .filter((pod) => pdbsOf(pod, draft.scope.pdbs).some(hasResponder))
    .filter(
      (pod) =>
        !replicasOf(draft, pod).some((replica) => replica.ready && current.has(replica.nodeName ?? '')),
    );
}

const replicasOf = (draft: RollDraft, pod: PodView): readonly PodView[] =>
  draft.scope.pods.filter(
    (other) => other.uid !== pod.uid && pod.owner !== undefined && other.owner?.uid === pod.owner.uid,
  );

/**
 * Before a node with primaries is cordoned, one replica of each is moved off its old node: it has to move once anyway, and
 * the switchover then goes where nobody has to leave again. True while that is under way.
 */
export function moveReplicasFirst(draft: RollDraft, group: GroupState, member: Member): boolean {
  const primaries = unsettledPrimaries(draft, group, member);
  const newNode = group.members.some((other) => !other.outdated && isAvailable(draft, other));
  const memory = draft.instance(member.id);
  if (primaries.length === 0 || !newNode || !memory) return false;
  const since = memory.replicasMovedAt ?? draft.now;
  if (draft.now - since >= group.policy.responderWindow) return false;
  const moved = memory.replicasMoved ?? [];
  const replicas = primaries.flatMap((pod) => movable(draft, group, pod) ?? []);
  const fresh = replicas.filter((pod) => !moved.includes(podName(pod)));
  for (const pod of fresh) evictReplica(draft, group, pod);
  draft.changeInstance(member.id, {
    replicasMovedAt: since,
    replicasMoved: [...moved, ...fresh.map(podName)],
  });
  draft.look(group.policy.pollInterval);
  return fresh.length > 0 || moved.length > 0;
}

/** A ready replica on an old node that its own PDBs let go. */
function movable(draft: RollDraft, group: GroupState, primary: PodView): PodView | undefined {
  const old = new Set(
    group.members
      .filter((other) => other.outdated && !isAway(draft.instance(other.id)))
      .map((other) => other.node?.name ?? ''),
  );
  return replicasOf(draft, primary).find(
    (pod) =>
      pod.ready &&
      pod.deletionTimestamp === undefined &&
      old.has(pod.nodeName ?? '') &&
      pdbsOf(pod, draft.scope.pdbs).every((pdb) => pdb.disruptionsAllowed > 0),
  );
}

function evictReplica(draft: RollDraft, group: GroupState, pod: PodView): void {
  const host = group.members.find((other) => other.node?.name === pod.nodeName);
  const [pdb] = pdbsOf(pod, draft.scope.pdbs);
  if (!host?.node) return;
  draft.act({
    kind: 'evict',
    pool: group.pool.pool,
    key: `${podName(pod)}/${pod.uid}`,
    reason: 'the replica moves to a new node before its primary switches over',
    namespace: pod.namespace,
    name: pod.name,
    uid: pod.uid,
    node: host.node.name,
    instance: host.id,
    ...(pdb && { pdb: pdbName(pdb) }),
  });
}
