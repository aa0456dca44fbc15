import { minutes, seconds, type Duration } from '#kernel';
import { conditionOf } from '../kubernetes/controllers/conditions.js';
import { queueFor, type Controller, type ControllerContext } from '../kubernetes/controllers/controller.js';
import type { KubeNode, Pod } from '../kubernetes/controllers/objects.js';
import { controllerOf } from '../kubernetes/controllers/cluster-view.js';
import { isMirror } from '../kubernetes/controllers/pods.js';
import type { WorkQueue } from '../kubernetes/controllers/work-queue.js';

/** What the autoscaler may do to a node group. */
export interface ScalableGroup {
  readonly name: string;
  readonly desired: number;
  readonly min: number;
  readonly max: number;
  setDesired(desired: number): void;
  /** Does the node with this provider id belong to the group? */
  owns(providerId: string): boolean;
  /** Terminates the instance behind this node and lowers the desired capacity. */
  removeNode(providerId: string): void;
}

export interface AutoscalerOptions {
  readonly groups: () => readonly ScalableGroup[];
  readonly scaleDown: boolean;
  readonly scanInterval: Duration;
  readonly idleFor: Duration;
}

/** Adds a node where pods fit nowhere, and removes nodes that have been idle, as cluster-autoscaler does in outline. */
export class ClusterAutoscaler implements Controller {
  readonly name = 'cluster-autoscaler';
  private readonly queue: WorkQueue;
  private readonly idleSince = new Map<string, number>();
  private readonly options: AutoscalerOptions;
  private busyUntil = 0;

  constructor(
    private readonly context: ControllerContext,
    options: Pick<AutoscalerOptions, 'groups'> & Partial<AutoscalerOptions>,
  ) {
    this.options = { scaleDown: true, scanInterval: seconds(10), idleFor: minutes(10), ...options };
    this.queue = queueFor(context, this.name, () => this.scan(), seconds(10));
  }

  start(): void {
    const { view } = this.context;
    view.on<Pod>('pods', () => this.queue.add('scan'));
    view.on<KubeNode>('nodes', () => this.queue.add('scan'));
  }

  close(): void {
    this.queue.close();
  }

  private scan(): void {
    const now = this.context.clock.now();
    const stuck = this.context.view
      .all<Pod>('pods')
      .filter((pod) => conditionOf(pod, 'PodScheduled')?.reason === 'Unschedulable' && !pod.spec?.nodeName);
    if (stuck.length > 0) this.grow(stuck, now);
    else if (this.options.scaleDown) this.shrink(now);
  }

  private grow(stuck: readonly Pod[], now: number): void {
    if (now < this.busyUntil) return this.queue.add('scan', this.busyUntil - now);
    const group = this.options.groups().find((candidate) => candidate.desired < candidate.max);
    if (!group) return;
    this.busyUntil = now + minutes(3);
    const step = `${group.name} ${group.desired}->${group.desired + 1} (max: ${group.max})`;
    group.setDesired(group.desired + 1);
    for (const pod of stuck.slice(0, 1)) {
      this.context.events.normal(pod, 'TriggeredScaleUp', `pod triggered scale-up: [{${step}}]`, this.name);
    }
  }

  private shrink(now: number): void {
    const { view } = this.context;
    let next = Number.POSITIVE_INFINITY;
    for (const node of view.nodes()) {
      const { name, annotations } = node.metadata;
      const held = annotations?.['cluster-autoscaler.kubernetes.io/scale-down-disabled'] === 'true';
      if (held || !isIdle(view.podsOn(name))) {
        this.idleSince.delete(name);
        continue;
      }
      const since = this.idleSince.get(name) ?? now;
      this.idleSince.set(name, since);
      const wait = since + this.options.idleFor - now;
      if (wait > 0) next = Math.min(next, wait);
      else if (this.remove(node)) break;
    }
    if (next !== Number.POSITIVE_INFINITY) this.queue.add('scan', next);
  }

  private remove(node: KubeNode): boolean {
    const providerId = node.spec?.providerID ?? '';
    const group = this.options.groups().find((candidate) => candidate.owns(providerId));
    if (!group || group.desired <= group.min) return false;
    this.idleSince.delete(node.metadata.name);
    group.removeNode(providerId);
    return true;
  }
}

const isIdle = (pods: readonly Pod[]): boolean =>
  pods.every((pod) => isMirror(pod) || controllerOf(pod)?.kind === 'DaemonSet');
