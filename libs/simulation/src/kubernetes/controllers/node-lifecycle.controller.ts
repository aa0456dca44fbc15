import { seconds, type Duration } from '#kernel';
import type { KubeObject } from '../api/store.js';
import { conditionOf, timestamp, withCondition } from './conditions.js';
import { queueFor, type Controller, type ControllerContext } from './controller.js';
import type { Heartbeats } from './heartbeats.js';
import type { KubeNode, Pod, Taint } from './objects.js';
import { isMirror, isReady, isTerminating } from './pods.js';
import { NOT_READY, stayUnder, UNREACHABLE, UNSCHEDULABLE } from './tolerations.js';
import type { WorkQueue } from './work-queue.js';

export interface NodeLifecycleOptions {
  /** Silence after which a node counts as unreachable (node-monitor-grace-period). */
  readonly grace: Duration;
}

/** The taints that this controller owns; others are never touched. */
const OWNED: ReadonlySet<string> = new Set(
  [NOT_READY, UNREACHABLE]
    .flatMap((key) => [`${key}:NoSchedule`, `${key}:NoExecute`])
    .concat(`${UNSCHEDULABLE}:NoSchedule`),
);
const idOf = (taint: Taint): string => `${taint.key}:${taint.effect}`;

/** Turns silence and conditions into taints, and NoExecute taints into deletions when a pod's toleration has run out. */
export class NodeLifecycleController implements Controller {
  readonly name = 'node-controller';
  private readonly nodes: WorkQueue;
  private readonly evictions: WorkQueue;

  constructor(
    private readonly context: ControllerContext,
    private readonly heartbeats: Heartbeats,
    private readonly options: NodeLifecycleOptions = { grace: seconds(50) },
  ) {
    this.nodes = queueFor(context, this.name, (name) => this.reconcile(name));
    this.evictions = queueFor(context, 'taint-eviction-controller', (name) => this.evictFrom(name));
  }

  start(): void {
    const { view } = this.context;
    this.heartbeats.onChange((node) => this.nodes.add(node));
    view.on<KubeNode>('nodes', ({ type, object }) => {
      if (type === 'DELETED') return;
      this.nodes.add(object.metadata.name);
      if (hasNoExecute(object)) this.evictions.add(object.metadata.name);
    });
    view.on<Pod>('pods', ({ object, old }) => {
      const node = object.spec?.nodeName;
      if (node && node !== old?.spec?.nodeName && hasNoExecute(view.node(node))) this.evictions.add(node);
    });
    for (const node of view.nodes()) this.nodes.add(node.metadata.name);
  }

  close(): void {
    this.nodes.close();
    this.evictions.close();
  }

  private reconcile(name: string): void {
    const node = this.context.view.node(name);
    if (!node || isTerminating(node)) return;
    this.judgeSilence(node);
    const current = this.context.view.node(name);
    if (current) this.taint(current);
  }

  private judgeSilence(node: KubeNode): void {
    const { name } = node.metadata;
    const now = this.context.scheduler.now();
    const silence = this.heartbeats.silence(name, this.context.clock.now());
    if (silence === undefined || !this.heartbeats.isSilent(name)) return;
    const wait = this.options.grace - silence;
    if (wait > 0) return this.nodes.add(name, wait);
    if (conditionOf(node, 'Ready')?.status === 'Unknown') return;
    this.setUnknown(node, now);
    for (const pod of this.context.view.podsOn(name)) this.setPodUnready(pod, now);
  }

  private setUnknown(node: KubeNode, now: number): void {
    this.context.events.normal(
      node,
      'NodeNotReady',
      `Node ${node.metadata.name} status is now: NodeNotReady`,
      this.name,
    );
    const change = (draft: KubeObject): void => {
      const status = draft['status'] as KubeNode['status'];
      const conditions = (status?.conditions ?? []).map((condition) => ({
        ...condition,
        status: 'Unknown',
        reason: 'NodeStatusUnknown',
        message: 'Kubelet stopped posting node status.',
        lastTransitionTime: timestamp(now),
      }));
      draft['status'] = { ...status, conditions };
    };
    this.context.store.modify('nodes', undefined, node.metadata.name, change, { subresource: 'status' });
  }

