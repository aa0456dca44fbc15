import type { Estate, LivingCluster } from '#simulation';
import type { KubeNode } from '../../../libs/simulation/src/kubernetes/controllers/objects.js';

/** What happened to nodes, and who asked for it, in one order. */
export interface TraceEntry {
  readonly what:
    | 'cordon'
    | 'uncordon'
    | 'not-ready'
    | 'marked'
    | 'unmarked'
    | 'out-of-service'
    | 'node-gone'
    | 'evict'
    | 'delete-pod'
    | 'terminate'
    | 'preflight'
    | 'launched';
  /** Name of the node or `namespace/name` of the pod; id of the instance; account. */
  readonly on: string;
  /** Milliseconds since 1970. */
  readonly at: number;
}

const OUT_OF_SERVICE = 'node.kubernetes.io/out-of-service';

/** The calls of both worlds and the changes of nodes as their own records tell them. */
export class RollTrace {
  readonly entries: TraceEntry[] = [];
  private readonly stops: (() => void)[];

  constructor(estate: Estate, cluster: LivingCluster) {
    cluster.view.on<KubeNode>('nodes', ({ type, object, old }) => {
      if (type === 'DELETED') this.add('node-gone', object.metadata.name);
      else if (old) this.changed(old, object);
    });
    this.stops = [
      cluster.wire.calls.subscribe(({ user, verb, resource, subresource, namespace, name, code }) => {
        if (user !== 'fairway' || resource !== 'pods') return;
        const ok = code >= 200 && code < 300;
        if (subresource === 'eviction' && ok) this.add('evict', `${namespace}/${name}`);
        if (verb === 'delete' && subresource === undefined) this.add('delete-pod', `${namespace}/${name}`);
      }),
      estate.aws.calls.onCall(({ action, outcome, params, account }) => {
        if (outcome !== 'ok') return;
        if (action === 'TerminateInstanceInAutoScalingGroup')
          this.add('terminate', String(params['InstanceId']));
        if (action === 'GetCallerIdentity') this.add('preflight', account);
      }),
      estate.aws.onCloudEvent(({ kind, subject }) => {
        if (kind === 'instance-launched') this.add('launched', subject);
      }),
    ];
  }

  close(): void {
    for (const stop of this.stops) stop();
  }

  get length(): number {
    return this.entries.length;
  }

  since(index: number, what?: TraceEntry['what']): readonly TraceEntry[] {
    return this.entries.slice(index).filter((entry) => what === undefined || entry.what === what);
  }

  /** Place of the first such entry; -1 where there is none. */
  at(what: TraceEntry['what'], on: string): number {
    return this.entries.findIndex((entry) => entry.what === what && entry.on === on);
  }

  private add(what: TraceEntry['what'], on: string): void {
    this.entries.push({ what, on, at: Date.now() });
  }

  private changed(before: KubeNode, after: KubeNode): void {
    const { name } = after.metadata;
    const turned = (holds: (node: KubeNode) => boolean): boolean | undefined =>
      holds(before) === holds(after) ? undefined : holds(after);
    const cordoned = turned(({ spec }) => spec?.unschedulable === true);
    if (cordoned !== undefined) this.add(cordoned ? 'cordon' : 'uncordon', name);
    if (turned(isUp) === false) this.add('not-ready', name);
    const marked = turned(isMarked);
    if (marked !== undefined) this.add(marked ? 'marked' : 'unmarked', name);
    const off = turned(({ spec }) => (spec?.taints ?? []).some(({ key }) => key === OUT_OF_SERVICE));
    if (off === true) this.add('out-of-service', name);
  }
}

const isUp = ({ status }: KubeNode): boolean =>
  status?.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True') ?? false;

/** Carries anything of Fairway's own. */
export const isMarked = (node: KubeNode): boolean =>
  JSON.stringify([node.metadata.annotations, node.metadata.labels, node.spec?.taints]).includes(
    'fairway.dev/',
  );
