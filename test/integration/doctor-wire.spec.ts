import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { days, hours, minutes, seconds, type Duration } from '#kernel';
import type { BackupStanding, Cluster, DoctorReport, InstanceView, NodeGroupView } from '#fleet';
import type { AwsPort, EtcdAccess, EtcdPort } from '#ports';
import { createKubernetesAccess } from '#adapters/kubernetes';
import { observeForDoctor } from '#engine';
import { KubernetesWire, type Machine } from '#simulation';
import { examine } from '#upgrade';
import { FINDINGS } from '../../libs/upgrade/src/doctor/catalogue.js';
import { sampleMachine, TestBench } from '../../libs/simulation/src/estate/test-bench.js';

const CLUSTER = 'kubernetes.io/cluster/test';
const tagsOf = (pool: string, master: boolean) => ({
  [CLUSTER]: 'owned',
  'kubernetes.io/node-pool': pool,
  ...(master && { 'k8s.io/role/master': '1' }),
});
const machine = (number: number, pool: string): Machine =>
  sampleMachine(number, { tags: tagsOf(pool, pool === 'masters') });

/** A cluster in virtual time behind a real HTTPS server, read by the shipped adapter with the shipped doctor. */
class Ward {
  readonly bench = new TestBench({ hosted: false });
  readonly wire = new KubernetesWire();
  readonly masters = [1, 2, 3].map((number) => machine(number, 'masters'));
  readonly workers = [4, 5].map((number) => machine(number, 'workers'));
  readonly members = [1, 2, 3].map((id) => ({ id: String(id), healthy: true, learner: false }));
  readonly alarms: { memberId: string; kind: string }[] = [];
  readonly health = new Map<string, string>();
  readonly strangers: InstanceView[] = [];
  readonly zones = new Map<string, string>();
  etcdZones = ['a', 'b', 'c'];
  dbSizeBytes = 1e8;
  fsync = 5;
  /** Time that passes for the doctor only, or for the cluster as well. */
  frozen = false;
  offset = 0;
  backups: BackupStanding['evidence'] = [];
  drilledAt: number | undefined;
  items: Record<string, string> = {
    // One address per machine of the stack, which nobody has to name.
    etcd_endpoints: 'http://{ip}',
    backup_providers: 'etcd',
    backup_bucket: 'backups',
    backup_drill: '7d',
  };
  private access!: ReturnType<typeof createKubernetesAccess>;

  async open(): Promise<void> {
    await this.wire.start();
    this.wire.addCluster(this.bench.cluster.wire);
    for (const each of [...this.masters, ...this.workers]) this.bench.boot(each);
    this.bench.run(minutes(5));
    const text = this.wire.kubeconfig('test');
    this.access = createKubernetesAccess({ credentialsFor: async () => ({ kind: 'kubeconfig', text }) });
    this.backup(minutes(30));
    this.drilledAt = this.now();
  }

  async close(): Promise<void> {
    this.access.close();
    this.bench.cluster.close();
    await this.wire.close();
  }

  now = (): number => this.bench.scheduler.now() + this.offset;

  backup(age: Duration): void {
    const startedAt = this.now() - age;
    this.backups = [{ provider: 'etcd', state: 'good', startedAt }] as unknown as BackupStanding['evidence'];
  }

