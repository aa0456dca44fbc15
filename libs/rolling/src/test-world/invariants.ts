import { readMark } from '../marks.js';
import { nodeView } from './views.js';
import type { RollWorld } from './world.js';

export interface Limits {
  readonly surge?: number;
  readonly unavailable?: number;
  readonly parallelDrains?: number;
  /** Nodes that the story itself took away, by group. */
  readonly involuntary?: number;
}

/** I1, I2, I4 for every group and I3 for every PDB; I7 is checked where an instance is terminated. */
export function checkInvariants(world: RollWorld, limits: Limits): void {
  const { surge = 1, unavailable = 0, parallelDrains = 1, involuntary = 0 } = limits;
  for (const group of world.groups) {
    const live = group.instances.filter((instance) => instance.lifecycle !== 'Terminating');
    const serving = live.filter(({ node }) => node?.ready && !node.unschedulable);
    const drained = group.instances.filter(({ node }) => node && node.unschedulable);
    const wanted = group.size;
    require(serving.length >=
      wanted - unavailable - involuntary, `I1: ${group.name} serves with ${serving.length} of ${wanted}`);
    require(live.length <= wanted + surge + involuntary, `I2: ${group.name} has ${live.length} instances`);
    require(drained.length <= parallelDrains, `I4: ${drained.length} nodes of ${group.name} are away`);
  }
  for (const pdb of world.pdbs()) {
    const granted = world.granted.some(({ workload }) => workload === pdb.name);
    require(granted || pdb.currentHealthy >= pdb.desiredHealthy, `I3: PDB ${pdb.name} is breached`);
  }
}

/** I9: nothing of ours is left and every size is as before. */
export function checkClean(world: RollWorld): void {
  for (const group of world.groups) {
    require(group.desired === group.size, `I9: desired ${group.desired} of ${group.name}, was ${group.size}`);
    require(group.max === (group.maxSize ?? group.size + 3), `I9: max ${group.max} of ${group.name}`);
    require(group.suspended.length === 0, `I9: ${group.name} has suspended processes`);
    require(Object.keys(group.tags).length === 0, `I9: ${group.name} has tags of ours`);
    for (const instance of group.instances) {
      require(!instance.protected, `I9: ${instance.id} is protected`);
      const [view] = nodeView(instance);
      require(!view ||
        (readMark(view) === undefined && view.taints.length === 0), `I9: marks on ${instance.id}`);
      require(instance.node?.unschedulable !== true, `I9: ${instance.id} is cordoned`);
      require(instance.node?.labels['lifecycle-status'] === 'ready', `I9: label of ${instance.id}`);
    }
  }
}

function require(holds: boolean, message: string): void {
  if (!holds) throw new Error(message);
}
