import type { Duration } from '#kernel';
import { formatDuration } from '#kernel';
import type { NodeView, Taint } from '#fleet';
import { NO_NODE } from './decision.js';
import type { RollDraft } from './draft.js';
import { sinceLaunch, type GroupState, type Member } from './group-state.js';
import { podName } from './pdb.js';

/** Lets Kubernetes drop the pods and volumes of a machine that is off (kubernetes.io/docs, "Non-graceful node shutdown"). */
const OUT_OF_SERVICE: Taint = {
  key: 'node.kubernetes.io/out-of-service',
  value: 'nodeshutdown',
  effect: 'NoExecute',
};

const isTold = (node: NodeView): boolean => node.taints.some((taint) => taint.key === OUT_OF_SERVICE.key);

/** Says so to Kubernetes, once; only about a machine that is off for sure. True when it was said before. */
export function tellOutOfService(draft: RollDraft, pool: string, id: string, node: NodeView): boolean {
  if (isTold(node)) return true;
  const { name, uid } = node;
  const reason = 'its machine is off: pods and volumes may go';
  const patch = { addTaints: [OUT_OF_SERVICE] };
  draft.act({ kind: 'mark-out-of-service', pool, key: name, reason, node: name, uid, instance: id, patch });
  return false;
}

/**
 * Why an instance may go undrained: nothing can be drained from a machine that is off or never joined; on one whose
 * kubelet is silent, its pods are deleted and given their time first.
 */
export function exemptionOf(draft: RollDraft, group: GroupState, member: Member): string | undefined {
  const { policy, pool } = group;
  const memory = draft.instance(member.id);
  if (member.instance.ec2State === 'stopped') {
    const told = !member.node || tellOutOfService(draft, pool.pool, member.id, member.node);
    return told ? 'EC2 says stopped' : undefined;
  }
  if (member.node === undefined) {
    const waited = memory?.leaves === 'surplus' || sinceLaunch(draft, member) >= policy.registerTimeout;
    if (!waited) return undefined;
    return memory?.nodeName === undefined ? 'it never joined the cluster' : 'its Node was deleted';
  }
  const silent = silentFor(draft, member);
  if (silent < policy.unreachableAfter) {
    draft.changeInstance(member.id, { givenUpAt: undefined });
    return undefined;
  }
  const since = memory?.givenUpAt ?? draft.now;
  draft.changeInstance(member.id, { givenUpAt: since });
  if (member.node.unschedulable) deletePods(draft, group, member, silent);
  const waited = draft.now - since;
  if (waited < policy.unreachableWait) {
    draft.look(Math.min(policy.pollInterval, policy.unreachableWait - waited));
    return undefined;
  }
  return `its kubelet has been silent for ${formatDuration(silent)} and its pods were given ${formatDuration(waited)}`;
}

/** How long the pods of a node whose kubelet is taken for dead are still given; undefined for every other node. */
export function stillGiven(draft: RollDraft, { policy }: GroupState, id: string): Duration | undefined {
  const since = draft.instance(id)?.givenUpAt;
  return since === undefined ? undefined : Math.max(0, policy.unreachableWait - (draft.now - since));
}

/** That a machine without Node is waited for, and for how long. */
export function tellNoNode(draft: RollDraft, group: GroupState, member: Member, left: Duration): void {
  draft.look(left);
  draft.note({
    pool: group.pool.pool,
    instance: member.id,
    code: NO_NODE,
    severity: 'info',
    message: `${member.id} has no Node: without one it is replaced in ${formatDuration(left)}`,
    unblock: 'Restart its kubelet if the Node was deleted, or terminate the instance.',
  });
}

/** Off, or silent for longer than anybody waits for it. */
export const isDead = (draft: RollDraft, { policy }: GroupState, member: Member): boolean =>
  member.instance.ec2State === 'stopped' || silentFor(draft, member) >= policy.unreachableAfter;

/** A kubelet that is heard again, and be it for a moment, begins a new silence. */
function silentFor(draft: RollDraft, { id, node }: Member): Duration {
  if (!node || node.ready) return 0;
  const since = Date.parse(node.readySince ?? '');
  const seen = draft.instance(id)?.readySeen?.at ?? draft.now;
  return draft.now - (Number.isNaN(since) ? seen : Math.min(since, seen));
}

/** Their controllers make new ones at once; a budget does not protect a pod that serves nobody. */
function deletePods(draft: RollDraft, group: GroupState, member: Member, silent: Duration): void {
  for (const pod of member.drainable) {
    if (pod.ready || pod.deletionTimestamp !== undefined) continue;
    draft.act({
      kind: 'delete-pod',
      pool: group.pool.pool,
      key: `${podName(pod)}/${pod.uid}`,
      reason: `the kubelet of ${member.node?.name ?? member.id} is silent`,
      namespace: pod.namespace,
      name: pod.name,
      uid: pod.uid,
      node: member.node?.name ?? '',
      instance: member.id,
      grant: `unreachable: kubelet silent for ${formatDuration(silent)} (≥ ${formatDuration(group.policy.unreachableAfter)}), pod not Ready`,
    });
  }
}