  async examine(): Promise<DoctorReport> {
    const apiServerUrl = /server: "?([^\s"]+)/.exec(this.wire.kubeconfig('test'))?.[1] ?? '';
    const pools = ['masters', 'workers'].map((name) => ({ name, profile: name.replace(/s$/, '-default') }));
    const cluster = { id: 'test', apiServerUrl, configItems: {}, nodePools: pools } as unknown as Cluster;
    const observation = await observeForDoctor({
      cluster,
      clock: { now: this.now },
      pause: async (duration) => {
        if (this.frozen) this.offset += duration;
        else this.bench.run(duration);
      },
      kubernetes: () => this.access.connect(cluster),
      aws: async () => this.aws(),
      etcd: { connect: async () => this.etcd() } as EtcdAccess,
      backups: async () =>
        ({
          evidence: this.backups,
          ...(this.drilledAt !== undefined && { drilledAt: this.drilledAt }),
        }) as BackupStanding,
      items: this.items,
    });
    return examine('test', { ...observation, target: '1.32' });
  }

  private aws(): AwsPort {
    const instances = this.members.map(({ id }, at) => ({
      instanceId: `e${id}`,
      zone: this.etcdZones[at] ?? 'c',
      lifecycleState: 'InService',
      privateIp: `127.0.0.1:${id}`,
      targetHealth: {},
    }));
    const port = {
      describeNodeGroups: async () => this.groups(),
      listClusterStacks: async () => ['kube-1', 'etcd-cluster-etcd'],
      describeStackGroups: async (stack: string) =>
        stack.startsWith('etcd')
          ? [{ groupName: 'etcd', tags: {}, suspendedProcesses: [], recentFailures: [], instances }]
          : [],
    };
    return port as unknown as AwsPort;
  }

  private groups(): readonly NodeGroupView[] {
    const view = (one: Machine, master: boolean): InstanceView =>
      ({
        instanceId: one.instanceId,
        zone: this.zones.get(one.instanceId) ?? one.zone,
        lifecycleState: 'InService',
        launchedAt: new Date(one.launchedAt).toISOString(),
        targetHealth: master ? { api: this.health.get(one.instanceId) ?? 'healthy' } : {},
      }) as unknown as InstanceView;
    return [
      { pool: 'masters', instances: this.masters.map((one) => view(one, true)) },
      { pool: 'workers', instances: [...this.workers.map((one) => view(one, false)), ...this.strangers] },
    ] as unknown as NodeGroupView[];
  }

  private etcd(): EtcdPort {
    const url = (id: string): string => `http://127.0.0.1:${id}`;
    const at = (endpoint: string) => this.members.find(({ id }) => endpoint === url(id));
    const port = {
      endpoints: this.members.map(({ id }) => url(id)),
      members: async () => ({
        clusterId: '9',
        members: this.members.map(({ id, learner }) => ({
          id,
          name: `e${id}`,
          learner,
          peerUrls: [],
          clientUrls: [url(id)],
        })),
      }),
      alarms: async () => this.alarms,
      health: async (endpoint: string) => ({ endpoint, healthy: at(endpoint)?.healthy === true }),
      status: async (endpoint: string) => ({
        endpoint,
        memberId: at(endpoint)?.id,
        leaderId: '1',
        version: '3.5.16',
        dbSizeBytes: this.dbSizeBytes,
        raftIndex: '1',
        raftAppliedIndex: '1',
        errors: [],
      }),
      metrics: async (endpoint: string) => ({ endpoint, quotaBytes: 2e9, walFsyncP99: this.fsync }),
      close: () => undefined,
    };
    return { ...port, withEndpoints: () => port } as unknown as EtcdPort;
  }
}

const ward = new Ward();
const { bench } = ward;
const { store } = bench;
type Draft = Record<string, unknown>;
const DEAD: string[] = [];

const app = (name: string, spec: Draft = {}) => ({
  metadata: { name, namespace: 'default' },
  spec: {
    replicas: 1,
    selector: { matchLabels: { app: name } },
    template: { metadata: { labels: { app: name } }, spec: { containers: [{ name: 'c', image: 'r/a:1' }] } },
    ...spec,
  },
});
const lease = (name: string, change: (spec: Draft) => void) =>
  store.modify('leases.coordination.k8s.io', 'kube-system', name, (draft) => change(draft['spec'] as Draft));
const gone = (resource: string, name: string, namespace?: string) =>
  void store.remove(resource, namespace, name, {});
const nodeName = (one: Machine | undefined): string => one?.privateDnsName ?? '';
const STATUS = { subresource: 'status' } as const;
const kubelet = (one: Machine | undefined, version: string) =>
  store.modify(
    'nodes',
    undefined,
    nodeName(one),
    (draft) => {
      (draft['status'] as { nodeInfo: Draft }).nodeInfo['kubeletVersion'] = version;
    },
    STATUS,
  );
