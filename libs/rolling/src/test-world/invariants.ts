import type { RollAction } from '../action.js';
import type { RollDecision } from '../decision.js';
import { readMark } from '../marks.js';
import type { RollMemory } from '../memory.js';
import { nodeView } from './views.js';
import type { SimInstance } from './world-types.js';
import type { RollWorld } from './world.js';

export interface Limits {
  readonly surge?: number;
  readonly unavailable?: number;
  readonly parallelDrains?: number;
  /** Nodes that the story itself took away, by group. */
  readonly involuntary?: number;
  /** The story makes pods move again: another commit, an abort. */
  readonly movesAgain?: boolean;
}

/** What must hold at every moment: I1, I2, I3, I4, I5, I6, and that AWS ended nothing by itself. */
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
    if (group.master) checkQuorum(group.name, live, wanted);
  }
  checkOrder(world);
  for (const pdb of world.pdbs()) {
    const granted = world.granted.some(({ workload }) => workload === pdb.name);
    const lost = world.spec.losesPods === true;
    require(granted || lost || pdb.currentHealthy >= pdb.desiredHealthy, `I3: PDB ${pdb.name} is breached`);
  }
  require(world.rebalanced.length === 0, `I7: AZRebalance ended ${world.rebalanced.join(', ')} undrained`);
}

/** I6: members of etcd run on the masters. */
function checkQuorum(name: string, live: readonly SimInstance[], wanted: number): void {
  const ready = live.filter(({ node }) => node?.ready).length;
  require(ready >= Math.floor(wanted / 2) + 1, `I6: ${name} has ${ready} of ${wanted} masters`);
}

/** I5: no worker is touched while a master is of an older version. */
function checkOrder(world: RollWorld): void {
  const old = world.groups
    .filter(({ master }) => master)
    .flatMap((group) => group.instances.filter(({ version }) => version !== group.version));
  if (old.length === 0) return;
  const away = world.groups
    .filter(({ master }) => !master)
    .flatMap(({ instances }) => instances.filter(({ node }) => node?.unschedulable));
  require(away.length === 0, `I5: ${away.map(({ id }) => id).join(', ')} is away before the masters are new`);
}

const OURS =
  /^(fairway\.dev\/|lifecycle-status$|cluster-autoscaler\.kubernetes\.io\/scale-down-disabled$|node\.kubernetes\.io\/(exclude-from-external-load-balancers|out-of-service)$)/;

/** I8, I10, I12 of one action, before it is done. */
export class ActionRules {
  private readonly asked = new Map<string, number>();

  constructor(
    private readonly world: RollWorld,
    private readonly limits: Limits,
  ) {}

  check(action: RollAction, memory: RollMemory): void {
    if ('patch' in action) this.patches(action);
    if (action.kind === 'terminate') this.terminates(action.instance, memory);
    if (action.kind === 'evict') this.evicts(action);
  }

  /** What was accepted changes what others may: they may be asked at once. */
  answered(kind: string | undefined): void {
    if (kind === 'accepted') this.asked.clear();
  }

  /** The answers of a pass that died are not known. */
  forget(): void {
    this.asked.clear();
  }

  /** I8: only what is named as ours is written, and on nodes of the pools. */
  private patches(action: Extract<RollAction, { patch: unknown }>): void {
    const { labels, annotations, addTaints, removeTaints } = action.patch;
    const taints = [...(addTaints ?? []), ...(removeTaints ?? [])].map(({ key }) => key);
    const keys = [...Object.keys(labels ?? {}), ...Object.keys(annotations ?? {}), ...taints];
    const foreign = keys.filter((key) => !OURS.test(key));
    require(foreign.length === 0, `I8: ${action.kind} writes ${foreign.join(', ')} on ${action.node}`);
    require(this.world.nodes().some(({ name }) => name === action.node), `I8: ${action.node} is not ours`);
  }

  /** I8: an instance of the newest version goes only to give surge back, or because it never came up. */
  private terminates(id: string, memory: RollMemory): void {
    const instance = this.world.instance(id);
    const leaves = memory.instances[id]?.leaves;
    const current = instance && instance.version === this.world.group(instance.group).version;
    require(!current ||
      leaves === 'surplus' ||
      leaves === 'failed-boot', `I8: ${id} is current and was to go`);
  }

  /** I8: pods leave only nodes that are away · I10: not asked again at once · I12: nobody moves twice. */
  private evicts(action: Extract<RollAction, { kind: 'evict' }>): void {
    const { world, limits } = this;
    const pod = world.pods.find(({ uid }) => uid === action.uid);
    const node = world.nodes().find(({ name }) => name === pod?.node);
    const first = action.reason.startsWith('the replica moves');
    require(!pod || first || node?.unschedulable === true, `I8: ${action.name} leaves a node that serves`);
    // Where the PDB's status allows it, it may be asked at once.
    const probe = action.reason.startsWith('PDB ');
    const last = this.asked.get(action.uid);
    const soon = probe && last !== undefined && world.now - last < 1_000;
    require(!soon, `I10: ${action.name} is asked for at once again`);
    this.asked.set(action.uid, world.now);
    require(limits.movesAgain === true || pod?.born !== 'moved', `I12: ${action.name} moves again`);
  }
}

const HERALDS: Readonly<Record<string, RegExp>> = {
  'node-quarantined': /^drain-blocked-/,
  'ladder-forced': /^ladder-soon$/,
};

/** I11: what follows from something is not told before it. */
export class NoteRules {
  private readonly told: { readonly code: string; readonly instance?: string | undefined }[] = [];

  check(decision: RollDecision): void {
    for (const { code, instance } of decision.notes) {
      const herald = HERALDS[code];
      const known = this.told.some((note) => note.instance === instance && herald?.test(note.code));
      require(herald === undefined || known, `I11: ${code} of ${instance ?? ''} comes out of nothing`);
    }
    this.told.push(...decision.notes.map(({ code, instance }) => ({ code, instance })));
    if (this.told.length > 5_000) this.told.splice(0, 2_500);
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
  const loose = [...world.loose.values()].filter(({ id, lifecycle, group }) => {
    const known = world.group(group).instances.some((instance) => instance.id === id);
    return !known && lifecycle !== 'Terminating' && !world.terminations.includes(id);
  });
  require(loose.length === 0, `I9: ${loose.map(({ id }) => id).join(', ')} belongs to no group`);
}

function require(holds: boolean, message: string): void {
  if (!holds) throw new Error(message);
}
