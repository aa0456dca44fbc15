import type { LivingCluster } from '../../../libs/simulation/src/estate/living-cluster.js';
import type { Estate } from '../../../libs/simulation/src/estate/estate.js';
import { controllerOf } from '../../../libs/simulation/src/kubernetes/controllers/cluster-view.js';
import { isReady } from '../../../libs/simulation/src/kubernetes/controllers/pods.js';
import { conditionOf } from '../../../libs/simulation/src/kubernetes/controllers/conditions.js';
import type { KubeNode, Pod } from '../../../libs/simulation/src/kubernetes/controllers/objects.js';

/** How long Fairway took for one step of a roll, milliseconds, from the moment at which the world allowed it. */
export interface Transition {
  readonly what: 'evict' | 'terminate' | 'cordon';
  readonly node: string;
  readonly ms: number;
  /** What made a cordon possible. */
  readonly after?: string;
}

interface Away {
  readonly node: string;
  readonly instanceId: string;
  readonly cordoned: number;
  evicted?: number;
  lastGone?: number;
  terminated?: number;
}

/**
 * Sees a roll from outside: what Fairway does on the wire and what made it possible, both by the clock of this process.
 * `evict`: first eviction after the cordon. `terminate`: after the last pod of the node has gone. `cordon`: after the later
 * of: the machine before gone, its Node gone, a new node or a DaemonSet's pod Ready, a new machine found healthy by its
 * target group. The minimum
 * waits of the policy are part of the figures.
 */
export class RollWitness {
  readonly transitions: Transition[] = [];
  private readonly away = new Map<string, Away>();
  private allowed: { readonly at: number; readonly by: string } | undefined;
  private readonly ends: (() => void)[];

  constructor(estate: Estate, cluster: LivingCluster) {
    const { view, wire } = cluster;
    view.on<KubeNode>('nodes', (change) => this.onNode(change.type, change.object, change.old));
    view.on<Pod>('pods', ({ type, object, old }) => {
      if (type === 'DELETED') return this.podGone(object);
      const ofDaemonSet = controllerOf(object)?.kind === 'DaemonSet';
      if (ofDaemonSet && isReady(object) && !(old && isReady(old))) this.allow('DaemonSet pod ready');
    });
    this.ends = [
      wire.calls.subscribe((call) => {
        if (call.user !== 'fairway' || call.subresource !== 'eviction' || call.code >= 300) return;
        const node = view.get<Pod>('pods', call.namespace, call.name as string)?.spec?.nodeName;
        if (node !== undefined) this.evicted(node);
      }),
      estate.aws.calls.onCall(({ action, params }) => {
        if (/^TerminateInstance/.test(action)) this.terminating(JSON.stringify(params));
      }),
      estate.aws.onMachine({
        booted: () => undefined,
        terminating: () => undefined,
        terminated: () => this.allow('machine gone'),
      }),
      estate.aws.onCloudEvent(({ kind, detail }) => {
        if (kind === 'target-health' && detail === 'healthy') this.allow('target healthy');
      }),
    ];
  }

  close(): void {
    for (const end of this.ends) end();
  }

  private allow(by: string): void {
    this.allowed = { at: performance.now(), by };
  }

  private onNode(type: string, node: KubeNode, old: KubeNode | undefined): void {
    if (type === 'DELETED') return this.allow('node gone');
    const ready = (one: KubeNode | undefined): boolean =>
      one !== undefined && conditionOf(one, 'Ready')?.status === 'True';
    if (ready(node) && !ready(old)) this.allow('node ready');
    if (node.spec?.unschedulable === true && old?.spec?.unschedulable !== true) this.cordoned(node);
  }

  private cordoned(node: KubeNode): void {
    const { name } = node.metadata;
    const now = performance.now();
    if (this.allowed)
      this.transitions.push({
        what: 'cordon',
        node: name,
        ms: now - this.allowed.at,
        after: this.allowed.by,
      });
    this.allowed = undefined;
    const instanceId = node.spec?.providerID?.split('/').at(-1) ?? '';
    this.away.set(name, { node: name, instanceId, cordoned: now });
  }

  private evicted(node: string): void {
    const away = this.away.get(node);
    if (!away || away.evicted !== undefined) return;
    away.evicted = performance.now();
    this.transitions.push({ what: 'evict', node, ms: away.evicted - away.cordoned });
  }

  private podGone(pod: Pod): void {
    const away = this.away.get(pod.spec?.nodeName ?? '');
    if (away && away.terminated === undefined) away.lastGone = performance.now();
  }

  private terminating(params: string): void {
    const away = [...this.away.values()].find((one) => one.instanceId && params.includes(one.instanceId));
    if (!away || away.terminated !== undefined) return;
    away.terminated = performance.now();
    const since = away.lastGone ?? away.cordoned;
    this.transitions.push({ what: 'terminate', node: away.node, ms: away.terminated - since });
  }
}
