import { randomIds, seconds, type Clock } from '#kernel';
import type { BackupRecord, BackupRequest } from '#fleet';
import { createAwsAccess } from '#adapters/aws';
import { createEtcdAccess, createRestoreDrill } from '#adapters/etcd';
import { createKubernetesAccess } from '#adapters/kubernetes';
import type { EtcdAccess } from '#ports';
import { BackupSlots, reconcileBackups, type EnginePorts } from '#engine';
import {
  AwsServer,
  AwsWorld,
  KubernetesWire,
  ObjectStore,
  ScaledScheduler,
  SeededRandom,
  SimulatedCluster,
  Velero,
} from '#simulation';
import { freshStores, withClient } from './database.js';
import { account, cluster as clusterRecord } from './records.js';

export const ACCOUNT = '123456789012';
export const REGION = 'eu-central-1';
export const CLUSTER_ID = `aws:${ACCOUNT}:${REGION}:kube-1`;
export const BUCKET = 'fairway-backups';

type Ports = Parameters<typeof reconcileBackups>[0];

/** Backups on real stores, S3 and Kubernetes over the wire, and any etcd. The clock can be put forward. */
export class BackupBed {
  private time = Date.now();
  /** Stands still but for a tick per look, so that ages do not depend on how fast the machine is. */
  readonly clock: Clock = { now: () => (this.time += 1) };
  readonly logged: string[] = [];
  readonly rung: string[] = [];
  readonly ports: Ports;

  private constructor(
    readonly stores: Awaited<ReturnType<typeof freshStores>>,
    readonly aws: AwsWorld,
    private readonly server: AwsServer,
    readonly kubernetes: ObjectStore,
    private readonly wire: KubernetesWire,
    readonly velero: Velero,
    private readonly scheduler: ScaledScheduler,
    readonly awsEndpoint: string,
    paper: EtcdAccess | undefined,
    private readonly cluster: SimulatedCluster,
  ) {
    const log = (message: string, fields?: object): void =>
      void this.logged.push(`${message} ${JSON.stringify(fields ?? {})}`);
    const connections = createAwsAccess({
      endpoint: awsEndpoint,
      credentialsFor: () => aws.accessKey(ACCOUNT),
      requestsPerSecond: 1_000,
      burst: 1_000,
      clock: { now: () => Date.now() },
    });
    const etcd = createEtcdAccess({ credentialsDirectory: '/nonexistent' });
    const kubernetesAccess = createKubernetesAccess({
      credentialsFor: async () => ({ kind: 'kubeconfig', text: wire.kubeconfig(CLUSTER_ID) }),
    });
    this.closers.push(
      () => connections.close(),
      () => etcd.close(),
      () => kubernetesAccess.close(),
    );
    this.ports = {
      ...stores,
      aws: connections,
      kubernetes: kubernetesAccess,
      etcd: paper ?? etcd,
      drill: createRestoreDrill(),
      doorbell: { ring: async (key) => void this.rung.push(key) },
      clock: this.clock,
      ids: randomIds,
      log: { debug: log, info: log, warn: log, error: log },
    };
  }

  private readonly closers: (() => void)[] = [];

  /** `etcd` takes the place of real ones. */
  static async open(options: { readonly etcd?: EtcdAccess } = {}): Promise<BackupBed> {
    const scheduler = new ScaledScheduler(200);
    const aws = new AwsWorld({ scheduler, random: new SeededRandom(7) });
    aws.addAccount({ id: ACCOUNT });
    aws.objects.createBucket(ACCOUNT, REGION, BUCKET);
    const server = new AwsServer(aws);
    const wire = new KubernetesWire();
    await wire.start();
    const store = new ObjectStore({ scheduler, random: Math.random });
    const cluster = new SimulatedCluster({ id: CLUSTER_ID, store });
    wire.addCluster(cluster);
    const velero = new Velero({ store, scheduler });
    const stores = await freshStores();
    await stores.registry.createAccount(account(), { actor: 'test' });
    const endpoint = await server.listen();
    return new BackupBed(
      stores,
      aws,
      server,
      store,
      wire,
      velero,
      scheduler,
      endpoint,
      options.etcd,
      cluster,
    );
  }

  /** Registers the cluster with these config items; later calls replace them. */
  async configure(configItems: Record<string, string>): Promise<void> {
    const change = { actor: 'test' };
    const record = { ...clusterRecord('kube-1'), apiServerUrl: this.wire.serverOf(CLUSTER_ID), configItems };
    if (await this.stores.registry.getCluster(CLUSTER_ID))
      await this.stores.registry.updateCluster(CLUSTER_ID, { configItems }, change);
    else await this.stores.registry.createCluster({ ...record, lifecycleStatus: 'ready' }, change);
  }

  advance(time: number): void {
    this.time += time;
  }

  /** One pass by a worker of its own. */
  pass(ports: Partial<EnginePorts> = {}): ReturnType<typeof reconcileBackups> {
    const all = { ...this.ports, ...ports };
    return reconcileBackups(all, { leaseTtl: seconds(60) }, new BackupSlots(), CLUSTER_ID);
  }

  async ask(wish: Pick<BackupRequest, 'kind'> & Partial<BackupRequest>): Promise<string> {
    const id = randomIds.next();
    await this.stores.backups.requestBackup({
      id,
      clusterId: CLUSTER_ID,
      providers: [],
      trigger: 'request',
      actor: 'alice',
      reason: 'because',
      requestedAt: this.clock.now(),
      ...wish,
    });
    return id;
  }

  async resultOf(request: string): Promise<string> {
    return (await this.stores.backups.getBackupRequest(request))?.result ?? 'not settled';
  }

  backups(): Promise<readonly BackupRecord[]> {
    return this.stores.backups.backups(CLUSTER_ID, 100);
  }

  /** Keys of the stored objects. */
  get stored(): readonly string[] {
    return this.aws.objects.list(ACCOUNT, BUCKET).map(({ key }) => key);
  }

  get halfUploads(): number {
    return this.aws.objects.uploads.list(ACCOUNT, BUCKET).length;
  }

  /** Changes a stored object behind everybody's back. */
  tamper(location: string, change: (body: Buffer) => Buffer): void {
    const key = location.replace(`s3://${BUCKET}/`, '');
    const { body } = this.aws.objects.get(ACCOUNT, BUCKET, key);
    this.aws.objects.put(ACCOUNT, BUCKET, key, change(Buffer.from(body)));
  }

  /** Lists of this resource are refused from now on. */
  failLists(resource: string): void {
    this.cluster.faults.failNext(
      {
        match: { verb: 'list', resource },
        status: 403,
        reason: 'Forbidden',
        message: `${resource} is forbidden`,
      },
      100,
    );
  }

  /** What the dead held may be taken. */
  async expireLeases(): Promise<void> {
    await withClient(this.stores.url, (client) => client.query("UPDATE leases SET expires_at = '-infinity'"));
  }

  async close(): Promise<void> {
    for (const close of this.closers) close();
    this.velero.close();
    await this.server.close();
    await this.wire.close();
    this.scheduler.close();
    await this.stores.drop();
  }
}

/** What a cluster with all providers says. */
export const items = (
  endpoints: readonly string[],
  over: Record<string, string> = {},
): Record<string, string> => ({
  backup_providers: 'etcd',
  backup_bucket: BUCKET,
  etcd_endpoints: endpoints.join(','),
  ...over,
});
