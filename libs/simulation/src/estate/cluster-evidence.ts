import type { CallRecord } from '../wire-kubernetes/call-log.js';
import { conditionOf } from '../kubernetes/controllers/conditions.js';
import { controllerOf, keyOfObject } from '../kubernetes/controllers/cluster-view.js';
import { needOf } from '../kubernetes/controllers/disruption-budget.js';
import { expectedScale } from '../kubernetes/controllers/disruption.controller.js';
import type { KubeNode, Pod } from '../kubernetes/controllers/objects.js';
import { isReady, isTerminating } from '../kubernetes/controllers/pods.js';
import { selects } from '../kubernetes/controllers/selector.js';
import type { DisruptionBudget, ReplicaSet } from '../kubernetes/controllers/workloads.js';
import type { ClusterEvidence } from './evidence-report.js';
import type { LivingCluster } from './living-cluster.js';

const BUDGETS = 'poddisruptionbudgets.policy';
const POOL = 'node.kubernetes.io/node-pool';

/** What the cloud side knows of a pool at this moment. */
export interface PoolTruth {
  readonly pool: string;
  readonly master: boolean;
  readonly desired: number;
  /** A machine of the pool differs from what the pool launches now, or comes or goes. */
  readonly unsettled: boolean;
}

interface PoolState {
  nominal: number;
  maxAway: number;
  cordons: number;
  master: boolean;
  ready: number;
}

interface BudgetState {
  workload: string;
  met: boolean;
  needed: number;
  fewest: number;
  breached: boolean;
  breaches: number;
}

/** Watches one cluster all the time and keeps the extremes. */
export class ClusterWitness {
  private readonly pools = new Map<string, PoolState>();
  private readonly budgets = new Map<string, BudgetState>();
  private readonly guarded = new Map<string, string>();
  private readonly early: string[] = [];
  private readonly deletes: string[] = [];
  private evictions = 0;

  constructor(
    private readonly cluster: LivingCluster,
    private readonly truth: () => readonly PoolTruth[],
  ) {
    const { view, wire } = cluster;
    view.on<KubeNode>('nodes', ({ object, old }) => {
      const cordoned = object.spec?.unschedulable === true && old?.spec?.unschedulable !== true;
      if (cordoned) this.noteCordon(object);
      this.sampleNodes();
    });
    view.on<Pod>('pods', ({ object, old }) => {
      if (!old || isReady(old) !== isReady(object) || isTerminating(old) !== isTerminating(object))
        this.samplePods(object);
    });
    view.on<DisruptionBudget>(BUDGETS, ({ type, object, old }) => {
      if (type === 'DELETED' || (old && object.metadata.generation !== old.metadata.generation))
        this.budgets.delete(keyOfObject(object));
      if (type !== 'DELETED') this.sampleBudget(object);
    });
    wire.calls.subscribe((call) => this.noteCall(call));
  }

  /** Called by the estate when a machine comes or goes. */
  sampleNodes(): void {
    for (const pool of this.truth()) {
      const ready = this.readyNodes(pool.pool);
      const state = this.pools.get(pool.pool) ?? {
        nominal: 0,
        maxAway: 0,
        cordons: 0,
        master: pool.master,
        ready: 0,
      };
      this.pools.set(pool.pool, state);
      state.ready = ready;
      if (ready >= pool.desired && !this.isLeaving(pool.pool)) state.nominal = pool.desired;
      else state.maxAway = Math.max(state.maxAway, state.nominal - ready);
    }
  }

  report(): ClusterEvidence {
    return {
      cluster: this.cluster.id,
      pools: [...this.pools].map(([pool, state]) => ({
        pool,
        master: state.master,
        nodes: state.ready,
        maxAway: state.maxAway,
        cordons: state.cordons,
      })),
      budgets: [...this.budgets].map(([budget, { workload, needed, fewest, breaches }]) => ({
        budget,
        workload,
        needed,
        fewest,
        breaches,
      })),
      workersBeforeMasters: this.early,
      protectedDeletes: this.deletes,
      evictions: this.evictions,
    };
  }

