import { seconds, type Duration } from '#kernel';
import type { Machine } from '../../aws/machine.js';
import { conditionOf } from '../controllers/conditions.js';
import type { KubeNode, Pod } from '../controllers/objects.js';
import type { VolumeAttachment } from '../controllers/volumes.js';
import { Kubelet, type KubeletListener } from './kubelet.js';
import type { KubeletServices } from './kubelet-services.js';
import { kubeletVersionOf } from './machine-node.js';

/** All kubelets of a cluster, and the cloud controller that removes the nodes of machines that are no more. */
export class NodeFleet implements KubeletListener {
  private readonly byInstance = new Map<string, Kubelet>();
  private readonly byNode = new Map<string, Kubelet>();
  private readonly goneMachines = new Map<string, Machine>();
  private readonly apiServers = new Set<string>();
  private nextSubnet = 0;

  constructor(
    private readonly services: KubeletServices,
    private readonly onApiServers: (serving: readonly string[]) => void,
    /** Machine gone and node not ready until the Node object is deleted. */
    private readonly forgetAfter: Duration = seconds(5),
  ) {
    const { view } = services;
    view.on<Pod>('pods', ({ type, object, old }) => {
      const node = object.spec?.nodeName;
      if (!node) return;
      const seen = type === 'MODIFIED' && !old?.spec?.nodeName ? 'ADDED' : type;
      this.byNode.get(node)?.onPod(seen, object);
    });
    view.on<VolumeAttachment>('volumeattachments.storage.k8s.io', ({ object }) => {
      this.byNode.get(object.spec?.nodeName ?? '')?.pokeVolumes();
    });
    view.on<KubeNode>('nodes', ({ type, object }) => {
      if (type === 'DELETED') this.services.heartbeats.forget(object.metadata.name);
      else this.forgetIfGone(object);
    });
  }

  /** Names of the masters whose API server answers. */
  get serving(): readonly string[] {
    return [...this.apiServers];
  }

  /** Versions of the API servers that answer, one a master. */
  get apiVersions(): readonly string[] {
    return this.kubelets
      .filter((kubelet) => kubelet.servesApi)
      .map((kubelet) => kubeletVersionOf(kubelet.machine));
  }

  get kubelets(): readonly Kubelet[] {
    return [...this.byInstance.values()];
  }

  find(instanceId: string): Kubelet | undefined {
    return this.byInstance.get(instanceId);
  }

  booted(machine: Machine): void {
    const known = this.byInstance.get(machine.instanceId);
    const kubelet = known ?? new Kubelet(machine, this.services, this, this.nextSubnet++);
    this.goneMachines.delete(machine.privateDnsName);
    this.byInstance.set(machine.instanceId, kubelet);
    this.byNode.set(kubelet.nodeName, kubelet);
    kubelet.start();
  }

  /** Power off: the node is silent, the Node object stays until somebody finds out. */
  silenced(machine: Machine): void {
    this.byInstance.get(machine.instanceId)?.die();
  }

  terminated(machine: Machine): void {
    const kubelet = this.byInstance.get(machine.instanceId);
    kubelet?.die();
    this.byInstance.delete(machine.instanceId);
    if (this.byNode.get(machine.privateDnsName) === kubelet) this.byNode.delete(machine.privateDnsName);
    this.goneMachines.set(machine.privateDnsName, machine);
    const node = this.services.view.node(machine.privateDnsName);
    if (node) this.forgetIfGone(node);
  }

  close(): void {
    for (const kubelet of this.byInstance.values()) kubelet.die();
    this.byInstance.clear();
    this.byNode.clear();
  }

  apiServer(kubelet: Kubelet, serving: boolean): void {
    if (serving) this.apiServers.add(kubelet.nodeName);
    else this.apiServers.delete(kubelet.nodeName);
    this.onApiServers(this.serving);
  }

  /** The cloud controller asks about nodes that are not Ready only, so a dead machine is found when its silence is. */
  private forgetIfGone(node: KubeNode): void {
    const { name } = node.metadata;
    const machine = this.goneMachines.get(name);
    if (!machine || conditionOf(node, 'Ready')?.status === 'True') return;
    if (node.spec?.providerID !== `aws:///${machine.zone}/${machine.instanceId}`) return;
    this.goneMachines.delete(name);
    this.services.scheduler.after(this.forgetAfter, () =>
      this.services.api.whenOpen(() => this.forget(name, node)),
    );
  }

  private forget(name: string, node: KubeNode): void {
    const { view, store, events } = this.services;
    if (view.node(name)?.metadata.uid !== node.metadata.uid) return;
    const text = `Deleting node ${name} because it does not exist in the cloud provider`;
    events.normal(node, 'DeletingNode', text, 'cloud-node-lifecycle-controller');
    store.remove('nodes', undefined, name, { uid: node.metadata.uid as string });
  }
}
