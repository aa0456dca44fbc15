import { ApiError } from '../api/store.js';
import { controllerOf, keyOfObject, splitKey, type Change } from './cluster-view.js';
import { conditionOf, parseTimestamp } from './conditions.js';
import { queueFor, writeStatus, type Controller, type ControllerContext } from './controller.js';
import type { Pod } from './objects.js';
import {
  isActive,
  isAvailable,
  isReady,
  isTerminating,
  nextAvailable,
  ownedBy,
  podFrom,
  randomSuffix,
} from './pods.js';
import { selects } from './selector.js';
import type { ReplicaSet } from './workloads.js';
import type { WorkQueue } from './work-queue.js';

const RESOURCE = 'replicasets.apps';

/** Keeps as many pods as a ReplicaSet asks for, and counts them. */
export class ReplicaSetController implements Controller {
  readonly name = 'replicaset-controller';
  private readonly queue: WorkQueue;
  private readonly random;

  constructor(private readonly context: ControllerContext) {
    this.queue = queueFor(context, this.name, (key) => this.reconcile(key));
    this.random = context.random.fork(`${this.name}/names`);
  }

  start(): void {
    const { view } = this.context;
    view.on<ReplicaSet>(RESOURCE, ({ object }) => this.queue.add(keyOfObject(object)));
    view.on<Pod>('pods', (change) => this.onPod(change));
    for (const set of view.all<ReplicaSet>(RESOURCE)) this.queue.add(keyOfObject(set));
  }

  close(): void {
    this.queue.close();
  }

  private onPod({ object: pod }: Change<Pod>): void {
    const owner = controllerOf(pod);
    if (owner?.kind === 'ReplicaSet') return this.queue.add(`${pod.metadata.namespace}/${owner.name}`);
    if (owner || isTerminating(pod)) return;
    for (const set of this.context.view.inNamespace<ReplicaSet>(RESOURCE, pod.metadata.namespace as string)) {
      if (selects(set.spec?.selector, pod.metadata.labels)) this.queue.add(keyOfObject(set));
    }
  }

  private reconcile(key: string): void {
    const { view } = this.context;
    const set = view.byKey<ReplicaSet>(RESOURCE, key);
    if (!set?.spec) return;
    if (!isTerminating(set)) {
      this.adopt(set);
      this.scale(set, view.podsOf(set.metadata.uid).filter(isActive));
    }
    const current = view.byKey<ReplicaSet>(RESOURCE, key);
    if (current) this.count(current);
  }

  private adopt(set: ReplicaSet): void {
    const { store, view } = this.context;
    const { namespace } = set.metadata;
    for (const pod of view.inNamespace<Pod>('pods', namespace as string)) {
      if (controllerOf(pod) || !isActive(pod) || !selects(set.spec?.selector, pod.metadata.labels)) continue;
      store.modify('pods', namespace, pod.metadata.name, (draft) => {
        draft.metadata.ownerReferences = [...(draft.metadata.ownerReferences ?? []), ownedBy(set)] as never;
      });
    }
  }

  private scale(set: ReplicaSet, active: readonly Pod[]): void {
    const wanted = set.spec?.replicas ?? 1;
    if (active.length < wanted) this.grow(set, wanted - active.length);
    else if (active.length > wanted) this.shrink(set, active, active.length - wanted);
  }

  private grow(set: ReplicaSet, count: number): void {
    const { store, events } = this.context;
    for (let i = 0; i < count; i++) {
      const name = `${set.metadata.name}-${randomSuffix(this.random)}`;
      try {
        store.create('pods', podFrom((set.spec as NonNullable<ReplicaSet['spec']>).template, set, name));
        events.normal(set, 'SuccessfulCreate', `Created pod: ${name}`, this.name);
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        events.warning(set, 'FailedCreate', `Error creating: ${error.message}`, this.name);
        this.queue.add(keyOfObject(set), 10_000);
        return;
      }
    }
  }

  private shrink(set: ReplicaSet, active: readonly Pod[], count: number): void {
    const { store, events } = this.context;
    const perNode = new Map<string, number>();
    for (const pod of active)
      perNode.set(pod.spec?.nodeName ?? '', (perNode.get(pod.spec?.nodeName ?? '') ?? 0) + 1);
    const victims = [...active].sort((a, b) => deletionOrder(a, b, perNode)).slice(0, count);
    for (const pod of victims) {
      store.remove('pods', pod.metadata.namespace, pod.metadata.name, { uid: pod.metadata.uid as string });
      events.normal(set, 'SuccessfulDelete', `Deleted pod: ${pod.metadata.name}`, this.name);
    }
  }

  private count(set: ReplicaSet): void {
    const { view } = this.context;
    const minReady = set.spec?.minReadySeconds ?? 0;
    const pods = view.podsOf(set.metadata.uid).filter(isActive);
    const ready = pods.filter(isReady);
    const available = ready.filter((pod) => isAvailable(view, pod, minReady));
    const { namespace, name } = splitKey(keyOfObject(set));
    writeStatus(this.context.store, RESOURCE, namespace, name, {
      replicas: pods.length,
      ...(pods.length > 0 && { fullyLabeledReplicas: pods.length }),
      ...(ready.length > 0 && { readyReplicas: ready.length }),
      ...(available.length > 0 && { availableReplicas: available.length }),
      observedGeneration: set.metadata.generation ?? 1,
    });
    const next = nextAvailable(view, ready, minReady);
    if (next !== undefined) this.queue.add(keyOfObject(set), next);
  }
}

const PHASE_RANK: Readonly<Record<string, number>> = { Pending: 0, Unknown: 1, Running: 2 };

/** Who goes first when a ReplicaSet shrinks (kube-controller-manager's ActivePodsWithRanks). */
export function deletionOrder(a: Pod, b: Pod, podsPerNode: ReadonlyMap<string, number>): number {
  const costOf = (pod: Pod): number =>
    Number(pod.metadata.annotations?.['controller.kubernetes.io/pod-deletion-cost'] ?? 0);
  const readySince = (pod: Pod): number => parseTimestamp(conditionOf(pod, 'Ready')?.lastTransitionTime) ?? 0;
  const created = (pod: Pod): number => parseTimestamp(pod.metadata.creationTimestamp) ?? 0;
  return (
    Number(a.spec?.nodeName !== undefined) - Number(b.spec?.nodeName !== undefined) ||
    (PHASE_RANK[a.status?.phase ?? 'Pending'] ?? 0) - (PHASE_RANK[b.status?.phase ?? 'Pending'] ?? 0) ||
    Number(isReady(a)) - Number(isReady(b)) ||
    costOf(a) - costOf(b) ||
    (podsPerNode.get(b.spec?.nodeName ?? '') ?? 0) - (podsPerNode.get(a.spec?.nodeName ?? '') ?? 0) ||
    readySince(b) - readySince(a) ||
    created(b) - created(a) ||
    (a.metadata.name < b.metadata.name ? -1 : 1)
  );
}
