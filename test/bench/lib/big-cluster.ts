import type { InstanceView, NodeView, PdbView, PodView } from '#fleet';
import { newRollMemory, type RollScope } from '#rolling';

const AT = '2026-01-01T00:00:00Z';
const ZONES = ['a', 'b', 'c'] as const;
const DAEMONS = 4;
const PER_APP = 20;

export interface BigCluster {
  readonly nodes: number;
  readonly pods: number;
  /** Each node has a pod that no other takes. */
  readonly homeless: boolean;
}

/** A worker pool in the middle of its roll: all nodes outdated, three new ones up; every app has a PDB, many spread. */
export function bigCluster(size: BigCluster): RollScope {
  const nodes = Array.from({ length: size.nodes + 3 }, (_, i) => node(i));
  const group = {
    pool: 'workers',
    groupName: 'asg',
    minSize: 1,
    maxSize: size.nodes + 10,
    desiredCapacity: nodes.length,
    zones: ZONES,
    suspendedProcesses: ['AZRebalance'],
    launchTemplate: { name: 'lt', version: '2' },
    instanceTypes: [],
    targetGroupArns: [],
    tags: { 'fairway.dev/roll': `update=u1 min=1 max=${size.nodes + 10} desired=${size.nodes} protected=0` },
    recentFailures: [],
    instances: nodes.map((each, i) => instance(each, i < size.nodes ? '1' : '2')),
  };
  const pool = { pool: 'workers', master: false, minSize: 1, maxSize: group.maxSize, group, nodes };
  const target = { targetVersion: { name: 'lt', version: '2' }, deregistrationDelay: 0 };
  return {
    clusterId: 'c',
    updateId: 'u1',
    commit: 'abc',
    groups: [{ ...pool, ...target }],
    nodes,
    pods: podsOn(nodes, size),
    pdbs: Array.from({ length: Math.ceil(size.pods / PER_APP) }, (_, app) => pdb(app)),
    attachments: [],
    memory: newRollMemory('u1'),
    frozen: [],
  };
}

function node(i: number): NodeView {
  const zone = ZONES[i % ZONES.length] as string;
  return {
    name: `node-${i}`,
    uid: `uid-${i}`,
    instanceId: `i-${String(i).padStart(4, '0')}`,
    createdAt: AT,
    ready: true,
    readySince: AT,
    unschedulable: false,
    kubeletVersion: 'v1.36.0',
    zone,
    labels: { 'kubernetes.io/hostname': `node-${i}`, 'topology.kubernetes.io/zone': zone },
    annotations: {},
    taints: [],
    allocatable: { cpuMillis: 4_000, memoryBytes: 16e9, pods: 110 },
  };
}

const instance = (of: NodeView, version: string): InstanceView => ({
  instanceId: of.instanceId ?? '',
  zone: of.zone ?? '',
  instanceType: 'm5.xlarge',
  market: 'on-demand',
  launchTemplate: { name: 'lt', version },
  lifecycleState: 'InService',
  healthStatus: 'Healthy',
  protectedFromScaleIn: true,
  ec2State: 'running',
  launchedAt: AT,
  targetHealth: {},
});

function podsOn(nodes: readonly NodeView[], size: BigCluster): readonly PodView[] {
  const apps = Math.ceil(size.pods / PER_APP);
  const perNode = Math.floor(size.pods / size.nodes) - DAEMONS;
  return nodes.flatMap(({ name }, i) => {
    const daemons = Array.from({ length: DAEMONS }, (_, d) =>
      pod(`ds${d}-${i}`, `ds${d}`, name, 'DaemonSet'),
    );
    if (i >= size.nodes) return daemons;
    const own = Array.from({ length: perNode }, (_, j) => {
      const at = i * perNode + j;
      // Apps stand all over the cluster.
      const app = (at * 7_919) % apps;
      return {
        ...pod(`p${at}`, `app${app}`, name, 'ReplicaSet', `ns${app % 40}`),
        ...wishes(at, app, j, size),
      };
    });
    return [...daemons, ...own];
  });
}

/** Every third is spread over zones, every fifth keeps others off its node. */
function wishes(at: number, app: number, j: number, { homeless }: BigCluster): Partial<PodView> {
  const labelSelector = { matchLabels: { app: `app${app}` } };
  const spread = {
    maxSkew: 5,
    topologyKey: 'topology.kubernetes.io/zone',
    whenUnsatisfiable: 'DoNotSchedule',
  };
  const apart = {
    topologyKey: 'kubernetes.io/hostname',
    labelSelector: { matchLabels: { lonely: `app${app}` } },
  };
  return {
    ...(at % 3 === 0 && { topologySpreadConstraints: [{ ...spread, labelSelector }] }),
    ...(at % 5 === 0 && {
      affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [apart] } },
    }),
    ...(homeless && j === 0 && { nodeSelector: { gpu: 'yes' } }),
  };
}

const pod = (
  name: string,
  app: string,
  nodeName: string,
  kind: string,
  namespace = 'kube-system',
): PodView => ({
  namespace,
  name,
  uid: `uid-${name}`,
  nodeName,
  phase: 'Running',
  ready: true,
  createdAt: AT,
  terminationGracePeriodSeconds: 30,
  labels: { app },
  annotations: {},
  owner: { kind, name: app, uid: `owner-${app}` },
  mirror: false,
  priority: 0,
  tolerations: kind === 'DaemonSet' ? [{ operator: 'Exists' }] : [],
  nodeSelector: {},
  requests: { cpuMillis: 100, memoryBytes: 1e8 },
  usesEmptyDir: false,
  persistentVolumeClaims: [],
});

const pdb = (app: number): PdbView => ({
  namespace: `ns${app % 40}`,
  name: `app${app}`,
  selector: { matchLabels: { app: `app${app}` } },
  generation: 1,
  observedGeneration: 1,
  expectedPods: PER_APP,
  currentHealthy: PER_APP,
  desiredHealthy: PER_APP - 1,
  disruptionsAllowed: 1,
  disruptedPods: 0,
  annotations: {},
  labels: {},
});
