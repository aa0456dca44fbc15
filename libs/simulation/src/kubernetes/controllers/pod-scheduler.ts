import { milliseconds, type Duration } from '#kernel';
import type { KubeObject } from '../api/store.js';
import { keyOfObject, splitKey } from './cluster-view.js';
import { conditionOf, withCondition } from './conditions.js';
import { queueFor, type Controller, type ControllerContext } from './controller.js';
import { sameForScheduling } from './daemon-set.controller.js';
import type { KubeNode, Pod } from './objects.js';
import { isFinished, isTerminating } from './pods.js';
import { chooseNode, roomOf } from './scheduling.js';
import { provision } from './volumes.js';
import type { WorkQueue } from './work-queue.js';

const CYCLE = 'cycle';

/** Binds pending pods to nodes, higher priority first; what fits nowhere is tried again when something changes. */
export class PodScheduler implements Controller {
  readonly name = 'default-scheduler';
  private readonly queue: WorkQueue;
  private readonly pending = new Set<string>();
  private readonly random;

  constructor(
    private readonly context: ControllerContext,
    latency: Duration = milliseconds(100),
  ) {
    this.queue = queueFor(context, this.name, () => this.cycle(), latency);
    this.random = context.random.fork(`${this.name}/volumes`);
  }

  start(): void {
    const { view } = this.context;
    for (const pod of view.all<Pod>('pods')) this.consider(pod);
    view.on<Pod>('pods', ({ type, object, old }) => {
      const key = keyOfObject(object);
      if (type === 'DELETED') this.pending.delete(key);
      else if (object.spec?.nodeName) this.pending.delete(key);
      else if (!old) this.consider(object);
      const freed = type === 'DELETED' || (isFinished(object) && old !== undefined && !isFinished(old));
      if (freed) this.wake();
    });
    view.on<KubeNode>('nodes', ({ type, object, old }) => {
      const same = type === 'MODIFIED' && old && sameForScheduling(object, old) && sameRoom(object, old);
      if (!same) this.wake();
    });
    view.on('persistentvolumeclaims', () => this.wake());
  }

  close(): void {
    this.queue.close();
  }

  private consider(pod: Pod): void {
    const own = pod.spec?.schedulerName ?? this.name;
    if (pod.spec?.nodeName || isFinished(pod) || own !== this.name) return;
    this.pending.add(keyOfObject(pod));
    this.wake();
  }

  private wake(): void {
    if (this.pending.size > 0) this.queue.add(CYCLE);
  }

  private cycle(): void {
    const { view } = this.context;
    const pods = [...this.pending]
      .map((key) => view.byKey<Pod>('pods', key))
      .filter((pod): pod is Pod => pod !== undefined && !isTerminating(pod))
      .sort((a, b) => (b.spec?.priority ?? 0) - (a.spec?.priority ?? 0));
    let room = roomOf(view);
    for (const pod of pods) {
      const choice = chooseNode(pod, room);
      if (!choice.ok) this.refuse(pod, choice.message);
      else {
        this.bind(pod, choice.node);
        room = roomOf(view);
      }
    }
  }

  private bind(pod: Pod, node: KubeNode): void {
    const { store, view, events } = this.context;
    const { namespace, name } = splitKey(keyOfObject(pod));
    provision(store, view, this.random, pod, node);
    store.bind(namespace, name, node.metadata.name);
    events.normal(
      pod,
      'Scheduled',
      `Successfully assigned ${namespace}/${name} to ${node.metadata.name}`,
      this.name,
    );
  }

  private refuse(pod: Pod, message: string): void {
    const { store, events, scheduler } = this.context;
    const known = conditionOf(pod, 'PodScheduled');
    if (known?.status === 'False' && known.message === message) return;
    const condition = { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message };
    const change = (draft: KubeObject): void => {
      const status = (draft['status'] ?? {}) as Pod['status'];
      draft['status'] = {
        ...status,
        conditions: withCondition(status?.conditions, condition, scheduler.now()),
      };
    };
    store.modify('pods', pod.metadata.namespace, pod.metadata.name, change, {
      subresource: 'status',
      manager: 'kube-scheduler',
    });
    events.warning(pod, 'FailedScheduling', message, this.name);
  }
}

const sameRoom = (a: KubeNode, b: KubeNode): boolean =>
  JSON.stringify(a.status?.allocatable) === JSON.stringify(b.status?.allocatable);
