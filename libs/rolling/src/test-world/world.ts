import type { PdbView } from '#fleet';
import { attachments, deletePod, fill, release, schedule } from './workloads.js';
import { launchWhereMissing, newInstance, rebalance } from './scaling.js';
import { honourOutOfService } from './unreachable.js';
import { nodeGroupView, nodeView, pdbView, podView } from './views.js';
import { START } from './world-types.js';
import type { SimGroup, SimInstance, SimNode, SimPod, WorkloadSpec, WorldSpec } from './world-types.js';
import type { PoolScope, RollScope } from '../scope.js';
import type { RollMemory } from '../memory.js';

interface Timer {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
}

const NEW_VERSION = '2';

/**
 * A cluster small enough to read: auto scaling groups, nodes, pods, volumes, PDBs and a scheduler on virtual time. It
 * stands in for AWS and Kubernetes in the planner's tests; the wire simulation is another library.
 */
export class RollWorld {
  now = START;
  readonly groups: SimGroup[];
  readonly pods: SimPod[] = [];
  readonly workloads: WorkloadSpec[];
  readonly terminations: string[] = [];
  /** Instances that AZRebalance ended: nobody drained them. */
  readonly rebalanced: string[] = [];
  /** Volume → node that it is attached to. */
  readonly volumes = new Map<string, string>();
  /** Pods of a workload that went without anybody moving them, and are not replaced yet. */
  readonly lost = new Map<string, number>();
  /** Machines that are gone and whose Nodes are still there. */
  readonly ghosts: SimInstance[] = [];
  /** Volume → its zone. */
  readonly zones = new Map<string, string>();
  launches = 0;
  /** Deletions that carried a grant. */
  readonly granted: { readonly pod: string; readonly workload: string; readonly at: number }[] = [];
  /** Machines that were launched by name of a zone and are not in their group yet, by token. */
  readonly loose = new Map<string, SimInstance>();
  began = START;
  private timers: Timer[] = [];
  private counter = 0;
  private state: number;

  constructor(readonly spec: WorldSpec) {
    this.state = (spec.seed ?? 1) >>> 0;
    this.workloads = [...(spec.workloads ?? [])];
    this.groups = spec.groups.map((group) => ({
      ...group,
      min: 1,
      max: group.maxSize ?? group.size + 3,
      desired: group.size,
      version: '1',
      suspended: [],
      tags: {},
      instances: [],
    }));
    for (const group of this.groups) for (let i = 0; i < group.size; i += 1) this.addRunning(group);
    this.reconcile();
    for (const pod of this.pods) pod.ready = true;
    this.advance(60 * 60_000);
    for (const group of this.groups) group.version = NEW_VERSION;
    this.began = this.now;
    // The group tries again by itself.
    if (spec.noCapacity) this.after(spec.noCapacity.forMs, () => undefined);
  }

