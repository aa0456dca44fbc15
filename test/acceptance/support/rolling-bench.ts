import type { NodeGroupView, NodeView } from '#fleet';
import {
  decide,
  newRollMemory,
  observeEviction,
  observeLaunch,
  type EvictionReply,
  type RollAction,
  type RollDecision,
  type RollMemory,
  type RollPolicy,
  type RollScope,
} from '#rolling';
import { nodeView, pdbView, podView } from '../../../libs/adapters/kubernetes/src/views.js';
import type { Machine } from '../../../libs/simulation/src/aws/machine.js';
import { sampleMachine, TestBench } from '../../../libs/simulation/src/estate/test-bench.js';

type Json = Readonly<Record<string, unknown>>;
type Patch = Extract<RollAction, { kind: 'cordon' }>['patch'];

const BOOT = 60_000;

/** A roll of one worker pool of the simulated cluster, in virtual time and without a wire. */
export class RollingBench {
  readonly bench: TestBench;
  readonly log: string[] = [];
  readonly evicted: string[] = [];
  private readonly outdated = new Set<string>();
  private readonly booting = new Map<string, Machine>();
  private readonly loose = new Map<string, Machine>();
  private memory: RollMemory = newRollMemory('u1');
  private desired: number;
  private max: number;
  private suspended: string[] = [];
  private tags: Record<string, string> = {};
  private readonly guarded = new Set<string>();
  private next: number;

  constructor(workers: number) {
    this.bench = new TestBench({ workers });
    this.desired = workers;
    this.max = workers + 3;
    this.next = workers + 1;
    for (const machine of this.bench.machines) this.outdated.add(machine.instanceId);
  }

  roll(policy: RollPolicy, limit: number): RollDecision {
    const end = this.bench.scheduler.now() + limit;
    for (;;) {
      const now = this.bench.scheduler.now();
      const decision = decide(this.scope(), policy, now as never);
      this.memory = JSON.parse(JSON.stringify(decision.memory)) as RollMemory;
      for (const action of decision.actions) this.act(action);
      if (['done', 'halted'].includes(decision.state) || now > end) return decision;
      this.bench.run(Math.min(decision.nextLookIn, 5_000));
    }
  }

  private act(action: RollAction): void {
    const now = this.bench.scheduler.now();
    if (action.kind === 'launch-in-zone') {
      const instance = this.launch(action.zone);
      this.log.push(`${action.kind} ${action.key} → ${instance}`);
      this.memory = observeLaunch(this.memory, action, { kind: 'launched', instance }, now as never);
      return;
    }
    const answer = this.perform(action);
    this.log.push(`${action.kind} ${action.key}${answer ? ` → ${answer.kind}` : ''}`);
    if (action.kind === 'evict' && answer)
      this.memory = observeEviction(this.memory, action, answer, now as never);
  }

  private perform(action: RollAction): EvictionReply | undefined {
    switch (action.kind) {
      case 'suspend-az-rebalance':
        this.suspended = ['AZRebalance'];
        this.tags = { ...action.tags };
        return undefined;
      case 'resume-az-rebalance':
        this.suspended = [];
        this.tags = {};
        return undefined;
      case 'raise-max-size':
        this.max = action.to;
        return undefined;
      case 'restore-bounds':
        this.max = action.maxSize;
        return undefined;
      case 'set-desired-capacity':
        this.desired = action.to;
        this.fill();
        return undefined;
      case 'protect-from-scale-in':
        for (const id of action.instances) {
          if (action.protect) this.guarded.add(id);
          else this.guarded.delete(id);
        }
        return undefined;
      case 'attach-instance':
        this.attach(action.instance);
        return undefined;
      case 'evict':
        return this.evict(action);
      case 'terminate':
        this.terminate(action.instance, action.decrementDesired);
        return undefined;
      case 'mark-queued':
      case 'cordon':
      case 'exclude-from-load-balancers':
      case 'restore-node':
        this.patch(action.node, action.patch);
        return undefined;
      default:
        return undefined;
    }
  }

  private launch(zone: string): string {
    const machine = sampleMachine(this.next, { launchedAt: this.bench.scheduler.now(), zone });
    this.next += 1;
    this.loose.set(machine.instanceId, machine);
    return machine.instanceId;
  }

  private attach(id: string): void {
    const machine = this.loose.get(id);
    if (!machine) return;
    this.loose.delete(id);
    this.desired += 1;
    this.boot(machine);
  }

  private boot(machine: Machine): void {
    this.booting.set(machine.instanceId, machine);
    this.bench.scheduler.after(BOOT, () => {
      if (this.booting.delete(machine.instanceId)) this.bench.boot(machine);
    });
  }

