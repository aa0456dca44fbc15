import { ApiError } from '../api/store.js';
import { controllerOf, keyOfObject } from './cluster-view.js';
import { queueFor, writeStatus, type Controller, type ControllerContext } from './controller.js';
import { Revisions } from './controller-revisions.js';
import { resolveIntOrPercent } from './int-or-percent.js';
import { matchesNodeAffinity } from './node-fit.js';
import type { Affinity, KubeNode, Pod, PodSpec } from './objects.js';
import {
  isAvailable,
  isFinished,
  isReady,
  isTerminating,
  nextAvailable,
  podFrom,
  randomSuffix,
  templateHash,
} from './pods.js';
import { DAEMON_TOLERATIONS, firstUntolerated, isTolerated } from './tolerations.js';
import type { DaemonSet, DaemonSetSpec } from './workloads.js';
import type { WorkQueue } from './work-queue.js';

const RESOURCE = 'daemonsets.apps';
const HASH = 'controller-revision-hash';

/** One pod on every eligible node, replaced in place when the template changes. */
export class DaemonSetController implements Controller {
  readonly name = 'daemonset-controller';
  private readonly queue: WorkQueue;
  private readonly revisions: Revisions;
  private readonly random;

  constructor(private readonly context: ControllerContext) {
    this.queue = queueFor(context, this.name, (key) => this.reconcile(key));
    this.revisions = new Revisions(context.store, context.view);
    this.random = context.random.fork(`${this.name}/names`);
  }

  start(): void {
    const { view } = this.context;
    view.on<DaemonSet>(RESOURCE, ({ object }) => this.queue.add(keyOfObject(object)));
    view.on<Pod>('pods', ({ object }) => {
      const owner = controllerOf(object);
      if (owner?.kind === 'DaemonSet') this.queue.add(`${object.metadata.namespace}/${owner.name}`);
    });
    view.on<KubeNode>('nodes', ({ type, object, old }) => {
      if (type === 'MODIFIED' && old && sameForScheduling(object, old)) return;
      this.wakeAll();
    });
    this.wakeAll();
  }

  close(): void {
    this.queue.close();
  }

  private wakeAll(): void {
    for (const set of this.context.view.all<DaemonSet>(RESOURCE)) this.queue.add(keyOfObject(set));
  }

  private reconcile(key: string): void {
    const { view } = this.context;
    const set = view.byKey<DaemonSet>(RESOURCE, key);
    if (!set?.spec || isTerminating(set)) return;
    const hash = templateHash(set.spec.template);
    this.revisions.ensure(set, hash, set.spec.template);
    const eligible = new Set(
      view
        .nodes()
        .filter((node) => runsOn(set, node))
        .map((node) => node.metadata.name),
    );
    const byNode = this.podsByNode(set);
    this.place(set, hash, eligible, byNode);
    this.update(set, hash, eligible, byNode);
    this.count(key, hash, eligible);
  }

  private podsByNode(set: DaemonSet): Map<string, Pod[]> {
    const byNode = new Map<string, Pod[]>();
    for (const pod of this.context.view.podsOf(set.metadata.uid)) {
      const node = nodeOf(pod);
      if (!node) continue;
      const list = byNode.get(node);
      if (list) list.push(pod);
      else byNode.set(node, [pod]);
    }
    return byNode;
  }

  private place(
    set: DaemonSet,
    hash: string,
    eligible: ReadonlySet<string>,
    byNode: ReadonlyMap<string, readonly Pod[]>,
  ): void {
    for (const node of eligible) {
      const pods = byNode.get(node) ?? [];
      for (const pod of pods) if (isFinished(pod) && !isTerminating(pod)) this.delete(set, pod);
      if (pods.length === 0) this.create(set, hash, node);
    }
    for (const [node, pods] of byNode) {
      if (eligible.has(node) || !mustLeave(set, this.context.view.node(node))) continue;
      for (const pod of pods) if (!isTerminating(pod)) this.delete(set, pod);
    }
  }

  private update(
    set: DaemonSet,
    hash: string,
    eligible: ReadonlySet<string>,
    byNode: ReadonlyMap<string, readonly Pod[]>,
  ): void {
    const { updateStrategy } = set.spec as DaemonSetSpec;
    if (updateStrategy?.type === 'OnDelete') return;
    const minReady = set.spec?.minReadySeconds ?? 0;
    const limit =
      resolveIntOrPercent(updateStrategy?.rollingUpdate?.maxUnavailable ?? 1, eligible.size, 'up') || 1;
    const outdated: Pod[] = [];
    let away = 0;
    for (const node of eligible) {
      const pod = byNode.get(node)?.find((candidate) => !isTerminating(candidate));
      const available = pod !== undefined && isAvailable(this.context.view, pod, minReady);
      if (!available) away++;
      if (pod && pod.metadata.labels?.[HASH] !== hash) {
        // An old pod that does not work is replaced at once: it costs no availability.
        if (available) outdated.push(pod);
        else this.delete(set, pod);
      }
    }
    for (const pod of outdated.slice(0, Math.max(0, limit - away))) this.delete(set, pod);
  }

