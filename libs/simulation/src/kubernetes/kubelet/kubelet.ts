import { clone } from '../api/object.js';
import type { Machine } from '../../aws/machine.js';
import type { Cancel } from '../../time/scheduler.js';
import { ApiError, type KubeObject, type ObjectInput } from '../api/store.js';
import { volumesReady } from '../controllers/attach-detach.controller.js';
import { keyOfObject } from '../controllers/cluster-view.js';
import type { Pod } from '../controllers/objects.js';
import { isFinished, isMirror, isTerminating } from '../controllers/pods.js';
import type { KubeletServices } from './kubelet-services.js';
import { isMaster, kubeletVersionOf } from './machine-node.js';
import { NodeRegistration } from './node-registration.js';
import { PodWorker, type PodHost } from './pod-worker.js';
import { controlPlanePods } from './static-pods.js';

export interface KubeletListener {
  /** This master's API server answers, or no longer does. */
  apiServer(kubelet: Kubelet, serving: boolean): void;
}

/** The agent of one machine: registers the node, runs what is bound to it, and falls silent when the machine does. */
export class Kubelet implements PodHost {
  readonly nodeName: string;
  readonly hostIp: string;
  readonly master: boolean;
  private readonly registration: NodeRegistration;
  private readonly workers = new Map<string, PodWorker>();
  private readonly images = new Set<string>();
  private readonly dirty = new Set<PodWorker>();
  private readonly timers = new Set<Cancel>();
  private nextIp = 0;
  private running = false;
  private nodeReady = false;
  private serving = false;

  constructor(
    readonly machine: Machine,
    readonly services: KubeletServices,
    private readonly listener: KubeletListener,
    /** Number of the node's pod network, unique in the cluster. */
    private readonly subnet: number,
  ) {
    this.nodeName = machine.privateDnsName;
    this.hostIp = machine.privateIp;
    this.master = isMaster(machine);
    this.registration = new NodeRegistration(machine, services);
  }

  get alive(): boolean {
    return this.running;
  }

  /** Ready, and on a master its API server too: what a load balancer's health check would find. */
  get healthy(): boolean {
    return this.running && this.nodeReady && (!this.master || this.serving);
  }

  get servesApi(): boolean {
    return this.running && this.serving;
  }

  /** The machine is up. Static pods need no API: that is how the first master brings one up before it registers. */
  start(): void {
    if (this.running) return;
    this.running = true;
    const { timings, api } = this.services;
    this.after(timings.register, () => {
      if (!this.master) return api.whenOpen(() => this.register());
      this.after(timings.startContainers + timings.readyAfter, () => {
        this.setServing(true);
        api.whenOpen(() => this.register());
      });
    });
  }

  /** The machine stops without a word: nothing runs any more, nothing is written any more. */
  die(): void {
    if (!this.running) return;
    this.running = false;
    this.nodeReady = false;
    for (const cancel of this.timers) cancel();
    this.timers.clear();
    for (const worker of this.workers.values()) worker.abandon();
    this.workers.clear();
    this.dirty.clear();
    this.services.heartbeats.silent(this.nodeName, this.services.clock.now());
    this.setServing(false);
  }

  /** A pod that names this node came, changed or went. */
  onPod(type: 'ADDED' | 'MODIFIED' | 'DELETED', pod: Pod): void {
    if (!this.running) return;
    if (isMirror(pod)) return this.onMirror(type, pod);
    const worker = this.workers.get(pod.metadata.uid as string);
    if (type === 'DELETED') return this.drop(worker);
    if (worker) return worker.update(pod);
    if (isFinished(pod)) return isTerminating(pod) ? this.confirm(pod) : undefined;
    if (isTerminating(pod)) return this.confirm(pod);
    const fresh = new PodWorker(pod, this);
    this.workers.set(fresh.uid, fresh);
    fresh.start();
  }

  /** An attachment changed: pods that wait for a volume look again. */
  pokeVolumes(): void {
    for (const worker of this.workers.values()) worker.poke();
  }

  nextPodIp(): string {
    return `10.${100 + (this.subnet >> 8)}.${this.subnet & 255}.${(this.nextIp++ % 250) + 2}`;
  }