  private fill(): void {
    while (this.bench.machines.length + this.booting.size < this.desired) {
      const machine = sampleMachine(this.next, { launchedAt: this.bench.scheduler.now() });
      this.next += 1;
      this.boot(machine);
    }
  }

  private terminate(id: string, decrement: boolean): void {
    const index = this.bench.machines.findIndex((machine) => machine.instanceId === id);
    if (decrement) this.desired -= 1;
    const [machine] = index < 0 ? [] : this.bench.machines.splice(index, 1);
    this.booting.delete(id);
    this.outdated.delete(id);
    if (machine) this.bench.cluster.fleet.terminated(machine);
    this.fill();
  }

  private evict(action: Extract<RollAction, { kind: 'evict' }>): EvictionReply {
    try {
      this.bench.cluster.evictions.evict({
        namespace: action.namespace,
        name: action.name,
        uid: action.uid,
      });
      this.evicted.push(`${action.name} ${action.uid}`);
      return { kind: 'accepted' };
    } catch (error) {
      const code = (error as { code?: number }).code;
      const message = error instanceof Error ? error.message : String(error);
      if (code === 404 || code === 409) return { kind: 'gone' };
      return code === 429 ? { kind: 'blocked-by-pdb', message } : { kind: 'transient', message };
    }
  }

  private patch(name: string, patch: Patch): void {
    this.bench.store.modify('nodes', undefined, name, (draft) => {
      const spec = { ...(draft['spec'] as Json) };
      if (patch.unschedulable !== undefined) spec['unschedulable'] = patch.unschedulable;
      const gone = [...(patch.removeTaints ?? []), ...(patch.addTaints ?? [])];
      const taints = ((spec['taints'] ?? []) as { key: string; effect: string }[]).filter(
        (taint) => !gone.some((other) => other.key === taint.key && other.effect === taint.effect),
      );
      draft['spec'] = { ...spec, taints: [...taints, ...(patch.addTaints ?? [])] };
      draft.metadata.labels = merged(draft.metadata.labels, patch.labels);
      draft.metadata.annotations = merged(draft.metadata.annotations, patch.annotations);
    });
  }

  private scope(): RollScope {
    const all = (resource: string): Json[] => this.bench.view.all(resource) as unknown as Json[];
    const nodes = all('nodes').map(nodeView);
    return {
      clusterId: 'test',
      updateId: 'u1',
      commit: 'abc',
      groups: [
        {
          pool: 'default',
          master: false,
          minSize: 1,
          maxSize: this.max,
          group: this.group(),
          nodes: nodes.filter((node: NodeView) => node.instanceId !== undefined),
          targetVersion: { name: 'lt', version: '2' },
          deregistrationDelay: 0 as never,
        },
      ],
      pods: all('pods').map(podView),
      pdbs: all('poddisruptionbudgets.policy').map(pdbView),
      memory: this.memory,
      frozen: [],
    };
  }

  private group(): NodeGroupView {
    const machines = [...this.bench.machines, ...this.booting.values()];
    return {
      pool: 'default',
      groupName: 'asg',
      minSize: 1,
      maxSize: this.max,
      desiredCapacity: this.desired,
      zones: ['eu-central-1a', 'eu-central-1b', 'eu-central-1c'],
      suspendedProcesses: this.suspended,
      launchTemplate: { name: 'lt', version: '2' },
      instanceTypes: [],
      targetGroupArns: [],
      tags: this.tags,
      recentFailures: [],
      instances: machines.map((machine) => ({
        instanceId: machine.instanceId,
        zone: machine.zone,
        instanceType: machine.instanceType,
        market: 'on-demand',
        launchTemplate: { name: 'lt', version: this.outdated.has(machine.instanceId) ? '1' : '2' },
        lifecycleState: this.booting.has(machine.instanceId) ? 'Pending' : 'InService',
        healthStatus: 'Healthy',
        protectedFromScaleIn: this.guarded.has(machine.instanceId),
        ec2State: 'running',
        privateDnsName: machine.privateDnsName,
        launchedAt: new Date(machine.launchedAt).toISOString(),
        targetHealth: {},
      })),
    };
  }
}

function merged(
  before: Readonly<Record<string, string>> | undefined,
  change: Readonly<Record<string, string | null>> = {},
): Record<string, string> {
  const entries = Object.entries({ ...before, ...change }).filter(([, value]) => value !== null);
  return Object.fromEntries(entries) as Record<string, string>;
}