  private create(set: DaemonSet, hash: string, node: string): void {
    const { store, events } = this.context;
    const { template } = set.spec as DaemonSetSpec;
    const name = `${set.metadata.name}-${randomSuffix(this.random)}`;
    try {
      store.create(
        'pods',
        podFrom(template, set, name, {
          labels: { [HASH]: hash, 'pod-template-generation': String(set.metadata.generation ?? 1) },
          spec: { affinity: pinnedTo(node, template.spec), tolerations: tolerationsOf(template.spec) },
        }),
      );
      events.normal(set, 'SuccessfulCreate', `Created pod: ${name}`, this.name);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      events.warning(set, 'FailedCreate', `Error creating: ${error.message}`, this.name);
      this.queue.add(keyOfObject(set), 10_000);
    }
  }

  private delete(set: DaemonSet, pod: Pod): void {
    this.context.store.remove('pods', pod.metadata.namespace, pod.metadata.name, {
      uid: pod.metadata.uid as string,
    });
    this.context.events.normal(set, 'SuccessfulDelete', `Deleted pod: ${pod.metadata.name}`, this.name);
  }

  private count(key: string, hash: string, eligible: ReadonlySet<string>): void {
    const { store, view } = this.context;
    const set = view.byKey<DaemonSet>(RESOURCE, key);
    if (!set) return;
    const minReady = set.spec?.minReadySeconds ?? 0;
    const all = view.podsOf(set.metadata.uid).filter((pod) => !isTerminating(pod));
    const pods = all.filter((pod) => eligible.has(nodeOf(pod) ?? ''));
    const available = pods.filter((pod) => isAvailable(view, pod, minReady)).length;
    const updated = pods.filter((pod) => pod.metadata.labels?.[HASH] === hash).length;
    writeStatus(store, RESOURCE, set.metadata.namespace, set.metadata.name, {
      observedGeneration: set.metadata.generation ?? 1,
      currentNumberScheduled: pods.length,
      desiredNumberScheduled: eligible.size,
      numberMisscheduled: all.length - pods.length,
      numberReady: pods.filter(isReady).length,
      ...(available > 0 && { numberAvailable: available }),
      ...(eligible.size - available > 0 && { numberUnavailable: eligible.size - available }),
      ...(updated > 0 && { updatedNumberScheduled: updated }),
    });
    const next = nextAvailable(view, pods, minReady);
    if (next !== undefined) this.queue.add(key, next);
  }
}

const tolerationsOf = (spec: PodSpec) => [
  ...(spec.tolerations ?? []),
  ...DAEMON_TOLERATIONS.filter(
    (known) => !isTolerated({ key: known.key as string, effect: known.effect as string }, spec.tolerations),
  ),
];

/** Should a pod of the set start on this node? */
function runsOn(set: DaemonSet, node: KubeNode): boolean {
  const spec = (set.spec as DaemonSetSpec).template.spec;
  if (isTerminating(node) || !matchesNodeAffinity(spec, node)) return false;
  return firstUntolerated(node.spec?.taints, tolerationsOf(spec)) === undefined;
}

/** A NoSchedule taint keeps new pods off but leaves running ones. */
function mustLeave(set: DaemonSet, node: KubeNode | undefined): boolean {
  if (!node) return false;
  const spec = (set.spec as DaemonSetSpec).template.spec;
  return (
    !matchesNodeAffinity(spec, node) ||
    firstUntolerated(node.spec?.taints, tolerationsOf(spec), ['NoExecute']) !== undefined
  );
}

/** Where the pod runs, or is meant to run. */
function nodeOf(pod: Pod): string | undefined {
  if (pod.spec?.nodeName) return pod.spec.nodeName;
  const terms =
    pod.spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms;
  return terms?.[0]?.matchFields?.find((field) => field.key === 'metadata.name')?.values?.[0];
}

/** The scheduler binds daemon pods too; a field selector leaves it one choice. Own node affinity was checked before. */
function pinnedTo(node: string, spec: PodSpec): Affinity {
  const matchFields = [{ key: 'metadata.name', operator: 'In', values: [node] }];
  return {
    ...spec.affinity,
    nodeAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchFields }] },
    },
  };
}

export function sameForScheduling(a: KubeNode, b: KubeNode): boolean {
  return a.spec === b.spec
    ? a.metadata.labels === b.metadata.labels ||
        JSON.stringify(a.metadata.labels) === JSON.stringify(b.metadata.labels)
    : JSON.stringify([a.spec, a.metadata.labels]) === JSON.stringify([b.spec, b.metadata.labels]);
}