  /** mulberry32 */
  random(): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let t = this.state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  }

  /** For names that are never used twice. */
  next(): number {
    this.counter += 1;
    return this.counter;
  }

  after(ms: number, run: () => void): void {
    this.timers.push({ at: this.now + ms, order: this.next(), run });
  }

  /** Moves to the next event (and all others of that moment), or by `most`: what a watch would do. */
  advance(most: number, stopAtEvent = false): void {
    const until = this.now + most;
    let stopAt = until;
    for (;;) {
      this.timers.sort((a, b) => a.at - b.at || a.order - b.order);
      const next = this.timers[0];
      if (!next || next.at > stopAt) break;
      this.timers.shift();
      this.now = Math.max(this.now, next.at);
      next.run();
      this.reconcile();
      if (stopAtEvent) stopAt = this.now;
    }
    this.now = stopAt;
  }

  allInstances(): readonly SimInstance[] {
    return this.groups.flatMap((group) => group.instances);
  }

  instance(id: string): SimInstance | undefined {
    return this.allInstances().find((instance) => instance.id === id);
  }

  nodes(): readonly SimNode[] {
    return [...this.allInstances(), ...this.ghosts].flatMap(({ node }) => (node ? [node] : []));
  }

  private addRunning(group: SimGroup): void {
    const instance = newInstance(this, group, true);
    group.instances.push(instance);
    instance.lifecycle = 'InService';
    for (const arn of group.targetGroups ?? []) instance.targets[arn] = 'healthy';
    instance.node = this.newNode(instance, true);
    this.addDaemonPod(instance.node, true);
  }

  private newNode(instance: SimInstance, ready: boolean): SimNode {
    return {
      name: `node-${instance.id.slice(2)}`,
      uid: `uid-${instance.id}`,
      createdAt: this.now,
      ready,
      readySince: this.now,
      silent: false,
      unschedulable: false,
      labels: { zone: instance.zone, 'lifecycle-status': 'ready' },
      annotations: {},
      taints: [],
    };
  }

  /** The machine starts: InService after a while, a Node later, Ready at the end. */
  boot(group: SimGroup, instance: SimInstance): void {
    const { bootMs = 60_000 } = this.spec;
    const boot = typeof bootMs === 'number' ? bootMs : bootMs(this.launches);
    this.after(boot * 0.4, () => {
      if (instance.lifecycle === 'Pending') instance.lifecycle = 'InService';
      for (const arn of group.targetGroups ?? []) instance.targets[arn] = 'initial';
    });
    if (this.spec.badImage) return;
    this.after(boot * 0.7, () => {
      if (instance.lifecycle === 'Terminating') return;
      instance.node = this.newNode(instance, false);
      this.addDaemonPod(instance.node, false);
    });
    this.after(boot, () => this.becomeReady(instance));
  }

  private becomeReady(instance: SimInstance): void {
    if (!instance.node || instance.lifecycle === 'Terminating') return;
    instance.node.ready = true;
    instance.node.readySince = this.now;
    for (const arn of Object.keys(instance.targets)) instance.targets[arn] = 'healthy';
    for (const pod of this.pods) if (pod.daemon && pod.node === instance.node.name) pod.ready = true;
  }

  private addDaemonPod(node: SimNode, ready: boolean): void {
    const name = `agent-${node.name}`;
    const born = { uid: `uid-${name}`, name, createdAt: this.now };
    this.pods.push({ workload: 'agent', ...born, born: 'first', daemon: true, node: node.name, ready });
  }

  /** Its kubelet falls silent, or is heard again. */
  silence(node: SimNode, silent: boolean): void {
    node.silent = silent;
    if (node.ready === silent) node.readySince = this.now;
    node.ready = !silent;
    for (const pod of this.pods) if (pod.node === node.name && silent) pod.ready = false;
    for (const pod of this.pods) {
      if (pod.node === node.name && !silent && pod.deletedAt === undefined) pod.ready = true;
    }
    this.reconcile();
  }

  /** Terminates; the group replaces it at once where the desired capacity asks for it. */
  terminate(instance: SimInstance, decrement: boolean): void {
    const group = this.group(instance.group);
    this.terminations.push(instance.id);
    instance.lifecycle = 'Terminating';
    if (decrement) group.desired -= 1;
    this.after(this.spec.terminateMs ?? 10_000, () => {
      group.instances = group.instances.filter((other) => other !== instance);
      const { lingerMs = 0 } = this.spec;
      if (lingerMs === 0) return this.forget(instance);
      if (instance.node) this.ghosts.push(instance);
      this.after(lingerMs, () => this.forget(instance));
    });
    this.reconcile();
  }

  /** The cloud controller finds the machine gone: its Node goes, and what was on it. */
  private forget(instance: SimInstance): void {
    if (this.ghosts.includes(instance)) this.ghosts.splice(this.ghosts.indexOf(instance), 1);
    for (const pod of this.pods.filter(({ node }) => node !== undefined && node === instance.node?.name)) {
      release(this, pod);
    }
  }

  group(name: string): SimGroup {
    const found = this.groups.find((group) => group.name === name);
    if (!found) throw new Error(`no group ${name}`);
    return found;
  }

  /** Auto scaling, workload controllers and the scheduler, without delay. */
  reconcile(): void {
    for (const group of this.groups) {
      launchWhereMissing(this, group);
      rebalance(this, group);
    }
    honourOutOfService(this);
    for (const workload of this.workloads) fill(this, workload);
    for (const pod of this.pods) if (pod.node === undefined) schedule(this, pod);
  }

  lose({ workload }: SimPod): void {
    this.lost.set(workload, (this.lost.get(workload) ?? 0) + 1);
  }

  release(pod: SimPod): void {
    release(this, pod);
  }

  /** `moved`: by an eviction or deletion of ours, off a node that answers. */
  deletePod(pod: SimPod, moved = false): void {
    const silent = this.nodes().some(({ name, silent: dead }) => name === pod.node && dead);
    if (pod.deletedAt === undefined && (!moved || silent)) this.lose(pod);
    deletePod(this, pod);
    this.reconcile();
  }

  pdbs(): readonly PdbView[] {
    return this.workloads.flatMap((workload) => pdbView(this, workload));
  }

  scope(memory: RollMemory, more: Partial<RollScope> = {}): RollScope {
    const groups = this.groups.map((group): PoolScope => ({
      pool: group.pool,
      master: group.master ?? false,
      minSize: group.min,
      maxSize: group.maxSize ?? group.size + 3,
      group: nodeGroupView(group),
      nodes: [...group.instances, ...this.ghosts.filter((ghost) => ghost.group === group.name)].flatMap(
        nodeView,
      ),
      targetVersion: { name: `lt-${group.name}`, version: NEW_VERSION },
      deregistrationDelay: this.spec.deregistrationMs ?? 0,
    }));
    return {
      clusterId: 'c',
      updateId: 'u1',
      commit: 'abc',
      groups,
      pods: this.pods.map((pod) => podView(this, pod)),
      pdbs: this.pdbs(),
      attachments: attachments(this),
      memory,
      frozen: [],
      ...more,
    };
  }
}