  private setPodUnready(pod: Pod, now: number): void {
    if (!isReady(pod)) return;
    const change = (draft: KubeObject): void => {
      const status = draft['status'] as Pod['status'];
      draft['status'] = {
        ...status,
        conditions: withCondition(status?.conditions, { type: 'Ready', status: 'False' }, now),
      };
    };
    this.context.store.modify('pods', pod.metadata.namespace, pod.metadata.name, change, {
      subresource: 'status',
    });
  }

  private taint(node: KubeNode): void {
    const now = timestamp(this.context.scheduler.now());
    const have = node.spec?.taints ?? [];
    const want = taintsFor(node);
    const keep = have.filter(
      (taint) => !OWNED.has(idOf(taint)) || want.some((wanted) => idOf(wanted) === idOf(taint)),
    );
    const add = want.filter((wanted) => !have.some((taint) => idOf(taint) === idOf(wanted)));
    if (keep.length === have.length && add.length === 0) return;
    const stamped = add.map((taint) =>
      taint.effect === 'NoExecute' || taint.key === UNSCHEDULABLE ? { ...taint, timeAdded: now } : taint,
    );
    const taints = [...keep, ...stamped];
    this.context.store.modify('nodes', undefined, node.metadata.name, (draft) => {
      const { taints: _, ...spec } = draft['spec'] as Record<string, unknown>;
      draft['spec'] = taints.length > 0 ? { ...spec, taints } : spec;
    });
  }

  private evictFrom(name: string): void {
    const { view, scheduler, store, events } = this.context;
    const node = view.node(name);
    if (!node || !hasNoExecute(node)) return;
    const now = scheduler.now();
    for (const pod of view.podsOn(name)) {
      if (isTerminating(pod) || isMirror(pod)) continue;
      const stay = stayUnder(node.spec?.taints, pod.spec?.tolerations);
      if (stay === Number.POSITIVE_INFINITY) continue;
      const wait = stay - this.context.clock.since(tainted(node, now));
      if (wait > 0) {
        this.evictions.add(name, wait);
        continue;
      }
      events.normal(
        pod,
        'TaintManagerEviction',
        `Marking for deletion Pod ${pod.metadata.namespace}/${pod.metadata.name}`,
        'taint-eviction-controller',
      );
      store.modify('pods', pod.metadata.namespace, pod.metadata.name, (draft) => markDisrupted(draft, now), {
        subresource: 'status',
      });
      store.remove('pods', pod.metadata.namespace, pod.metadata.name, { uid: pod.metadata.uid as string });
    }
  }
}

function markDisrupted(draft: KubeObject, now: number): void {
  const status = draft['status'] as Pod['status'];
  const reason = {
    type: 'DisruptionTarget',
    status: 'True',
    reason: 'DeletionByTaintManager',
    message: 'Taint manager: deleting due to NoExecute taint',
  };
  draft['status'] = { ...status, conditions: withCondition(status?.conditions, reason, now) };
}

const hasNoExecute = (node: KubeNode | undefined): boolean =>
  node?.spec?.taints?.some((taint) => taint.effect === 'NoExecute') ?? false;

/** Since when the node drives pods away: the newest of its NoExecute taints decides. */
function tainted(node: KubeNode, now: number): number {
  const times = (node.spec?.taints ?? [])
    .filter((taint) => taint.effect === 'NoExecute')
    .map((taint) => (taint.timeAdded ? Date.parse(taint.timeAdded) : now));
  return Math.max(...times);
}

/** What the node's conditions and its cordon call for. */
function taintsFor(node: KubeNode): readonly Taint[] {
  const ready = conditionOf(node, 'Ready')?.status;
  const taints: Taint[] = [];
  if (node.spec?.unschedulable) taints.push({ key: UNSCHEDULABLE, effect: 'NoSchedule' });
  const key = ready === 'True' ? undefined : ready === 'Unknown' ? UNREACHABLE : NOT_READY;
  if (key) taints.push({ key, effect: 'NoSchedule' }, { key, effect: 'NoExecute' });
  return taints;
}
