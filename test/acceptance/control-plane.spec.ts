import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LivingCluster } from '#simulation';
import { runCli } from '../support/cli.js';
import { eventually } from '../support/eventually.js';
import { ACCOUNTS, REGION, clusterBody, register, startBed, type Bed } from './support/bed.js';
import type { ConfigClone } from './support/config-clone.js';

const NEW_VERSION = '1.32.1';
const NEW_NODES = 'fairway-node-1.32.1-20251124';
const minorOf = (version: string): number => Number(version.split('.')[1]);

interface EventRow {
  readonly type: string;
  readonly message: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** Looks at one cluster's control plane all the time, from outside of Fairway. */
class Watchman {
  fewestServers = Number.POSITIVE_INFINITY;
  fewestTargets = Number.POSITIVE_INFINITY;
  longestWithoutLeader = 0;
  /** Running pods of the shop while the API was away. */
  fewestPodsWhileAway = Number.POSITIVE_INFINITY;
  apiWasAway = false;
  readonly faults: string[] = [];
  readonly leaders: string[] = [];
  private leaderless: number | undefined;
  private readonly timer: NodeJS.Timeout;

  constructor(
    private readonly bed: Bed,
    private readonly cluster: LivingCluster,
  ) {
    this.timer = setInterval(() => this.look(), 5);
  }

  close(): void {
    clearInterval(this.timer);
  }

  private look(): void {
    const { cluster } = this;
    this.fewestServers = Math.min(this.fewestServers, cluster.apiServers);
    this.apiWasAway ||= !cluster.apiAvailable;
    this.fewestTargets = Math.min(this.fewestTargets, this.healthyTargets());
    this.lookAtLeader();
    this.lookAtVersions();
    if (!cluster.apiAvailable)
      this.fewestPodsWhileAway = Math.min(this.fewestPodsWhileAway, this.runningPods());
  }

  private healthyTargets(): number {
    const { targetGroups } = this.bed.sandbox.estate.aws.region(ACCOUNTS[0], REGION).loadBalancing;
    const own = [...targetGroups.values()].filter(({ targets }) =>
      [...targets.keys()].some((id) => this.cluster.fleet.find(id) !== undefined),
    );
    const healthy = own
      .flatMap(({ targets }) => [...targets.values()])
      .filter(({ state }) => state === 'healthy');
    return healthy.filter(({ instanceId }) => this.cluster.fleet.find(instanceId)?.healthy).length;
  }

  /** The leader of the lease must be a master that serves. */
  private lookAtLeader(): void {
    const lease = this.cluster.view.get<{
      apiVersion: string;
      kind: string;
      metadata: { name: string };
      spec?: { holderIdentity?: string };
    }>('leases.coordination.k8s.io', 'kube-system', 'kube-scheduler');
    const holder = lease?.spec?.holderIdentity?.split('_')[0] ?? '';
    if (holder !== this.leaders.at(-1)) this.leaders.push(holder);
    if (this.cluster.fleet.serving.includes(holder)) this.leaderless = undefined;
    else {
      this.leaderless ??= Date.now();
      this.longestWithoutLeader = Math.max(this.longestWithoutLeader, Date.now() - this.leaderless);
    }
  }

  /** No worker is newer than the oldest API server. */
  private lookAtVersions(): void {
    const oldest = Math.min(...this.cluster.fleet.apiVersions.map(minorOf));
    for (const kubelet of this.cluster.fleet.kubelets) {
      const minor = minorOf(kubelet.machine.kubernetesVersion ?? '1.31.4');
      const worker = (kubelet.machine.tags['kubernetes.io/node-pool'] ?? '').startsWith('worker');
      if (worker && Number.isFinite(oldest) && minor > oldest)
        this.faults.push(`${kubelet.nodeName} is ahead`);
    }
  }