  hasImage(image: string): boolean {
    return this.images.has(image);
  }

  keepImage(image: string): void {
    this.images.add(image);
  }

  volumesReady(pod: Pod): boolean {
    return volumesReady(this.services.view, pod);
  }

  publish(worker: PodWorker): void {
    if (this.dirty.has(worker)) return;
    this.dirty.add(worker);
    this.services.api.whenOpen(() => this.flush(worker));
  }

  stopped(worker: PodWorker): void {
    this.workers.delete(worker.uid);
    this.services.api.whenOpen(() => {
      if (this.running) this.confirm(worker.pod);
    });
  }

  private flush(worker: PodWorker): void {
    this.dirty.delete(worker);
    if (!this.running || !this.workers.has(worker.uid)) return;
    const { namespace, name, uid } = worker.pod.metadata;
    const { view, store } = this.services;
    if (view.get<Pod>('pods', namespace, name)?.metadata.uid !== uid) return;
    const change = (draft: KubeObject): void =>
      void (draft['status'] = worker.status(draft as unknown as Pod));
    store.modify('pods', namespace, name, change, { subresource: 'status', manager: 'kubelet' });
  }

  private confirm(pod: Pod): void {
    const { namespace, name, uid } = pod.metadata;
    this.services.store.finalizeDelete('pods', namespace, name, { uid: uid as string });
  }

  private drop(worker: PodWorker | undefined): void {
    if (!worker) return;
    worker.abandon();
    this.workers.delete(worker.uid);
  }

  private after(delay: number, fn: () => void): void {
    const cancel = this.services.scheduler.after(delay, () => {
      this.timers.delete(cancel);
      if (this.running) fn();
    });
    this.timers.add(cancel);
  }

  private setServing(serving: boolean): void {
    if (this.serving === serving) return;
    this.serving = serving;
    this.listener.apiServer(this, serving);
  }

  private register(): void {
    if (!this.running) return;
    const { view, heartbeats, clock, timings, api } = this.services;
    this.registration.register();
    heartbeats.alive(this.nodeName, clock.now());
    for (const pod of view.podsOn(this.nodeName)) this.onPod('ADDED', pod);
    this.after(timings.nodeReady, () => api.whenOpen(() => this.becomeReady()));
    this.renewLater();
  }

  private renewLater(): void {
    const { timings, api } = this.services;
    this.after(timings.leaseWrite, () =>
      api.whenOpen(() => {
        if (!this.running) return;
        this.registration.renewLease();
        this.renewLater();
      }),
    );
  }

  private becomeReady(): void {
    if (!this.running || this.nodeReady || !this.registration.setReady()) return;
    this.nodeReady = true;
    if (this.master) this.mirror();
  }

  /** Shows the static pods in the API, as often as somebody deletes their mirrors. */
  private mirror(): void {
    const { view } = this.services;
    const uid = this.registration.node?.metadata.uid;
    if (!uid || !this.running) return;
    for (const pod of controlPlanePods({
      name: this.nodeName,
      uid,
      version: kubeletVersionOf(this.machine),
    })) {
      const key = keyOfObject(pod);
      if (!view.byKey('pods', key) && !this.createMirror(pod)) continue;
      const known = view.byKey<Pod>('pods', key) as Pod;
      if (this.workers.has(known.metadata.uid as string)) continue;
      const worker = new PodWorker(known, this);
      this.workers.set(worker.uid, worker);
      worker.adopt();
    }
  }

  private createMirror(pod: Pod): boolean {
    try {
      this.services.store.create('pods', clone(pod) as unknown as ObjectInput, { manager: 'kubelet' });
      return true;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      return false;
    }
  }

  private onMirror(type: 'ADDED' | 'MODIFIED' | 'DELETED', pod: Pod): void {
    if (type === 'DELETED') {
      this.drop(this.workers.get(pod.metadata.uid as string));
      this.after(this.services.timings.startContainers, () =>
        this.services.api.whenOpen(() => this.mirror()),
      );
    } else if (isTerminating(pod)) this.confirm(pod);
  }
}
