import { sha256Hex } from '#kernel';
import { minutes, seconds, type Duration } from '#kernel';
import { conditionOf } from './conditions.js';
import { queueFor, type Controller, type ControllerContext } from './controller.js';
import type { KubeNode, Pod } from './objects.js';
import { isFinished, isTerminating } from './pods.js';
import { OUT_OF_SERVICE } from './tolerations.js';
import {
  CSI_DRIVER,
  volumesOf,
  type Claim,
  type PersistentVolume,
  type VolumeAttachment,
} from './volumes.js';
import type { WorkQueue } from './work-queue.js';

const RESOURCE = 'volumeattachments.storage.k8s.io';

export interface AttachTimings {
  readonly attach: Duration;
  readonly detach: Duration;
  /** How long a volume stays with a node that does not answer, unless it is declared out of service. */
  readonly forceDetach: Duration;
}

/** Attaches a pod's volumes to its node, one node at a time, and detaches what nobody there uses any more. */
export class AttachDetachController implements Controller {
  readonly name = 'attachdetach-controller';
  private readonly queue: WorkQueue;
  /** Work in flight by attachment name; a volume is attached or detached once. */
  private readonly busy = new Set<string>();
  private closed = false;

  constructor(
    private readonly context: ControllerContext,
    private readonly timings: AttachTimings = {
      attach: seconds(5),
      detach: seconds(5),
      forceDetach: minutes(6),
    },
  ) {
    this.queue = queueFor(context, this.name, (volume) => this.reconcile(volume));
  }

  start(): void {
    const { view } = this.context;
    view.on<Pod>('pods', ({ object }) => {
      for (const volume of volumesOf(view, object)) this.queue.add(volume);
    });
    view.on<Claim>('persistentvolumeclaims', ({ object }) => {
      if (object.spec?.volumeName) this.queue.add(object.spec.volumeName);
    });
    view.on<VolumeAttachment>(RESOURCE, ({ object }) => {
      const volume = object.spec?.source.persistentVolumeName;
      if (volume) this.queue.add(volume);
    });
    view.on<KubeNode>('nodes', ({ object }) => {
      for (const attachment of this.all()) {
        if (attachment.spec?.nodeName === object.metadata.name)
          this.queue.add(attachment.spec.source.persistentVolumeName as string);
      }
    });
  }

  close(): void {
    this.closed = true;
    this.queue.close();
  }

  private all(): VolumeAttachment[] {
    return this.context.view.all<VolumeAttachment>(RESOURCE);
  }

  private reconcile(volume: string): void {
    const users = this.users(volume);
    const attachments = this.all().filter(
      (attachment) => attachment.spec?.source.persistentVolumeName === volume,
    );
    for (const attachment of attachments) {
      const node = attachment.spec?.nodeName as string;
      if (!users.has(node)) this.detach(attachment, this.context.view.node(node));
    }
    const next = [...users][0];
    if (next !== undefined && attachments.length === 0) this.attach(volume, next);
  }

  /** Nodes on which a pod uses the volume, those of living pods first. */
  private users(volume: string): Set<string> {
    const { view } = this.context;
    const claim = view
      .all<Claim>('persistentvolumeclaims')
      .find((candidate) => candidate.spec?.volumeName === volume);
    if (!claim) return new Set();
    const pods = view
      .inNamespace<Pod>('pods', claim.metadata.namespace as string)
      .filter((pod) => pod.spec?.nodeName && !isFinished(pod) && volumesOf(view, pod).includes(volume));
    pods.sort((a, b) => Number(isTerminating(a)) - Number(isTerminating(b)));
    return new Set(pods.map((pod) => pod.spec?.nodeName as string));
  }

  private attach(volume: string, node: string): void {
    const { store, view, scheduler } = this.context;
    if (!view.node(node)) return;
    const name = `csi-${sha256Hex(`${volume}${CSI_DRIVER}${node}`)}`;
    store.create(RESOURCE, {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'VolumeAttachment',
      metadata: { name },
      spec: { attacher: CSI_DRIVER, nodeName: node, source: { persistentVolumeName: volume } },
    });
    store.modify(RESOURCE, undefined, name, (draft) => void (draft['status'] = { attached: false }), {
      subresource: 'status',
    });
    scheduler.after(this.timings.attach, () => {
      if (this.closed) return;
      store.modify(RESOURCE, undefined, name, (draft) => void (draft['status'] = { attached: true }), {
        subresource: 'status',
      });
      this.report(node);
    });
  }

  private detach(attachment: VolumeAttachment, node: KubeNode | undefined): void {
    const { name } = attachment.metadata;
    const key = `${name}:${isForced(node)}`;
    if (this.busy.has(key)) return;
    this.busy.add(key);
    const delay = isForced(node) ? this.timings.detach : this.timings.forceDetach;
    this.context.scheduler.after(delay, () => {
      this.busy.delete(key);
      const volume = attachment.spec?.source.persistentVolumeName as string;
      const wanted = this.users(volume).has(attachment.spec?.nodeName as string);
      if (this.closed || wanted || !this.context.view.get(RESOURCE, undefined, name)) return;
      this.context.store.remove(RESOURCE, undefined, name, { uid: attachment.metadata.uid as string });
      this.report(attachment.spec?.nodeName as string);
      this.queue.add(volume);
    });
  }

  /** `node.status.volumesAttached`, as the kubelet and people read it. */
  private report(node: string): void {
    const { store, view } = this.context;
    const volumesAttached = this.all()
      .filter((attachment) => attachment.spec?.nodeName === node && attachment.status?.attached)
      .map((attachment) => {
        const volume = view.get<PersistentVolume>(
          'persistentvolumes',
          undefined,
          attachment.spec?.source.persistentVolumeName as string,
        );
        return {
          name: `kubernetes.io/csi/${CSI_DRIVER}^${volume?.spec?.csi?.volumeHandle ?? ''}`,
          devicePath: '',
        };
      });
    store.modify(
      'nodes',
      undefined,
      node,
      (draft) => void (draft['status'] = { ...(draft['status'] as object), volumesAttached }),
      { subresource: 'status' },
    );
  }
}

/** A node that answers, is gone, or is declared out of service gives its volumes up at once. */
function isForced(node: KubeNode | undefined): boolean {
  if (!node || node.spec?.taints?.some((taint) => taint.key === OUT_OF_SERVICE)) return true;
  return conditionOf(node, 'Ready')?.status !== 'Unknown';
}

/** May the pod's containers start on its node as far as its volumes go? */
export function volumesReady(view: ControllerContext['view'], pod: Pod): boolean {
  const volumes = volumesOf(view, pod);
  if (volumes.length === 0) return true;
  const attached = new Set(
    view
      .all<VolumeAttachment>(RESOURCE)
      .filter((attachment) => attachment.spec?.nodeName === pod.spec?.nodeName && attachment.status?.attached)
      .map((attachment) => attachment.spec?.source.persistentVolumeName),
  );
  return volumes.every((volume) => attached.has(volume));
}
