import type { PdbView } from '#fleet';
import { nodeGroupView, nodeView, pdbView, podView } from './views.js';
import type { SimGroup, SimInstance, SimNode, SimPod, WorkloadSpec, WorldSpec } from './world-types.js';
import type { PoolScope, RollScope } from '../scope.js';
import type { RollMemory } from '../memory.js';

interface Timer {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
}

export const START = Date.parse('2026-01-01T00:00:00Z');
const NEW_VERSION = '2';

/**
 * A cluster small enough to read: auto scaling groups, nodes, pods, PDBs and a scheduler on virtual time. It stands in
 * for AWS and Kubernetes in the planner's tests; the wire simulation is another library.
 */
export class RollWorld {
  now = START;
  readonly groups: SimGroup[];
  readonly pods: SimPod[] = [];
  readonly workloads: WorkloadSpec[];
  readonly terminations: string[] = [];
  launches = 0;
  /** Deletions past a PDB that carried a grant. */
  readonly granted: { readonly pod: string; readonly workload: string; readonly at: number }[] = [];
  private began = START;
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

  after(ms: number, run: () => void): void {
    this.counter += 1;
    this.timers.push({ at: this.now + ms, order: this.counter, run });
  }

  /** Moves to the next event, or by `most`, whichever is first: what a watch would do. */
  advance(most: number, stopAtEvent = false): void {
    const until = this.now + most;
    for (;;) {
      this.timers.sort((a, b) => a.at - b.at || a.order - b.order);
      const next = this.timers[0];
      if (!next || next.at > until) break;
      this.timers.shift();
      this.now = Math.max(this.now, next.at);
      next.run();
      this.reconcile();
      if (stopAtEvent && next.at > until - most) return;
    }
    this.now = until;
  }

  allInstances(): readonly SimInstance[] {
    return this.groups.flatMap((group) => group.instances);
  }

  instance(id: string): SimInstance | undefined {
    return this.allInstances().find((instance) => instance.id === id);
  }

  nodes(): readonly SimNode[] {
    return this.allInstances().flatMap((instance) => (instance.node ? [instance.node] : []));
  }

  private addRunning(group: SimGroup): void {
    const instance = this.newInstance(group, true);
    instance.lifecycle = 'InService';
    for (const arn of group.targetGroups ?? []) instance.targets[arn] = 'healthy';
    instance.node = this.newNode(instance, true);
    this.addDaemonPod(instance.node, true);
  }

  private newInstance(group: SimGroup, original: boolean): SimInstance {
    this.counter += 1;
    const zones = group.zones ?? ['a', 'b', 'c'];
    const live = group.instances.filter((instance) => instance.lifecycle !== 'Terminating');
    const count = (zone: string): number => live.filter((instance) => instance.zone === zone).length;
    const zone = [...zones].sort((a, b) => count(a) - count(b))[0] ?? 'a';
    const letter = original ? 'o' : 'n';
    const number = String(original ? group.instances.length + 1 : (this.launches += 1));
    const id = original ? `i-${group.name}-${letter}${number}` : `i-${letter}${number}`;
    const instance: SimInstance = {
      id,
      group: group.name,
      zone,
      version: group.version,
      launchedAt: this.now,
      original,
      lifecycle: 'Pending',
      protected: false,
      targets: {},
    };
    group.instances.push(instance);
    return instance;
  }

  private newNode(instance: SimInstance, ready: boolean): SimNode {
    return {
      name: `node-${instance.id.slice(2)}`,
      uid: `uid-${instance.id}`,
      createdAt: this.now,
      ready,
      readySince: this.now,
      unschedulable: false,
      labels: { zone: instance.zone, 'lifecycle-status': 'ready' },
      annotations: {},
      taints: [],
    };
  }

  private launch(group: SimGroup): void {
    const instance = this.newInstance(group, false);
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
    this.pods.push({
      workload: 'agent',
      uid: `uid-${name}`,
      name,
      createdAt: this.now,
      daemon: true,
      node: node.name,
      ready,
    });
  }