const pod = (name: string, ready: string) =>
  store.modify(
    'pods',
    'kube-system',
    name,
    (draft) => {
      const { conditions } = draft['status'] as { conditions: { type: string; status: string }[] };
      for (const each of conditions) if (each.type === 'Ready') each.status = ready;
    },
    STATUS,
  );
const [first, second, third] = ward.masters.map(({ instanceId }) => instanceId) as [string, string, string];
const sick = (...ids: string[]): void => ids.forEach((id) => ward.health.set(id, 'unhealthy'));
const well = (): void => ward.health.clear();

/** How each finding is provoked and cured over the wire. */
const CASES: readonly (readonly [code: string, provoke: () => void, cure: () => void])[] = [
  [
    'api-not-ready',
    () => void (bench.cluster.wire.faults.outage = 'unavailable'),
    () => void (bench.cluster.wire.faults.outage = 'none'),
  ],
  ['api-targets-few', () => sick(first, second), well],
  ['api-target-unhealthy', () => sick(third), well],
  [
    'api-without-load-balancer',
    () => [first, second, third].forEach((id) => ward.health.set(id, 'unused')),
    well,
  ],
  [
    'few-masters',
    () => void DEAD.push(...ward.masters.splice(1).map(({ instanceId }) => instanceId)),
    () => void ward.masters.push(machine(2, 'masters'), machine(3, 'masters')),
  ],
  [
    'masters-zone-majority',
    () => [first, second].forEach((id) => ward.zones.set(id, 'a')),
    () => ward.zones.clear(),
  ],
  [
    'control-plane-pod-unready',
    () => pod(`kube-scheduler-${nodeName(ward.masters[0])}`, 'False'),
    () => pod(`kube-scheduler-${nodeName(ward.masters[0])}`, 'True'),
  ],
  [
    'leader-missing',
    () => lease('kube-scheduler', (spec) => delete spec['holderIdentity']),
    () => bench.run(seconds(10)),
  ],
  [
    'leader-stale',
    () => {
      ward.frozen = true;
      ward.offset = seconds(60);
    },
    () => {
      ward.frozen = false;
      ward.offset = 0;
    },
  ],
  [
    'leader-on-dead-node',
    () => {
      silence(1, seconds(60));
      lease('kube-scheduler', (spec) => (spec['holderIdentity'] = `${nodeName(ward.workers[1])}_1`));
    },
    () => awaken(1),
  ],
  [
    'etcd-member-unhealthy',
    () => void (ward.members[2]!.healthy = false),
    () => void (ward.members[2]!.healthy = true),
  ],
  [
    'etcd-no-tolerance',
    () => void (ward.members[1]!.healthy = false),
    () => void (ward.members[1]!.healthy = true),
  ],
  [
    'etcd-no-quorum',
    () => ward.members.slice(1).forEach((one) => (one.healthy = false)),
    () => ward.members.forEach((one) => (one.healthy = true)),
  ],
  [
    'etcd-zone-majority',
    () => void (ward.etcdZones = ['a', 'a', 'b']),
    () => void (ward.etcdZones = ['a', 'b', 'c']),
  ],
  [
    'etcd-alarm',
    () => void ward.alarms.push({ memberId: '2', kind: 'NOSPACE' }),
    () => void ward.alarms.pop(),
  ],
  [
    'etcd-few-members',
    () => void ward.members.splice(1),
    () => void ward.members.push(...[2, 3].map(memberOf)),
  ],
  ['etcd-even-size', () => void ward.members.push(memberOf(4)), () => void ward.members.pop()],
  [
    'etcd-learner',
    () => void ward.members.push({ ...memberOf(4), learner: true }),
    () => void ward.members.pop(),
  ],
  ['etcd-near-quota', () => void (ward.dbSizeBytes = 1.8e9), () => void (ward.dbSizeBytes = 1e8)],
  ['etcd-slow-disk', () => void (ward.fsync = 512), () => void (ward.fsync = 5)],
  ['node-not-ready', () => silence(0, minutes(7)), () => awaken(0)],
  [
    'instance-without-node',
    () => {
      const lost = { instanceId: 'i-lost', lifecycleState: 'InService', targetHealth: {} };
      ward.strangers.push({ ...lost, launchedAt: '1970-01-01T00:00:00Z' } as unknown as InstanceView);
      bench.run(minutes(30));
    },
    () => void ward.strangers.pop(),
  ],
  ['version-skew', () => kubelet(ward.workers[0], 'v1.32.0'), () => kubelet(ward.workers[0], 'v1.31.4')],
  [
    'api-removed-in-target',
    () =>
      void bench.cluster.wire.deprecatedCalls.push({
        group: 'flowcontrol.apiserver.k8s.io',
        version: 'v1beta3',
        resource: 'flowschemas',
        removedRelease: '1.32',
      }),
    () => void bench.cluster.wire.deprecatedCalls.pop(),
  ],
  [
    'api-deprecated',
    () =>
      void bench.cluster.wire.deprecatedCalls.push({
        group: 'admissionregistration.k8s.io',
        version: 'v1beta1',
        resource: 'validatingadmissionpolicies',
        removedRelease: '1.34',
      }),
    () => void bench.cluster.wire.deprecatedCalls.pop(),
  ],
  [
    'certificate-expiring',
    () => void (ward.offset = Date.now() - bench.scheduler.now() + days(3_640)),
    () => void (ward.offset = 0),
  ],
  ['certificate-expired', () => void (ward.offset = days(36_500)), () => void (ward.offset = 0)],
  ['backup-missing', () => void (ward.items = { etcd_endpoints: 'http://127.0.0.1:1' }), () => resetItems()],
  ['backup-stale', () => ward.backup(hours(3)), () => ward.backup(minutes(10))],
  ['drill-stale', () => void (ward.drilledAt = undefined), () => void (ward.drilledAt = ward.now())],
  [
    'pdb-blocks-always',
    () => {
      bench.create('deployments.apps', app('one'));
      bench.create('poddisruptionbudgets.policy', {
        metadata: { name: 'one', namespace: 'default' },
        spec: { minAvailable: 1, selector: { matchLabels: { app: 'one' } } },
      });
      bench.run(minutes(2));
    },
    () => gone('poddisruptionbudgets.policy', 'one', 'default'),
  ],
  [
    'single-replica',
    () => void bench.create('deployments.apps', app('two', { strategy: { type: 'Recreate' } })),
    () => bench.edit('deployments.apps', 'two', (spec) => (spec['replicas'] = 2)),
  ],
  [
    'webhook-without-endpoints',
    () => {
      bench.create('validatingwebhookconfigurations.admissionregistration.k8s.io', {
        metadata: { name: 'hooks' },
        webhooks: [
          {
            name: 'a.example.org',
            clientConfig: { service: { name: 'hooks', namespace: 'default' } },
            admissionReviewVersions: ['v1'],
            sideEffects: 'None',
            rules: [{ apiGroups: ['x.io'], apiVersions: ['v1'], operations: ['CREATE'], resources: ['ys'] }],
          },
        ],
      });
    },
    () => {
      bench.create('deployments.apps', app('hooks', { replicas: 2 }));
      bench.create('services', {
        metadata: { name: 'hooks', namespace: 'default' },
        spec: { selector: { app: 'hooks' }, ports: [{ port: 443 }] },
      });
      bench.run(minutes(2));
    },
  ],
  [
    'aggregated-api-down',
    () => {
      bench.create('apiservices.apiregistration.k8s.io', {
        metadata: { name: 'v1beta1.metrics.k8s.io' },
        spec: {
          group: 'metrics.k8s.io',
          version: 'v1beta1',
          groupPriorityMinimum: 100,
          versionPriority: 100,
          service: { name: 'metrics', namespace: 'kube-system' },
        },
      });
    },
    () => gone('apiservices.apiregistration.k8s.io', 'v1beta1.metrics.k8s.io'),
  ],
  [
    'namespace-stuck',
    () => {
      bench.create('namespaces', { metadata: { name: 'old' } });
      bench.create('configmaps', {
        metadata: { name: 'held', namespace: 'old', finalizers: ['example.org/hold'] },
      });
      gone('namespaces', 'old');
      bench.run(minutes(12));
    },
    () => {
      store.modify('configmaps', 'old', 'held', (draft) => void delete draft.metadata.finalizers);
      bench.run(minutes(1));
    },
  ],
];