  private nodesOf(pool: string): KubeNode[] {
    return this.cluster.view.nodes().filter((node) => node.metadata.labels?.[POOL] === pool);
  }

  private readyNodes(pool: string): number {
    return this.nodesOf(pool).filter(
      (node) => !node.spec?.unschedulable && conditionOf(node, 'Ready')?.status === 'True',
    ).length;
  }

  private isLeaving(pool: string): boolean {
    return this.nodesOf(pool).some((node) => node.spec?.unschedulable);
  }

  private noteCordon(node: KubeNode): void {
    const pool = node.metadata.labels?.[POOL] ?? '';
    const state = this.pools.get(pool);
    if (state) state.cordons++;
    const pools = this.truth();
    const isMaster = pools.some((one) => one.pool === pool && one.master);
    const late = pools.find((one) => one.master && (one.unsettled || this.isLeaving(one.pool)));
    if (!isMaster && late)
      this.early.push(
        `worker ${node.metadata.name} cordoned while master pool ${late.pool} was not complete`,
      );
  }

  private samplePods(pod: Pod): void {
    for (const budget of this.cluster.view.inNamespace<DisruptionBudget>(
      BUDGETS,
      pod.metadata.namespace as string,
    )) {
      if (!selects(budget.spec?.selector, pod.metadata.labels)) continue;
      this.guarded.set(keyOfObject(pod), keyOfObject(budget));
      this.sampleBudget(budget);
    }
  }

  private sampleBudget(budget: DisruptionBudget): void {
    const { view } = this.cluster;
    const pods = view
      .inNamespace<Pod>('pods', budget.metadata.namespace as string)
      .filter((pod) => selects(budget.spec?.selector, pod.metadata.labels));
    const need = needOf(budget.spec ?? {}, pods, () => expectedScale(view, pods));
    if ('why' in need || need.desiredHealthy === 0) return;
    const needed = need.desiredHealthy;
    const healthy = pods.filter((pod) => isReady(pod) && !isTerminating(pod)).length;
    const key = keyOfObject(budget);
    const known = this.budgets.get(key);
    const state = known ?? {
      workload: '',
      met: false,
      needed,
      fewest: healthy,
      breached: false,
      breaches: 0,
    };
    if (!known) this.budgets.set(key, state);
    state.workload ||= pods[0] ? this.workloadOf(pods[0]) : '';
    if (!state.met) {
      state.met = healthy >= needed;
      state.fewest = healthy;
      state.needed = needed;
      return;
    }
    // A workload that was scaled needs another number: judge against today's, remember the worst.
    const breached = healthy < needed;
    if (breached && !state.breached) state.breaches++;
    if (healthy - needed < state.fewest - state.needed) Object.assign(state, { fewest: healthy, needed });
    state.breached = breached;
  }

  private workloadOf(pod: Pod): string {
    const owner = controllerOf(pod);
    if (owner?.kind !== 'ReplicaSet') return `${owner?.kind ?? 'Pod'}/${owner?.name ?? pod.metadata.name}`;
    const set = this.cluster.view.get<ReplicaSet>('replicasets.apps', pod.metadata.namespace, owner.name);
    const above = set && controllerOf(set);
    return above ? `${above.kind}/${above.name}` : `${owner.kind}/${owner.name}`;
  }

  private noteCall(call: CallRecord): void {
    if (call.dryRun || call.resource !== 'pods' || call.code < 200 || call.code >= 300) return;
    if (call.subresource === 'eviction' && call.verb === 'create') this.evictions++;
    if (call.verb !== 'delete' || call.subresource) return;
    const key = `${call.namespace}/${call.name}`;
    const budget = this.guarded.get(key);
    if (budget)
      this.deletes.push(`pod ${key}, protected by ${budget}, deleted by ${call.user ?? 'somebody'}`);
  }
}
