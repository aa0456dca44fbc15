import { clone } from '../api/object.js';
import type { Instant } from '#kernel';
import type { Machine } from '../../aws/machine.js';
import type { KubeObject, ObjectInput } from '../api/store.js';
import { timestamp } from '../controllers/conditions.js';
import type { KubeNode } from '../controllers/objects.js';
import { NOT_READY } from '../controllers/tolerations.js';
import { CSI_DRIVER } from '../controllers/volumes.js';
import type { KubeletServices } from './kubelet-services.js';
import { labelsOf, nodeInfoOf, resourcesOf, taintsOf } from './machine-node.js';

const KUBELET = { subresource: 'status', manager: 'kubelet' } as const;
const LEASES = 'leases.coordination.k8s.io';

/** What a kubelet writes about its node: the Node object, its status, its lease. */
export class NodeRegistration {
  constructor(
    private readonly machine: Machine,
    private readonly services: KubeletServices,
  ) {}

  get node(): KubeNode | undefined {
    return this.services.view.node(this.machine.privateDnsName);
  }

  /** Makes the Node, or takes over the one that a restart left. */
  register(): void {
    const { store, events } = this.services;
    const { privateDnsName: name, zone, instanceId } = this.machine;
    if (!this.node) {
      const annotations = {
        'node.alpha.kubernetes.io/ttl': '0',
        'volumes.kubernetes.io/controller-managed-attach-detach': 'true',
      };
      const taints = [...taintsOf(this.machine), { key: NOT_READY, effect: 'NoSchedule' }];
      const object = {
        apiVersion: 'v1',
        kind: 'Node',
        metadata: { name, labels: labelsOf(this.machine), annotations },
        spec: { providerID: `aws:///${zone}/${instanceId}`, taints },
      };
      store.create('nodes', clone(object) as unknown as ObjectInput, { manager: 'kubelet' });
    }
    store.modify('nodes', undefined, name, (draft) => this.describe(draft), KUBELET);
    if (this.node) events.normal(this.node, 'Starting', 'Starting kubelet.', 'kubelet');
    this.renewLease();
  }

  /** False where the Node object is gone. */
  setReady(): boolean {
    const { store, scheduler, events } = this.services;
    const { privateDnsName: name } = this.machine;
    const conditions = nodeConditions(true, scheduler.now());
    const change = (draft: KubeObject): void => {
      draft['status'] = { ...(draft['status'] as object), conditions };
    };
    if (!store.modify('nodes', undefined, name, change, KUBELET)) return false;
    this.announceDriver();
    events.normal(this.node as KubeNode, 'NodeReady', `Node ${name} status is now: NodeReady`, 'kubelet');
    return true;
  }

  /** The volume driver is part of the node image; its CSINode goes with the Node. */
  private announceDriver(): void {
    const { store, view } = this.services;
    const { privateDnsName: name, instanceId } = this.machine;
    const uid = this.node?.metadata.uid;
    if (!uid || view.get('csinodes.storage.k8s.io', undefined, name)) return;
    const drivers = [
      {
        name: CSI_DRIVER,
        nodeID: instanceId,
        topologyKeys: ['topology.ebs.csi.aws.com/zone'],
        allocatable: { count: 25 },
      },
    ];
    const metadata = { name, ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name, uid }] };
    store.create(
      'csinodes.storage.k8s.io',
      { apiVersion: 'storage.k8s.io/v1', kind: 'CSINode', metadata, spec: { drivers } },
      { manager: 'kubelet' },
    );
  }

  renewLease(): void {
    const { store, view, scheduler } = this.services;
    const { privateDnsName: name } = this.machine;
    const spec = { holderIdentity: name, leaseDurationSeconds: 40, renewTime: microTime(scheduler.now()) };
    const uid = this.node?.metadata.uid;
    if (view.get(LEASES, 'kube-node-lease', name)) {
      store.modify(LEASES, 'kube-node-lease', name, (draft) => void (draft['spec'] = spec), {
        manager: 'kubelet',
      });
    } else if (uid && view.get('namespaces', undefined, 'kube-node-lease')) {
      const ownerReferences = [{ apiVersion: 'v1', kind: 'Node', name, uid }];
      const metadata = { name, namespace: 'kube-node-lease', ownerReferences };
      store.create(
        LEASES,
        { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata, spec },
        { manager: 'kubelet' },
      );
    }
  }

  private describe(draft: KubeObject): void {
    const { privateDnsName, privateIp } = this.machine;
    draft['status'] = {
      ...(draft['status'] as object),
      ...resourcesOf(this.machine),
      addresses: [
        { type: 'InternalIP', address: privateIp },
        { type: 'InternalDNS', address: privateDnsName },
        { type: 'Hostname', address: privateDnsName },
      ],
      nodeInfo: nodeInfoOf(this.machine),
      conditions: nodeConditions(false, this.services.scheduler.now()),
      daemonEndpoints: { kubeletEndpoint: { Port: 10250 } },
    };
  }
}

/** `metav1.MicroTime`. */
const microTime = (instant: Instant): string => new Date(instant).toISOString().replace(/Z$/, '000Z');

const NO_NETWORK =
  'container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady ' +
  'message:Network plugin returns error: cni plugin not initialized';

function nodeConditions(ready: boolean, now: Instant) {
  const at = { lastHeartbeatTime: timestamp(now), lastTransitionTime: timestamp(now) };
  const fine = (type: string, reason: string, message: string) => ({
    type,
    status: 'False',
    reason,
    message,
    ...at,
  });
  return [
    fine('MemoryPressure', 'KubeletHasSufficientMemory', 'kubelet has sufficient memory available'),
    fine('DiskPressure', 'KubeletHasNoDiskPressure', 'kubelet has no disk pressure'),
    fine('PIDPressure', 'KubeletHasSufficientPID', 'kubelet has sufficient PID available'),
    ready
      ? {
          type: 'Ready',
          status: 'True',
          reason: 'KubeletReady',
          message: 'kubelet is posting ready status',
          ...at,
        }
      : { type: 'Ready', status: 'False', reason: 'KubeletNotReady', message: NO_NETWORK, ...at },
  ];
}