const memberOf = (id: number) => ({ id: String(id), healthy: true, learner: false });
const fullItems = { ...ward.items };
function resetItems(): void {
  ward.items = { ...fullItems };
}
function silence(worker: number, wait: Duration): void {
  bench.cluster.fleet.silenced(ward.workers[worker] as Machine);
  bench.run(wait);
}
function awaken(worker: number): void {
  bench.cluster.fleet.terminated(ward.workers[worker] as Machine);
  bench.run(minutes(2));
  bench.cluster.fleet.booted(ward.workers[worker] as Machine);
  bench.run(minutes(3));
}
/** What the simulated cluster has by its age and nature, and what no case takes away. */
const CONSTANT = ['version-unsupported'];

describe('the doctor over the wire', () => {
  beforeAll(() => ward.open());
  afterAll(() => ward.close());
  const codes = async (): Promise<readonly string[]> =>
    (await ward.examine()).findings.map(({ code }) => code);

  it('finds nothing but its old version in a healthy cluster', async () => {
    const report = await ward.examine();
    expect(report.findings.map(({ code }) => code)).toEqual(CONSTANT);
    expect(report.checks.filter(({ state }) => state === 'unknown')).toEqual([]);
    expect(report.serverVersion).toBe('v1.31.4');
  });

  it.each(CASES.map(([code, provoke, cure]) => ({ code, provoke, cure })))(
    '$code is found, and gone when cured',
    async ({ code, provoke, cure }) => {
      provoke();
      expect(await codes()).toContain(code);
      cure();
      expect(await codes()).not.toContain(code);
    },
  );

  it('has a case for every finding', () => {
    const provoked = new Set([...CONSTANT, ...CASES.map(([code]) => code)]);
    expect(Object.keys(FINDINGS).filter((code) => !provoked.has(code))).toEqual([]);
  });

  it('is whole again after all that', async () => {
    ward.backup(minutes(5));
    expect(await codes()).toEqual(CONSTANT);
  });

  it('finds an old version no more when the machines have a new one', async () => {
    const all = [...ward.masters, ...ward.workers];
    const raise = (to: string | undefined): void => {
      for (const each of all) bench.cluster.fleet.terminated(each);
      bench.run(minutes(2));
      for (const each of all)
        bench.cluster.fleet.booted(to === undefined ? each : { ...each, kubernetesVersion: to });
      bench.run(minutes(5));
    };
    raise('1.36.1');
    expect(await codes()).not.toContain('version-unsupported');
    raise(undefined);
    expect(await codes()).toEqual(CONSTANT);
  });

  it.each([
    ['nodes', 'nodes'],
    ['leases.coordination.k8s.io', 'leaders'],
    ['pods', 'masters'],
    ['poddisruptionbudgets.policy', 'disruption-budgets'],
    ['deployments.apps', 'workloads'],
    ['namespaces', 'namespaces'],
    ['endpointslices.discovery.k8s.io', 'webhooks'],
    ['apiservices.apiregistration.k8s.io', 'aggregated-apis'],
    ['/metrics', 'deprecated-apis'],
  ])('without the right to read %s it says unknown of %s, and why', async (resource, check) => {
    const allow = bench.cluster.wire.faults.deny({ resource });
    const report = await ward.examine();
    allow();
    const result = report.checks.find((one) => one.check === check);
    expect(result).toMatchObject({ state: 'unknown' });
    expect(result?.summary).toMatch(/api-denied|could not be read/);
    expect(['unknown', 'errors']).toContain(report.verdict);
  });
});
