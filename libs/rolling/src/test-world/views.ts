import type { NodeGroupView, NodeView, PdbView, PodView } from '#fleet';
import { toIso as isoOf } from '#kernel';
import type { SimGroup, SimInstance, SimPod, WorkloadSpec } from './world-types.js';
import type { RollWorld } from './world.js';

const stamps = new Map<number, string>();

/** The same few moments are asked for in every pass. */
function toIso(at: number): string {
  const known = stamps.get(at);
  if (known !== undefined) return known;
  if (stamps.size > 10_000) stamps.clear();
  const text = isoOf(at);
  stamps.set(at, text);
  return text;
}

export function nodeGroupView(group: SimGroup): NodeGroupView {
  return {
    pool: group.pool,
    groupName: group.name,
    minSize: group.min,
    maxSize: group.max,
    desiredCapacity: group.desired,
    zones: group.zones ?? ['a', 'b', 'c'],
    suspendedProcesses: group.suspended,
    launchTemplate: { name: `lt-${group.name}`, version: group.version },
    instanceTypes: group.instanceTypes ?? ['m5.large'],
    targetGroupArns: group.targetGroups ?? [],
    tags: group.tags,
    recentFailures: [],
    instances: group.instances.map((instance) => ({
      instanceId: instance.id,
      zone: instance.zone,
      instanceType: 'm5.large',
      market: 'on-demand',
      launchTemplate: { name: `lt-${group.name}`, version: instance.version },
      lifecycleState: instance.lifecycle,
      healthStatus: 'Healthy',
      protectedFromScaleIn: instance.protected,
      ec2State:
        instance.lifecycle === 'Terminating' ? 'shutting-down' : instance.stopped ? 'stopped' : 'running',
      launchedAt: toIso(instance.launchedAt),
      targetHealth: instance.targets,
    })),
  };
}

export function nodeView(instance: SimInstance): readonly NodeView[] {
  const { node } = instance;
  if (!node) return [];
  return [
    {
      name: node.name,
      uid: node.uid,
      instanceId: instance.id,
      createdAt: toIso(node.createdAt),
      ready: node.ready && instance.lifecycle !== 'Terminating',
      readySince: toIso(node.readySince),
      unschedulable: node.unschedulable,
      kubeletVersion: 'v1.36.0',
      zone: instance.zone,
      labels: node.labels,
      annotations: node.annotations,
      taints: node.taints,
      allocatable: { cpuMillis: 4000, memoryBytes: 16e9, pods: 110 },
    },
  ];
}

const podViews = new WeakMap<SimPod, { readonly of: string; readonly view: PodView }>();

/** The one from before where the pod is as it was. */
export function podView(world: RollWorld, pod: SimPod): PodView {
  const failing = pod.daemon && !pod.ready && world.spec.pullsFail?.() === true;
  const of = `${pod.node ?? ''} ${pod.ready} ${pod.deletedAt ?? ''} ${failing}`;
  const known = podViews.get(pod);
  if (known?.of === of) return known.view;
  const view = freshPodView(world, pod, failing);
  podViews.set(pod, { of, view });
  return view;
}

function freshPodView(world: RollWorld, pod: SimPod, failing: boolean): PodView {
  const workload = world.workloads.find((candidate) => candidate.name === pod.workload);
  const kind = pod.daemon ? 'DaemonSet' : (workload?.kind ?? 'ReplicaSet');
  const grace = workload?.graceMs ?? 10_000;
  return {
    namespace: 'apps',
    name: pod.name,
    uid: pod.uid,
    ...(pod.node !== undefined && { nodeName: pod.node }),
    phase: pod.node === undefined ? 'Pending' : 'Running',
    ready: pod.ready,
    ...(failing && { waitingReason: 'ErrImagePull' }),
    createdAt: toIso(pod.createdAt),
    ...(pod.deletedAt !== undefined && { deletionTimestamp: toIso(pod.deletedAt + grace) }),
    terminationGracePeriodSeconds: grace / 1000,
    labels: { app: pod.workload },
    annotations: workload?.annotations ?? {},
    owner: { kind, name: pod.workload, uid: `owner-${pod.workload}` },
    mirror: false,
    priority: workload?.priority ?? 0,
    tolerations: pod.daemon ? [{ operator: 'Exists' }] : [],
    nodeSelector: {},
    requests: { cpuMillis: 100, memoryBytes: 1e8 },
    usesEmptyDir: false,
    persistentVolumeClaims: workload?.volumes ? [`data-${pod.name}`] : [],
  };
}

export function pdbView(world: RollWorld, workload: WorkloadSpec): readonly PdbView[] {
  if (workload.maxUnavailable === undefined) return [];
  const pods = world.pods.filter((pod) => pod.workload === workload.name && pod.deletedAt === undefined);
  const currentHealthy = pods.filter((pod) => pod.ready).length;
  const desiredHealthy = workload.replicas - workload.maxUnavailable;
  return [
    {
      namespace: 'apps',
      name: workload.name,
      selector: { matchLabels: { app: workload.name } },
      generation: 1,
      observedGeneration: 1,
      expectedPods: workload.replicas,
      currentHealthy,
      desiredHealthy,
      disruptionsAllowed: Math.max(0, currentHealthy - desiredHealthy),
      disruptedPods: 0,
      annotations: {},
      labels: { team: 'payments' },
    },
  ];
}
