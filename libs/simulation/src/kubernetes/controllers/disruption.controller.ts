import { milliseconds, type Duration } from '#kernel';
import { controllerOf, keyOfObject, type ClusterView } from './cluster-view.js';
import { queueFor, writeStatus, type Controller, type ControllerContext } from './controller.js';
import { budgetStatus, nextLapse, type ExpectedScale } from './disruption-budget.js';
import type { Pod, Thing } from './objects.js';
import { selects } from './selector.js';
import type { DisruptionBudget, ReplicaSet } from './workloads.js';
import type { WorkQueue } from './work-queue.js';

const RESOURCE = 'poddisruptionbudgets.policy';

/** Kinds with a scale subresource, by which a budget learns how many pods there should be. */
const SCALABLE: Readonly<Record<string, string>> = {
  Deployment: 'deployments.apps',
  ReplicaSet: 'replicasets.apps',
  StatefulSet: 'statefulsets.apps',
};

/** Keeps the status of PodDisruptionBudgets, a little late as a real one does. */
export class DisruptionController implements Controller {
  readonly name = 'disruption-controller';
  private readonly queue: WorkQueue;

  constructor(
    private readonly context: ControllerContext,
    lag: Duration = milliseconds(300),
  ) {
    this.queue = queueFor(context, this.name, (key) => this.reconcile(key), lag);
  }

  start(): void {
    const { view } = this.context;
    view.on<DisruptionBudget>(RESOURCE, ({ object }) => this.queue.add(keyOfObject(object)));
    view.on<Pod>('pods', ({ object, old }) => this.wakeFor(object, old));
    for (const resource of Object.values(SCALABLE)) {
      view.on(resource, ({ object, old }) => {
        if (replicasOf(object) !== (old && replicasOf(old)))
          this.wakeNamespace(object.metadata.namespace as string);
      });
    }
    for (const budget of view.all<DisruptionBudget>(RESOURCE)) this.queue.add(keyOfObject(budget));
  }

  close(): void {
    this.queue.close();
  }

  private wakeFor(pod: Pod, old: Pod | undefined): void {
    for (const budget of this.context.view.inNamespace<DisruptionBudget>(
      RESOURCE,
      pod.metadata.namespace as string,
    )) {
      const { selector } = budget.spec ?? {};
      if (selects(selector, pod.metadata.labels) || (old && selects(selector, old.metadata.labels))) {
        this.queue.add(keyOfObject(budget));
      }
    }
  }

  private wakeNamespace(namespace: string): void {
    for (const budget of this.context.view.inNamespace<DisruptionBudget>(RESOURCE, namespace)) {
      this.queue.add(keyOfObject(budget));
    }
  }

  private reconcile(key: string): void {
    const { view, store, scheduler, clock, events } = this.context;
    const budget = view.byKey<DisruptionBudget>(RESOURCE, key);
    if (!budget) return;
    const moment = { now: scheduler.now(), since: (instant: number) => clock.since(instant) };
    const namespace = budget.metadata.namespace as string;
    const pods = view
      .inNamespace<Pod>('pods', namespace)
      .filter((pod) => selects(budget.spec?.selector, pod.metadata.labels));
    if (pods.length === 0) events.normal(budget, 'NoPods', 'No matching pods found', 'controllermanager');
    const status = budgetStatus(budget, pods, () => expectedScale(view, pods), moment);
    writeStatus(store, RESOURCE, namespace, budget.metadata.name, { ...status });
    const lapse = nextLapse(status, moment);
    if (lapse !== undefined) this.queue.add(key, lapse);
  }
}

const replicasOf = (object: Thing): unknown => (object.spec as { replicas?: number } | undefined)?.replicas;

/** Sum of what the distinct controllers of these pods want. A pod without a scalable controller spoils the answer. */
export function expectedScale(view: ClusterView, pods: readonly Pod[]): ExpectedScale {
  const scales = new Map<string, number>();
  for (const pod of pods) {
    const owner = controllerOf(pod);
    if (!owner) return { ok: false, why: `found no controller ref for pod "${pod.metadata.name}"` };
    const found = topOwner(view, pod.metadata.namespace as string, owner.kind, owner.name);
    if (!found) {
      const why = SCALABLE[owner.kind]
        ? `found no controllers for pod "${pod.metadata.name}"`
        : `${owner.kind.toLowerCase()}s.${owner.apiVersion.split('/')[0]} does not implement the scale subresource`;
      return { ok: false, why };
    }
    scales.set(found.metadata.uid as string, Number(replicasOf(found) ?? 1));
  }
  return { ok: true, replicas: [...scales.values()].reduce((total, replicas) => total + replicas, 0) };
}

function topOwner(view: ClusterView, namespace: string, kind: string, name: string): Thing | undefined {
  const resource = SCALABLE[kind];
  const owner = resource ? view.get(resource, namespace, name) : undefined;
  if (!owner || kind !== 'ReplicaSet') return owner;
  const above = controllerOf(owner as ReplicaSet);
  return above?.kind === 'Deployment'
    ? (view.get('deployments.apps', namespace, above.name) ?? owner)
    : owner;
}
