import { clone } from '../api/object.js';
import { seconds, type Duration } from '#kernel';
import type { KubeObject, ObjectInput } from '../api/store.js';
import { keyOfObject } from './cluster-view.js';
import { queueFor, type Controller, type ControllerContext } from './controller.js';
import type { KubeNode, Pod } from './objects.js';
import { isReady, isTerminating } from './pods.js';
import { ZONE } from './volumes.js';
import type { StatefulSet } from './workloads.js';
import type { WorkQueue } from './work-queue.js';

const SETS = 'statefulsets.apps';
const BUDGETS = 'poddisruptionbudgets.policy';
const ROLE = 'spilo-role';
/** StatefulSets with this label value under `application` are Postgres clusters, as Zalando's operator names them. */
const APPLICATION = 'spilo';

export interface PostgresOperatorOptions {
  /** Node label and value that tell the operator to move a primary away, besides the cordon. */
  readonly drainLabel: readonly [name: string, value: string];
  readonly switchover: Duration;
}

const DEFAULTS: PostgresOperatorOptions = {
  drainLabel: ['lifecycle-status', 'decommission-pending'],
  switchover: seconds(20),
};

interface Switchover {
  readonly at: number;
  readonly cluster: string;
  readonly from: string;
  readonly to: string;
}

/**
 * A database operator that behaves like Zalando's: every cluster has one primary, kept by a budget that allows none to go
 * (`minAvailable: 1` on `spilo-role=master`), and the primary moves only when its node is cordoned and labelled for
 * decommissioning and a ready replica stands on a node that is neither.
 */
export class PostgresOperator implements Controller {
  readonly name = 'postgres-operator';
  readonly switchovers: Switchover[] = [];
  private readonly queue: WorkQueue;
  private readonly moving = new Set<string>();
  private closed = false;

  constructor(
    private readonly context: ControllerContext,
    private readonly options: PostgresOperatorOptions = DEFAULTS,
  ) {
    this.queue = queueFor(context, this.name, (key) => this.reconcile(key), seconds(1));
  }

  start(): void {
    const { view } = this.context;
    view.on<StatefulSet>(SETS, ({ object }) => this.wake(object));
    view.on<Pod>('pods', ({ object }) => {
      const owner = object.metadata.ownerReferences?.find(({ kind }) => kind === 'StatefulSet');
      const set = owner && view.get<StatefulSet>(SETS, object.metadata.namespace, owner.name);
      if (set) this.wake(set);
    });
    view.on<KubeNode>('nodes', ({ object, old }) => {
      if (old && this.leaves(old) === this.leaves(object)) return;
      for (const set of view.all<StatefulSet>(SETS)) this.wake(set);
    });
    for (const set of view.all<StatefulSet>(SETS)) this.wake(set);
  }

  close(): void {
    this.closed = true;
    this.queue.close();
  }

  private wake(set: StatefulSet): void {
    if (set.spec?.template.metadata?.labels?.['application'] === APPLICATION)
      this.queue.add(keyOfObject(set));
  }

  private reconcile(key: string): void {
    const set = this.context.view.byKey<StatefulSet>(SETS, key);
    if (!set || isTerminating(set)) return;
    this.ensureBudget(set);
    const pods = this.context.view
      .podsOf(set.metadata.uid)
      .sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
    const primary = pods.find((pod) => roleOf(pod) === 'master');
    for (const pod of pods) if (!roleOf(pod) && primary !== undefined) this.setRole(pod, 'replica');
    if (!primary || (isTerminating(primary) && !this.moving.has(key))) return this.promote(pods);
    if (this.mustMove(primary)) this.switchOver(key, primary, pods);
  }

  private ensureBudget(set: StatefulSet): void {
    const { store, view } = this.context;
    const name = `postgres-${set.metadata.name}-pdb`;
    const { namespace } = set.metadata;
    if (view.get(BUDGETS, namespace, name)) return;
    const matchLabels = { ...set.spec?.selector.matchLabels, [ROLE]: 'master' };
    const budget = {
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata: { name, namespace },
      spec: { minAvailable: 1, selector: { matchLabels } },
    };
    store.create(BUDGETS, clone(budget) as unknown as ObjectInput, { manager: this.name });
  }

  /** No primary at all: the first ready pod becomes it, without waiting. */
  private promote(pods: readonly Pod[]): void {
    const next = pods.find((pod) => isReady(pod) && !isTerminating(pod));
    if (!next) return;
    for (const pod of pods) this.setRole(pod, pod === next ? 'master' : 'replica');
  }

  private leaves(node: KubeNode | undefined): boolean {
    const [label, value] = this.options.drainLabel;
    return node?.spec?.unschedulable === true && node.metadata.labels?.[label] === value;
  }

  private mustMove(primary: Pod): boolean {
    return this.leaves(this.context.view.node(primary.spec?.nodeName ?? ''));
  }

  private switchOver(key: string, primary: Pod, pods: readonly Pod[]): void {
    if (this.moving.has(key) || !this.candidate(primary, pods)) return;
    this.moving.add(key);
    this.context.scheduler.after(this.options.switchover, () => {
      this.moving.delete(key);
      if (this.closed) return;
      const now = this.context.view.podsOf(primary.metadata.ownerReferences?.[0]?.uid);
      const to = this.candidate(primary, now);
      if (!to) return this.queue.add(key);
      this.setRole(primary, 'replica');
      this.setRole(to, 'master');
      const { metadata } = primary;
      this.switchovers.push({
        at: this.context.scheduler.now(),
        cluster: key,
        from: metadata.name,
        to: to.metadata.name,
      });
    });
  }

  /** A ready replica on a node that stays, in the primary's own zone first. */
  private candidate(primary: Pod, pods: readonly Pod[]): Pod | undefined {
    const zoneOf = (pod: Pod): string | undefined =>
      this.context.view.node(pod.spec?.nodeName ?? '')?.metadata.labels?.[ZONE];
    const fit = pods.filter((pod) => {
      const node = this.context.view.node(pod.spec?.nodeName ?? '');
      return (
        pod.metadata.uid !== primary.metadata.uid &&
        isReady(pod) &&
        !isTerminating(pod) &&
        node &&
        !node.spec?.unschedulable
      );
    });
    return fit.find((pod) => zoneOf(pod) === zoneOf(primary)) ?? fit[0];
  }

  private setRole(pod: Pod, role: 'master' | 'replica'): void {
    const change = (draft: KubeObject): void => {
      draft.metadata.labels = { ...draft.metadata.labels, [ROLE]: role };
    };
    if (roleOf(pod) !== role)
      this.context.store.modify('pods', pod.metadata.namespace, pod.metadata.name, change, {
        manager: this.name,
      });
  }
}

const roleOf = (pod: Pod): string | undefined => pod.metadata.labels?.[ROLE];
