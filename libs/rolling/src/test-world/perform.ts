import type { EvictionReply, LaunchReply, NodeMarks, RollAction } from '../action.js';
import { drainablePods } from '../drainable.js';
import { podView } from './views.js';
import type { SimNode } from './world-types.js';
import { attach, launchInZone } from './scaling.js';
import type { RollWorld } from './world.js';

/** Does one action as AWS and Kubernetes would, and throws where a real roll would have hurt somebody. */
export function perform(world: RollWorld, action: RollAction): EvictionReply | LaunchReply | undefined {
  switch (action.kind) {
    case 'suspend-az-rebalance':
      return suspend(world, action);
    case 'resume-az-rebalance':
      return resume(world, action);
    case 'raise-max-size':
      world.group(action.group).max = action.to;
      return undefined;
    case 'restore-bounds':
      world.group(action.group).max = action.maxSize;
      return undefined;
    case 'set-desired-capacity':
      return setDesired(world, action.group, action.from, action.to);
    case 'launch-in-zone':
      return launchInZone(world, action);
    case 'attach-instance':
      attach(world, world.group(action.group), action.instance);
      return undefined;
    case 'protect-from-scale-in':
      for (const id of action.instances) {
        const instance = world.instance(id);
        if (instance) instance.protected = action.protect;
      }
      return undefined;
    case 'mark-queued':
    case 'cordon':
    case 'exclude-from-load-balancers':
    case 'mark-out-of-service':
    case 'restore-node':
      patch(world, action.node, action.uid, action.patch);
      return undefined;
    case 'deregister-target':
      return deregister(world, action.instance, action.targetGroupArn);
    case 'register-target':
      return register(world, action.instance, action.targetGroupArn);
    case 'evict':
      return evict(world, action.uid);
    case 'delete-pod':
      return deletePod(world, action);
    case 'terminate':
      return terminate(world, action);
    case 'forget':
      return undefined;
  }
}

function suspend(world: RollWorld, action: Extract<RollAction, { kind: 'suspend-az-rebalance' }>): undefined {
  const group = world.group(action.group);
  Object.assign(group.tags, action.tags);
  group.suspended = ['AZRebalance'];
  return undefined;
}

function resume(world: RollWorld, action: Extract<RollAction, { kind: 'resume-az-rebalance' }>): undefined {
  const group = world.group(action.group);
  group.suspended = [];
  for (const key of action.untag) delete group.tags[key];
  return undefined;
}

function register(world: RollWorld, id: string, arn: string): undefined {
  const instance = world.instance(id);
  if (instance) instance.targets[arn] = 'healthy';
  return undefined;
}

function setDesired(world: RollWorld, name: string, from: number, to: number): undefined {
  const group = world.group(name);
  if (group.desired !== from) return undefined;
  if (to > group.max) throw new Error(`desired ${to} above max ${group.max}`);
  group.desired = to;
  world.reconcile();
  return undefined;
}

function patch(world: RollWorld, name: string, uid: string, marks: NodeMarks): void {
  const node = world.nodes().find((candidate) => candidate.name === name && candidate.uid === uid);
  if (!node) return;
  if (marks.unschedulable !== undefined) node.unschedulable = marks.unschedulable;
  assign(node.labels, marks.labels);
  assign(node.annotations, marks.annotations);
  const same = (a: { key: string; effect: string }) => (b: { key: string; effect: string }) =>
    a.key === b.key && a.effect === b.effect;
  const removed = [...(marks.removeTaints ?? []), ...(marks.addTaints ?? [])];
  node.taints = node.taints.filter((taint) => !removed.some(same(taint)));
  node.taints.push(...(marks.addTaints ?? []));
  world.reconcile();
}

function assign(
  target: SimNode['labels'],
  changes: Readonly<Record<string, string | null>> | undefined,
): void {
  for (const [key, value] of Object.entries(changes ?? {})) {
    if (value === null) delete target[key];
    else target[key] = value;
  }
}

function deregister(world: RollWorld, id: string, arn: string): undefined {
  const instance = world.instance(id);
  if (!instance) return undefined;
  instance.targets[arn] = 'draining';
  world.after(world.spec.deregistrationMs ?? 0, () => {
    if (instance.targets[arn] === 'draining') delete instance.targets[arn];
  });
  return undefined;
}

function evict(world: RollWorld, uid: string): EvictionReply {
  const pod = world.pods.find((candidate) => candidate.uid === uid);
  if (!pod) return { kind: 'gone' };
  const pdb = world.pdbs().find((candidate) => candidate.name === pod.workload);
  if (pdb && pod.ready && pdb.disruptionsAllowed === 0) {
    return {
      kind: 'blocked-by-pdb',
      message: "Cannot evict pod as it would violate the pod's disruption budget.",
    };
  }
  world.deletePod(pod, true);
  return { kind: 'accepted' };
}

function deletePod(world: RollWorld, action: Extract<RollAction, { kind: 'delete-pod' }>): undefined {
  if (action.grant === '') throw new Error(`I3: ${action.name} is deleted without a grant`);
  const pod = world.pods.find((candidate) => candidate.uid === action.uid);
  if (!pod) return undefined;
  world.granted.push({ pod: pod.name, workload: pod.workload, at: world.now });
  world.deletePod(pod, true);
  return undefined;
}

function terminate(world: RollWorld, action: Extract<RollAction, { kind: 'terminate' }>): undefined {
  const instance = world.instance(action.instance);
  if (!instance || instance.lifecycle === 'Terminating') return undefined;
  const left = drainablePods(
    world.pods
      .filter((pod) => pod.node !== undefined && pod.node === instance.node?.name)
      .map((pod) => podView(world, pod)),
  );
  if (left.length > 0 && action.exemption === undefined) {
    throw new Error(`I7: ${instance.id} was terminated with ${left.map((pod) => pod.name).join(', ')} on it`);
  }
  if (world.terminations.includes(instance.id)) throw new Error(`I7: ${instance.id} was terminated twice`);
  world.terminate(instance, action.decrementDesired);
  return undefined;
}