  /** Terminates; the group replaces it at once where the desired capacity asks for it. */
  terminate(instance: SimInstance, decrement: boolean): void {
    const group = this.group(instance.group);
    this.terminations.push(instance.id);
    instance.lifecycle = 'Terminating';
    if (decrement) group.desired -= 1;
    this.after(this.spec.terminateMs ?? 10_000, () => {
      group.instances = group.instances.filter((other) => other !== instance);
      for (let i = this.pods.length - 1; i >= 0; i -= 1) {
        if (this.pods[i]?.node === instance.node?.name) this.pods.splice(i, 1);
      }
    });
    this.reconcile();
  }

  group(name: string): SimGroup {
    const found = this.groups.find((group) => group.name === name);
    if (!found) throw new Error(`no group ${name}`);
    return found;
  }

  /** Auto scaling, workload controllers and the scheduler, without delay. */
  reconcile(): void {
    for (const group of this.groups) {
      const live = (): number =>
        group.instances.filter((instance) => instance.lifecycle !== 'Terminating').length;
      while (live() < group.desired && this.hasCapacity(group)) this.launch(group);
    }
    for (const workload of this.workloads) this.fill(workload);
    for (const pod of this.pods) if (pod.node === undefined) this.schedule(pod);
  }

  private hasCapacity(group: SimGroup): boolean {
    const { noCapacity } = this.spec;
    const only = group.zones?.length === 1 ? group.zones[0] : undefined;
    return noCapacity === undefined || only !== noCapacity.zone || this.now >= this.began + noCapacity.forMs;
  }

  private fill(workload: WorkloadSpec): void {
    const live = (): number =>
      this.pods.filter((pod) => pod.workload === workload.name && pod.deletedAt === undefined).length;
    while (live() < workload.replicas) {
      this.counter += 1;
      const name = `${workload.name}-${this.counter}`;
      this.pods.push({
        workload: workload.name,
        uid: `uid-${name}`,
        name,
        createdAt: this.now,
        daemon: false,
        ready: false,
      });
    }
  }

  private schedule(pod: SimPod): void {
    const open = this.allInstances().filter(
      ({ node, group }) =>
        node?.ready &&
        !node.unschedulable &&
        !this.group(group).master &&
        !node.taints.some((t) => t.effect === 'NoSchedule'),
    );
    const load = (node: SimNode | undefined): number =>
      this.pods.filter((other) => other.node === node?.name).length;
    const avoided = (node: SimNode | undefined): number => ((node?.taints.length ?? 0) > 0 ? 1 : 0);
    const [best] = [...open].sort(
      (a, b) => avoided(a.node) - avoided(b.node) || load(a.node) - load(b.node) || (a.id < b.id ? -1 : 1),
    );
    if (!best?.node) return;
    pod.node = best.node.name;
    const start = this.workloads.find((workload) => workload.name === pod.workload)?.startMs ?? 5_000;
    this.after(start, () => {
      pod.ready = pod.deletedAt === undefined;
    });
  }

  deletePod(pod: SimPod): void {
    if (pod.deletedAt !== undefined) return;
    pod.deletedAt = this.now;
    pod.ready = false;
    const grace = this.workloads.find((workload) => workload.name === pod.workload)?.graceMs ?? 10_000;
    this.after(grace, () => {
      const index = this.pods.indexOf(pod);
      if (index >= 0) this.pods.splice(index, 1);
    });
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
      nodes: group.instances.flatMap((instance) => nodeView(instance)),
      targetVersion: { name: `lt-${group.name}`, version: NEW_VERSION },
      deregistrationDelay: this.spec.deregistrationMs ?? 0,
    }));
    const pods = this.pods.map((pod) => podView(this, pod));
    return {
      clusterId: 'c',
      updateId: 'u1',
      commit: 'abc',
      groups,
      pods,
      pdbs: this.pdbs(),
      memory,
      frozen: [],
      ...more,
    };
  }
}
