import { days, hours, minutes, seconds, toIso } from '#kernel';
import type { InstanceView, NodeGroupView, NodeView, PdbView } from '#fleet';
import { read, type ComponentView, type DoctorObservation, type EtcdMemberView } from './observation.js';

export const NOW = Date.parse('2026-11-21T12:00:00Z');
const VERSION = 'v1.35.2';
const ZONES = ['a', 'b', 'c'];

export const instance = (
  instanceId: string,
  zone: string,
  more: Partial<InstanceView> = {},
): InstanceView => ({
  instanceId,
  zone,
  instanceType: 'm5.large',
  market: 'on-demand',
  lifecycleState: 'InService',
  healthStatus: 'Healthy',
  protectedFromScaleIn: false,
  launchedAt: toIso(NOW - days(2)),
  targetHealth: {},
  ...more,
});

export const master = (number: number, more: Partial<InstanceView> = {}): InstanceView =>
  instance(`i-m${number}`, ZONES[(number - 1) % 3] ?? 'a', { targetHealth: { api: 'healthy' }, ...more });

export const group = (pool: string, instances: readonly InstanceView[]): NodeGroupView => ({
  pool,
  groupName: `asg-${pool}`,
  minSize: instances.length,
  maxSize: instances.length + 2,
  desiredCapacity: instances.length,
  zones: ZONES,
  suspendedProcesses: [],
  instanceTypes: ['m5.large'],
  targetGroupArns: pool === 'masters' ? ['api'] : [],
  tags: {},
  instances,
  recentFailures: [],
});

export const node = (name: string, more: Partial<NodeView> = {}): NodeView => ({
  name,
  uid: `uid-${name}`,
  instanceId: `i-${name}`,
  createdAt: toIso(NOW - days(2)),
  ready: true,
  readySince: toIso(NOW - days(2)),
  unschedulable: false,
  kubeletVersion: VERSION,
  labels: {},
  annotations: {},
  taints: [],
  allocatable: { cpuMillis: 2000, memoryBytes: 8e9, pods: 110 },
  ...more,
});

export const component = (
  part: ComponentView['component'],
  number: number,
  more: Partial<ComponentView> = {},
): ComponentView => ({
  component: part,
  name: `${part}-m${number}`,
  nodeName: `m${number}`,
  version: VERSION,
  ready: true,
  ...more,
});

export const member = (name: string, more: Partial<EtcdMemberView> = {}): EtcdMemberView => ({
  name,
  learner: false,
  healthy: true,
  version: '3.5.16',
  dbSizeBytes: 100e6,
  quotaBytes: 2e9,
  walFsyncP99: 8,
  ...more,
});

export const pdb = (more: Partial<PdbView> = {}): PdbView => ({
  namespace: 'default',
  name: 'web',
  selector: {},
  generation: 1,
  observedGeneration: 1,
  expectedPods: 3,
  currentHealthy: 3,
  desiredHealthy: 2,
  disruptionsAllowed: 1,
  disruptedPods: 0,
  annotations: {},
  labels: {},
  ...more,
});

const PARTS = ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler'] as const;

/** Three masters, three etcd members, two workers: nothing is wrong with it. */
export const healthy: DoctorObservation = {
  now: NOW,
  masterPools: ['masters'],
  api: read({ url: 'https://kube-1.example.org', ready: true }),
  serverVersion: read(VERSION),
  components: read([1, 2, 3].flatMap((number) => PARTS.map((part) => component(part, number)))),
  proxies: read(['m1', 'm2', 'm3', 'w1', 'w2'].map((name) => ({ name, version: VERSION }))),
  nodes: read(['m1', 'm2', 'm3', 'w1', 'w2'].map((name) => node(name))),
  groups: read([
    group('masters', [master(1), master(2), master(3)]),
    group('workers', [instance('i-w1', 'a'), instance('i-w2', 'b')]),
  ]),
  leases: read(
    ['kube-controller-manager', 'kube-scheduler'].map((name) => ({
      name,
      holder: 'm1_4711',
      renewedAt: NOW - seconds(2),
    })),
  ),
  etcd: read({
    members: ['e1', 'e2', 'e3'].map((name, index) => member(name, { zone: ZONES[index] ?? 'a' })),
    alarms: [],
  }),
  removedApis: read([]),
  target: '1.36',
  certificates: read([{ name: 'API server', notAfter: NOW + days(200) }]),
  backups: read([
    {
      provider: 'etcd',
      lastAt: NOW - minutes(40),
      maxAge: hours(2),
      lastDrillAt: NOW - days(3),
      drillEvery: days(7),
    },
  ]),
  pdbs: read([pdb()]),
  workloads: read([
    { name: 'Deployment default/web', replicas: 3, surges: true },
    { name: 'Deployment default/one', replicas: 1, surges: true },
  ]),
  webhooks: read([
    {
      name: 'ValidatingWebhookConfiguration a: a.example.org',
      closed: true,
      service: 'default/a',
      endpoints: 2,
    },
    {
      name: 'ValidatingWebhookConfiguration b: b.example.org',
      closed: false,
      service: 'default/b',
      endpoints: 0,
    },
    { name: 'MutatingWebhookConfiguration c: c.example.org', closed: true },
  ]),
  aggregatedApis: read([{ name: 'v1beta1.metrics.k8s.io', available: true, message: '' }]),
  terminating: read([]),
};