  runningPods(): number {
    return this.cluster.view
      .inNamespace<{
        apiVersion: string;
        kind: string;
        metadata: { name: string };
        status?: { phase?: string };
      }>('pods', 'shop')
      .filter(({ status }) => status?.phase === 'Running').length;
  }
}

/** Two clusters go to the next minor with one push: one with three masters, one with a single one that must go first. */
describe('the control plane', () => {
  let bed: Bed;
  let clone: ConfigClone;
  let commit: string;
  let watchThree: Watchman;
  let watchOne: Watchman;
  let three: LivingCluster;
  let one: LivingCluster;
  let oneId: string;
  const env: Record<string, string> = {};

  beforeAll(async () => {
    bed = await startBed({ speed: 400 });
    const threeId = await register(bed, { alias: 'three', masters: 3, workers: 1 });
    const body = clusterBody(bed.sandbox, { alias: 'one', localId: 'kube-2', masters: 1, workers: 1 });
    oneId = body.id;
    const [masters, workers] = body.node_pools;
    const terminateFirst = { roll_strategy: 'one-at-a-time' };
    await bed.api.send('POST', '/kubernetes-clusters', {
      ...body,
      node_pools: [{ ...masters, config_items: terminateFirst }, workers],
    });
    await Promise.all(['three', 'one'].map((alias) => bed.ready(alias)));
    three = bed.sandbox.estate.cluster(threeId);
    one = bed.sandbox.estate.cluster(oneId);
    env['FAIRWAY_HOME'] = bed.sandbox.stateDir;
    const login = await runCli(['login', bed.sandbox.apiUrl], { env, input: bed.sandbox.token });
    expect(login.code, login.stderr).toBe(0);
    clone = await bed.clone();
    watchThree = new Watchman(bed, three);
    watchOne = new Watchman(bed, one);
    await clone.edit('cluster/config-defaults.yaml', (text) =>
      text
        .replace(/^kubernetes_version: .*$/m, `kubernetes_version: "${NEW_VERSION}"`)
        .replace(/^node_image: .*$/m, `node_image: "${NEW_NODES}"`),
    );
    commit = await clone.publish('Kubernetes 1.32');
  });
  afterAll(async () => {
    watchThree.close();
    watchOne.close();
    await bed.close();
  });

  const events = async (alias: string): Promise<readonly EventRow[]> => {
    const stored = await bed.sandbox.api.runtime.outbox.eventsAfter(0, 5_000);
    const cluster = await bed.api.cluster(alias);
    return stored.filter(({ clusterId }) => clusterId === cluster.id) as unknown as EventRow[];
  };

  it('of one is refused without the permission, with the reason and the remedy', async () => {
    // A conformance run of what it had before may block it first.
    const refused = (row: { phase: string; message: string }): boolean =>
      row.phase === 'blocked' && row.message.includes('the only master');
    const row = await bed.until('one', 'refused', refused);
    expect(row.message).toMatch(/replacing the only master takes the API away for about 9m/);
    expect(row.message).toContain('control_plane_outage_granted: "true"');
    expect(one.apiAvailable).toBe(true);
    expect(watchOne.apiWasAway).toBe(false);
  });

  it('of three goes on through an API that is away for a while', async () => {
    await eventually(
      () => three.fleet.apiVersions.some((version) => minorOf(version) === 32),
      'a new master',
      240_000,
    );
    const before = (await bed.api.cluster('three')).update_id;
    const calls = three.wire.calls.entries.length;
    three.wire.faults.outage = 'closed';
    await eventually(
      () => three.wire.calls.entries.slice(calls).some(({ code }) => code === 0),
      'somebody who meets a closed door',
      60_000,
    );
    three.wire.faults.outage = 'none';
    const row = await bed.ready('three', commit);
    expect(row.update_id).toBe(before);
  });

  it('of three keeps two targets, a leader, and workers behind the masters all the time', () => {
    expect(watchThree.fewestServers).toBeGreaterThanOrEqual(2);
    expect(watchThree.fewestTargets).toBeGreaterThanOrEqual(2);
    // A lease lasts 15 s; the simulated leaders renew every true second.
    expect(watchThree.longestWithoutLeader).toBeLessThan(15_000);
    expect(watchThree.leaders.length).toBeLessThanOrEqual(3);
    expect(watchThree.faults).toEqual([]);
    expect(bed.sandbox.estate.evidence().clusters.flatMap((cluster) => cluster.workersBeforeMasters)).toEqual(
      [],
    );
    expect(new Set(three.fleet.apiVersions)).toEqual(new Set([`v${NEW_VERSION}`]));
  });

  it('of one is replaced with the permission: announced before, measured after, workloads untouched', async () => {
    const shop = watchOne.runningPods();
    await bed.api.send(
      'PUT',
      `/kubernetes-clusters/${encodeURIComponent(oneId)}/config-items/control_plane_outage_granted`,
      {
        value: 'true',
      },
    );
    await eventually(() => watchOne.apiWasAway, 'the outage', 240_000);
    const told = await events('one');
    expect(told.map(({ type }) => type)).toContain('control-plane.outage-announced');
    await eventually(() => one.apiAvailable, 'the new master', 240_000);
    await bed.ready('one', commit);
    const ended = (await events('one')).find(({ type }) => type === 'control-plane.outage-ended');
    expect(ended?.data).toMatchObject({ awayMs: expect.any(Number), expectedMs: 540_000 });
    expect((await events('one')).map(({ type }) => type)).not.toContain('control-plane.outage-overdue');
    expect(shop).toBeGreaterThan(0);
    expect(watchOne.fewestPodsWhileAway).toBe(shop);
  });

  it('shows the way further by fairway upgrade plan, and its state by fairway doctor', async () => {
    const plan = await runCli(['upgrade', 'plan', 'three', '--to', '1.34', '-o', 'json'], { env });
    expect([plan.code, plan.stderr]).toEqual([3, '']);
    expect(JSON.parse(plan.stdout)).toMatchObject({
      api_servers: [`v${NEW_VERSION}`],
      steps: [{ to: 'v1.33' }, { to: '1.34' }, { kind: 'workers', to: '1.34' }],
      worker_rolls: 1,
      point_of_no_return: 0,
    });
    const doctor = await runCli(['doctor', 'one'], { env });
    expect(doctor.code).toBe(4);
    expect(doctor.stdout).toMatch(/unknown +etcd/);
    expect(doctor.stdout).toContain('warning few-masters: control plane');
    const lines = doctor.stdout.split('\n');
    expect(lines.filter((line) => line.length > 80)).toEqual([]);
    const last = await bed.api.send('GET', `/api/v1/clusters/one/doctor`);
    expect(last).toMatchObject({ report: { verdict: 'errors', server_version: `v${NEW_VERSION}` } });
  });
});
