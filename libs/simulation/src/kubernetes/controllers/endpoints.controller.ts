import { seconds } from '#kernel';
import type { ObjectInput } from '../api/store.js';
import { clone, sameJson } from '../api/object.js';
import { keyOfObject, splitKey } from './cluster-view.js';
import { queueFor, type Controller, type ControllerContext } from './controller.js';
import type { Pod, StringMap, Thing } from './objects.js';
import { isFinished, isReady, isTerminating, ownedBy } from './pods.js';
import { selects } from './selector.js';
import type { WorkQueue } from './work-queue.js';

interface ServicePort {
  readonly name?: string;
  readonly port: number;
  readonly protocol?: string;
  readonly targetPort?: number | string;
}
type Service = Thing<{
  readonly selector?: StringMap;
  readonly ports?: readonly ServicePort[];
  readonly publishNotReadyAddresses?: boolean;
}>;

const SLICES = 'endpointslices.discovery.k8s.io';

/** Addresses of a Service's pods, as one EndpointSlice and the older Endpoints object. */
export class EndpointsController implements Controller {
  readonly name = 'endpointslice-controller';
  private readonly queue: WorkQueue;

  constructor(private readonly context: ControllerContext) {
    this.queue = queueFor(context, this.name, (key) => this.reconcile(key), seconds(1));
  }

  start(): void {
    const { view } = this.context;
    view.on<Service>('services', ({ object }) => this.queue.add(keyOfObject(object)));
    view.on<Pod>('pods', ({ object }) => {
      for (const service of view.inNamespace<Service>('services', object.metadata.namespace as string)) {
        const { selector } = service.spec ?? {};
        if (selector && selects({ matchLabels: selector }, object.metadata.labels))
          this.queue.add(keyOfObject(service));
      }
    });
    for (const service of view.all<Service>('services')) this.queue.add(keyOfObject(service));
  }

  close(): void {
    this.queue.close();
  }

  private reconcile(key: string): void {
    const { view } = this.context;
    const service = view.byKey<Service>('services', key);
    if (!service) return this.clear(key);
    const selector = service.spec?.selector;
    if (!selector || isTerminating(service)) return;
    const pods = view
      .inNamespace<Pod>('pods', service.metadata.namespace as string)
      .filter(
        (pod) =>
          pod.status?.podIP && !isFinished(pod) && selects({ matchLabels: selector }, pod.metadata.labels),
      )
      .sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
    this.put(SLICES, `${service.metadata.name}-slice`, service, this.slice(service, pods));
    this.put('endpoints', service.metadata.name, service, this.endpoints(service, pods));
  }

  private clear(key: string): void {
    const { namespace, name } = splitKey(key);
    const { store, view } = this.context;
    if (view.get('endpoints', namespace, name)) store.remove('endpoints', namespace, name);
    if (view.get(SLICES, namespace, `${name}-slice`)) store.remove(SLICES, namespace, `${name}-slice`);
  }

  private put(
    resource: string,
    name: string,
    service: Service,
    content: Readonly<Record<string, unknown>>,
  ): void {
    const { store, view } = this.context;
    const { namespace } = service.metadata;
    const known = view.get(resource, namespace, name) as unknown as Record<string, unknown> | undefined;
    if (known) {
      if (Object.entries(content).every(([field, value]) => sameJson(known[field], value))) return;
      store.modify(resource, namespace, name, (draft) => void Object.assign(draft, clone(content)));
      return;
    }
    const slice = resource === SLICES;
    const labels = {
      ...service.metadata.labels,
      ...(slice && {
        'kubernetes.io/service-name': service.metadata.name,
        'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
      }),
    };
    const object = {
      apiVersion: slice ? 'discovery.k8s.io/v1' : 'v1',
      kind: slice ? 'EndpointSlice' : 'Endpoints',
      metadata: { name, namespace, labels, ...(slice && { ownerReferences: [ownedBy(service)] }) },
      ...content,
    };
    store.create(resource, clone(object) as unknown as ObjectInput);
  }

  private slice(service: Service, pods: readonly Pod[]): Readonly<Record<string, unknown>> {
    const all = service.spec?.publishNotReadyAddresses === true;
    return {
      addressType: 'IPv4',
      endpoints: pods.map((pod) => ({
        addresses: [pod.status?.podIP],
        conditions: {
          ready: all || (isReady(pod) && !isTerminating(pod)),
          serving: isReady(pod),
          terminating: isTerminating(pod),
        },
        nodeName: pod.spec?.nodeName,
        ...this.zoneOf(pod),
        targetRef: targetOf(pod),
      })),
      ports: portsOf(service, pods[0]),
    };
  }

  private zoneOf(pod: Pod): { readonly zone?: string } {
    const zone = this.context.view.node(pod.spec?.nodeName ?? '')?.metadata.labels?.[
      'topology.kubernetes.io/zone'
    ];
    return zone ? { zone } : {};
  }

  private endpoints(service: Service, pods: readonly Pod[]): Readonly<Record<string, unknown>> {
    const address = (pod: Pod) => ({
      ip: pod.status?.podIP,
      nodeName: pod.spec?.nodeName,
      targetRef: targetOf(pod),
    });
    const ready = pods.filter((pod) => isReady(pod) && !isTerminating(pod)).map(address);
    const unready = pods.filter((pod) => !isReady(pod) && !isTerminating(pod)).map(address);
    if (ready.length + unready.length === 0) return { subsets: [] };
    const addresses = {
      ...(ready.length > 0 && { addresses: ready }),
      ...(unready.length > 0 && { notReadyAddresses: unready }),
    };
    return { subsets: [{ ...addresses, ports: portsOf(service, pods[0]) }] };
  }
}

const targetOf = (pod: Pod) => ({
  kind: 'Pod',
  namespace: pod.metadata.namespace,
  name: pod.metadata.name,
  uid: pod.metadata.uid,
});

function portsOf(service: Service, pod: Pod | undefined) {
  return (service.spec?.ports ?? []).map((port) => ({
    ...(port.name && { name: port.name }),
    port: portNumber(port, pod),
    protocol: port.protocol ?? 'TCP',
  }));
}

/** A named target port is looked up among the pod's container ports. */
function portNumber(port: ServicePort, pod: Pod | undefined): number {
  if (typeof port.targetPort !== 'string') return port.targetPort ?? port.port;
  const named = pod?.spec?.containers
    .flatMap((container) => container.ports ?? [])
    .find((known) => known.name === port.targetPort);
  return named?.containerPort ?? port.port;
}
