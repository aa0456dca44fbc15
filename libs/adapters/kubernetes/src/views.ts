import type { NodeView, PdbView, PodView, Taint } from '#fleet';
import { bytes, cpuMillis } from './quantity.js';
import { isRecord } from './status.js';

type Json = Readonly<Record<string, unknown>>;

const record = (value: unknown): Json => (isRecord(value) ? value : {});
const list = (value: unknown): readonly Json[] => (Array.isArray(value) ? value.filter(isRecord) : []);
const string = (value: unknown): string => (typeof value === 'string' ? value : '');
const number = (value: unknown): number => (typeof value === 'number' ? value : 0);
const strings = (value: unknown): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(record(value)).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );

/** `v1.Node` as decisions see it. */
export function nodeView(node: Json): NodeView {
  const metadata = record(node['metadata']);
  const spec = record(node['spec']);
  const status = record(node['status']);
  const ready = list(status['conditions']).find((condition) => condition['type'] === 'Ready');
  const labels = strings(metadata['labels']);
  const zone = labels['topology.kubernetes.io/zone'] ?? labels['failure-domain.beta.kubernetes.io/zone'];
  const instanceId = /^aws:\/\/\/[^/]*\/(i-[0-9a-z]+)$/.exec(string(spec['providerID']))?.[1];
  const allocatable = record(status['allocatable'] ?? status['capacity']);
  return {
    name: string(metadata['name']),
    uid: string(metadata['uid']),
    createdAt: string(metadata['creationTimestamp']),
    ready: ready?.['status'] === 'True',
    unschedulable: spec['unschedulable'] === true,
    kubeletVersion: string(record(status['nodeInfo'])['kubeletVersion']),
    labels,
    annotations: strings(metadata['annotations']),
    taints: taintsOf(spec),
    allocatable: {
      cpuMillis: cpuMillis(allocatable['cpu']),
      memoryBytes: bytes(allocatable['memory']),
      pods: bytes(allocatable['pods']),
    },
    ...(instanceId !== undefined && { instanceId }),
    ...(typeof ready?.['lastTransitionTime'] === 'string' && { readySince: ready['lastTransitionTime'] }),
    ...(zone !== undefined && { zone }),
  };
}

export const taintsOf = (spec: Json): readonly Taint[] =>
  list(spec['taints']).map((taint) => ({
    key: string(taint['key']),
    effect: string(taint['effect']) as Taint['effect'],
    ...(typeof taint['value'] === 'string' && { value: taint['value'] }),
  }));

/** `v1.Pod` as decisions see it. */
export function podView(pod: Json): PodView {
  const metadata = record(pod['metadata']);
  const spec = record(pod['spec']);
  const status = record(pod['status']);
  const annotations = strings(metadata['annotations']);
  const owner = list(metadata['ownerReferences']).find((reference) => reference['controller'] === true);
  const volumes = list(spec['volumes']);
  const waiting = waitingReason(status);
  return {
    namespace: string(metadata['namespace']),
    name: string(metadata['name']),
    uid: string(metadata['uid']),
    phase: string(status['phase']) || 'Pending',
    ready: list(status['conditions']).some((one) => one['type'] === 'Ready' && one['status'] === 'True'),
    ...(waiting !== undefined && { waitingReason: waiting }),
    createdAt: string(metadata['creationTimestamp']),
    // The API server's default.
    terminationGracePeriodSeconds:
      typeof spec['terminationGracePeriodSeconds'] === 'number' ? spec['terminationGracePeriodSeconds'] : 30,
    labels: strings(metadata['labels']),
    annotations,
    mirror: 'kubernetes.io/config.mirror' in annotations,
    priority: number(spec['priority']),
    tolerations: list(spec['tolerations']),
    nodeSelector: strings(spec['nodeSelector']),
    requests: requestsOf(spec),
    usesEmptyDir: volumes.some((volume) => isRecord(volume['emptyDir'])),
    persistentVolumeClaims: claimsOf(volumes, string(metadata['name'])),
    ...(typeof spec['nodeName'] === 'string' && { nodeName: spec['nodeName'] }),
    ...(typeof metadata['deletionTimestamp'] === 'string' && {
      deletionTimestamp: metadata['deletionTimestamp'],
    }),
    ...(owner && {
      owner: { kind: string(owner['kind']), name: string(owner['name']), uid: string(owner['uid']) },
    }),
    ...(spec['affinity'] !== undefined && { affinity: spec['affinity'] }),
    ...(Array.isArray(spec['topologySpreadConstraints']) && {
      topologySpreadConstraints: spec['topologySpreadConstraints'],
    }),
  };
}

