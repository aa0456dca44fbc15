import { seconds, type Duration } from '#kernel';
import { keyOfObject, splitKey } from './cluster-view.js';
import { queueFor, type Controller, type ControllerContext } from './controller.js';
import type { KubeNode, Pod } from './objects.js';
import { isFinished, isTerminating } from './pods.js';
import { OUT_OF_SERVICE } from './tolerations.js';
import type { WorkQueue } from './work-queue.js';

/** Removes pods that nobody is left to remove: their node is gone, or is declared out of service, or they never had one. */
export class PodGcController implements Controller {
  readonly name = 'pod-garbage-collector';
  private readonly queue: WorkQueue;

  constructor(
    private readonly context: ControllerContext,
    /** A node must have been missing for this long. */
    private readonly quarantine: Duration = seconds(40),
  ) {
    this.queue = queueFor(context, this.name, (key) => this.reconcile(key), seconds(5));
  }

  start(): void {
    const { view } = this.context;
    view.on<KubeNode>('nodes', ({ type, object }) => {
      const { name } = object.metadata;
      const delay = type === 'DELETED' ? this.quarantine : undefined;
      if (type === 'DELETED' || isOutOfService(object))
        for (const pod of view.podsOn(name)) this.queue.add(keyOfObject(pod), delay);
    });
    view.on<Pod>('pods', ({ type, object }) => {
      if (type === 'DELETED') return;
      const node = object.spec?.nodeName;
      if (!node) return isTerminating(object) ? this.queue.add(keyOfObject(object)) : undefined;
      const known = view.node(node);
      if (!known) this.queue.add(keyOfObject(object), this.quarantine);
      else if (isTerminating(object) && isOutOfService(known)) this.queue.add(keyOfObject(object));
    });
  }

  close(): void {
    this.queue.close();
  }

  private reconcile(key: string): void {
    const { view, store } = this.context;
    const pod = view.byKey<Pod>('pods', key);
    if (!pod || !isOrphan(pod, pod.spec?.nodeName ? view.node(pod.spec.nodeName) : undefined)) return;
    const { namespace, name } = splitKey(key);
    store.remove('pods', namespace, name, { uid: pod.metadata.uid as string, gracePeriodSeconds: 0 });
  }
}

const isOutOfService = (node: KubeNode): boolean =>
  node.spec?.taints?.some((taint) => taint.key === OUT_OF_SERVICE) ?? false;

function isOrphan(pod: Pod, node: KubeNode | undefined): boolean {
  if (!pod.spec?.nodeName) return isTerminating(pod);
  if (!node) return true;
  const ready = node.status?.conditions?.find((condition) => condition.type === 'Ready')?.status;
  return isOutOfService(node) && ready !== 'True' && isTerminating(pod) && !isFinished(pod);
}
