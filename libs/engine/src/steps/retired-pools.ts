import type { Outcome } from '#kernel';
import { isMasterNode, problemOf, type NodeGroupView } from '#fleet';
import type { Pass } from '../pass/pass.js';
import { deleteStacks, isPoolStack } from './decommission.step.js';
import { heldOutcome } from './held.js';

/**
 * Node pools that are not in the registry any more, after every other pool is at its state. A stack goes when its group
 * has no machines; while there are any, people are told: nobody's workloads are drained because a record was deleted.
 */
export async function retirePools(pass: Pass, rolled: Outcome): Promise<Outcome> {
  const wanted = new Set(pass.desired.nodePools.map(({ stack }) => stack.name));
  const stacks = (await pass.aws.listClusterStacks(pass.cluster.id)).filter(
    (name) => isPoolStack(name) && !wanted.has(name),
  );
  if (stacks.length === 0) return rolled;
  const groups = await pass.aws.describeNodeGroups(pass.cluster.id);
  const empty: string[] = [];
  const masters = await masterMachines(pass);
  for (const stack of stacks) {
    const own = groups.filter(({ pool }) => pool === poolOf(pass, stack));
    if (own.length > 0 && own.every(isEmpty)) empty.push(stack);
    else pass.report.problems.push(stillInUse(pass, stack, own, masters));
  }
  if (empty.length === 0) return rolled;
  return heldOutcome(pass) ?? chosen(rolled, await deleteStacks(pass, 'node-pools', empty));
}

/** The stacks' deletion is waited for; when it is over, the roll's own words stand. */
const chosen = (rolled: Outcome, deleted: Outcome): Outcome => (deleted.kind === 'done' ? rolled : deleted);

const isEmpty = (group: NodeGroupView): boolean =>
  group.instances.length === 0 && group.desiredCapacity === 0;

/** `nodepool-<pool>-<cluster id with - for :>` */
function poolOf(pass: Pass, stack: string): string {
  const suffix = `-${pass.cluster.id.replaceAll(':', '-')}`;
  return stack.slice('nodepool-'.length, stack.endsWith(suffix) ? -suffix.length : undefined);
}

/** Instance ids of the control plane as the cluster itself tells. */
async function masterMachines(pass: Pass): Promise<ReadonlySet<string>> {
  const nodes = await pass.kubernetes.listNodes();
  return new Set(nodes.filter(isMasterNode).flatMap(({ instanceId }) => instanceId ?? []));
}

function stillInUse(
  pass: Pass,
  stack: string,
  groups: readonly NodeGroupView[],
  masters: ReadonlySet<string>,
) {
  const machines = groups.reduce((sum, { instances }) => sum + instances.length, 0);
  const names = groups.map(({ groupName }) => groupName).join(', ');
  // Machines that no group of ours launches (Karpenter's, say) cannot be counted: then nothing is deleted.
  const what =
    groups.length === 0 ? 'has no group that tells what runs' : `still runs ${machines} machines (${names})`;
  const controlPlane = groups.some(({ instances }) => instances.some((one) => masters.has(one.instanceId)));
  return problemOf(
    {
      class: 'blocked',
      code: 'node-pool-retired',
      message: `node pool ${poolOf(pass, stack)} is not in the registry any more and ${what}`,
      hint: controlPlane
        ? "It runs control plane nodes of this cluster: register the pool again. Its machines are left alone, and don't get new revisions meanwhile."
        : `Drain its nodes and set its group's sizes to 0: then Fairway deletes stack ${stack}. Or register the pool again, or delete the stack.`,
    },
    `cluster/${pass.cluster.id}`,
    'warning',
  );
}