/** Why the first waiting container waits, e.g. `ImagePullBackOff`. */
const waitingReason = (status: Json): string | undefined =>
  [...list(status['initContainerStatuses']), ...list(status['containerStatuses'])]
    .map((container) => record(record(container['state'])['waiting'])['reason'])
    .find((reason) => typeof reason === 'string');

/** Claims by name; a generic ephemeral volume is a claim `<pod>-<volume>`. */
const claimsOf = (volumes: readonly Json[], podName: string): readonly string[] =>
  volumes.flatMap((volume) => {
    const claim = record(volume['persistentVolumeClaim'])['claimName'];
    if (typeof claim === 'string') return [claim];
    return isRecord(volume['ephemeral']) ? [`${podName}-${string(volume['name'])}`] : [];
  });

/**
 * What the scheduler counts for a pod: the sum of containers and sidecars, or the largest moment of initialisation if
 * that is more, plus overhead. Pod-level requests rule where they are set.
 * Source: k8s.io/component-helpers/resource, PodRequests.
 */
function requestsOf(spec: Json): { cpuMillis: number; memoryBytes: number } {
  const of = (container: Json): Amount => amount(record(record(container['resources'])['requests']));
  let running = list(spec['containers']).map(of).reduce(add, NOTHING);
  let sidecars = NOTHING;
  let peak = NOTHING;
  for (const container of list(spec['initContainers'])) {
    if (container['restartPolicy'] === 'Always') {
      sidecars = add(sidecars, of(container));
      peak = most(peak, sidecars);
    } else {
      peak = most(peak, add(sidecars, of(container)));
    }
  }
  running = most(add(running, sidecars), peak);
  const whole = record(record(spec['resources'])['requests']);
  const counted = {
    cpuMillis: whole['cpu'] === undefined ? running.cpuMillis : cpuMillis(whole['cpu']),
    memoryBytes: whole['memory'] === undefined ? running.memoryBytes : bytes(whole['memory']),
  };
  return add(counted, amount(record(spec['overhead'])));
}

interface Amount {
  readonly cpuMillis: number;
  readonly memoryBytes: number;
}

const NOTHING: Amount = { cpuMillis: 0, memoryBytes: 0 };
const amount = (resources: Json): Amount => ({
  cpuMillis: cpuMillis(resources['cpu']),
  memoryBytes: bytes(resources['memory']),
});
const add = (a: Amount, b: Amount): Amount => ({
  cpuMillis: a.cpuMillis + b.cpuMillis,
  memoryBytes: a.memoryBytes + b.memoryBytes,
});
const most = (a: Amount, b: Amount): Amount => ({
  cpuMillis: Math.max(a.cpuMillis, b.cpuMillis),
  memoryBytes: Math.max(a.memoryBytes, b.memoryBytes),
});

/** `policy/v1 PodDisruptionBudget` as decisions see it. */
export function pdbView(pdb: Json): PdbView {
  const metadata = record(pdb['metadata']);
  const status = record(pdb['status']);
  return {
    namespace: string(metadata['namespace']),
    name: string(metadata['name']),
    selector: record(pdb['spec'])['selector'],
    generation: number(metadata['generation']),
    observedGeneration: number(status['observedGeneration']),
    expectedPods: number(status['expectedPods']),
    currentHealthy: number(status['currentHealthy']),
    desiredHealthy: number(status['desiredHealthy']),
    disruptionsAllowed: number(status['disruptionsAllowed']),
    disruptedPods: Object.keys(record(status['disruptedPods'])).length,
    annotations: strings(metadata['annotations']),
    labels: strings(metadata['labels']),
  };
}
