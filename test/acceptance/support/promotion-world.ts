import { digestOfValue, hours, minutes, sha256Hex, type Instant } from '#kernel';
import type {
  BackupRecord,
  BackupStanding,
  Cluster,
  ClusterStatus,
  KubernetesObject,
  ObjectRef,
} from '#fleet';
import { DEFAULT_ENGINE_SETTINGS, reconcileChannel, reconcileRepository, type EnginePorts } from '#engine';
import type { ClusterRuntime, KubernetesPort } from '#ports';
import { frameJUnit } from '#promotion';
import { MemoryGit } from './memory-git.js';
import { MemoryStores } from './memory-stores.js';

export const REPOSITORY = 'https://git.example.org/config.git';
/** A Monday morning in Berlin, in summer. */
export const START = Date.parse('2026-06-01T06:00:00Z');
const VERSION = 'v1.31.4';
const JOB_TAKES = minutes(10);
/** Looks of everybody at one moment; more would mean that something never comes to rest. */
const MOST_ROUNDS = 12;

export interface WorldOptions {
  readonly sizes: Readonly<Record<string, number>>;
  readonly policy: string;
  readonly start?: Instant;
}

/**
 * The engine's own reconcilers of repositories and channels, on stores and a Git host in memory, with clusters that take
 * their time to converge and tests that take theirs to run. Time is virtual.
 */
export class PromotionWorld {
  now: Instant;
  /** How far the workers' clock is off. */
  skew = 0;
  readonly stores: MemoryStores;
  readonly git: MemoryGit;
  readonly ports: EnginePorts;
  private readonly rung = new Set<string>();
  private readonly busyUntil = new Map<string, { readonly revisionId: string; readonly at: Instant }>();
  private readonly jobs = new Map<string, { readonly run: KubernetesObject; readonly at: Instant }>();
  private nextPoll = 0;
  private fetched = -1;
  /** What happens must not depend on it: a test takes two. */
  longestStep = hours(1);
  private ids = 0;
  passes = 0;

  constructor(options: WorldOptions) {
    this.now = options.start ?? START;
    const clock = { now: () => this.now + this.skew };
    this.stores = new MemoryStores(clock, { now: () => this.now });
    this.git = new MemoryGit(() => this.now);
    const ignore = (): void => undefined;
    this.ports = {
      registry: this.stores.registry,
      updates: this.stores.updates,
      channels: this.stores.channels,
      decisions: this.stores.decisions,
      leases: this.stores.leases,
      git: this.git,
      clock,
      ids: { next: () => `id-${(this.ids += 1)}` },
      log: {
        debug: ignore,
        info: ignore,
        warn: ignore,
        error: (message, fields) => console.error(message, fields),
      },
      doorbell: { ring: async (key) => void this.rung.add(key) },
      kubernetes: { connect: async (cluster) => this.kubernetesOf(cluster.id) },
      aws: {} as EnginePorts['aws'],
      configs: {} as EnginePorts['configs'],
      backups: {
        backupStandings: async (ids: readonly string[]) => new Map(ids.map((id) => [id, this.backupOf(id)])),
      } as unknown as EnginePorts['backups'],
    };
    this.populate(options);
  }

  get names(): readonly string[] {
    return [...this.stores.channelByName.keys()];
  }

  private populate({ sizes, policy }: WorldOptions): void {
    const names = Object.keys(sizes);
    const first = this.git.push(
      names[0] as string,
      { 'fairway.yaml': policy, 'cluster/app.yaml': 'image: 1\n' },
      'begin',
    );
    for (const name of names) this.git.branches.set(name, first);
    names.forEach((name, position) => {
      const from = names[position - 1];
      this.stores.channelByName.set(name, {
        name,
        repository: REPOSITORY,
        branch: name,
        position,
        ...(from !== undefined && { from }),
      });
      for (let index = 1; index <= (sizes[name] ?? 0); index += 1) this.addCluster(name, index);
    });
  }

  addCluster(channel: string, index: number): string {
    const alias = `${channel}-${index}`;
    const id = `aws:123456789012:eu-central-1:${alias}`;
    this.stores.clusters.set(id, {
      id,
      alias,
      channel,
      environment: index % 3 === 0 ? 'test' : 'production',
      criticalityLevel: 1 + (index % 3),
      lifecycleStatus: 'ready',
      configItems: {},
      nodePools: [],
      createdAt: this.now,
    } as unknown as Cluster);
    this.stores.runtimeById.set(id, { clusterId: id, doorbell: 0, memory: {} });
    return id;
  }

  /** One step of time, then looks of everybody until nothing more comes of them. */
  async tick(step: number): Promise<void> {
    this.now += step;
    let restless: readonly string[] = this.names;
    for (let round = 0; round < MOST_ROUNDS && restless.length > 0; round += 1) {
      for (const cluster of this.stores.clusters.values()) this.moveCluster(cluster);
      const fetched = this.rung.delete(`repository/${REPOSITORY}`) || this.isFetchDue();
      if (fetched) await this.poll();
      const moved: string[] = [];
      for (const name of fetched ? this.names : restless) {
        const before = this.stores.changes;
        await this.pass(name);
        if (this.stores.changes !== before) moved.push(name);
      }
      restless = moved;
    }
  }

  /** As with a webhook: a push is seen at once; without one it is looked every hour. */
  private isFetchDue(): boolean {
    return this.now >= this.nextPoll || this.git.version !== this.fetched;
  }

  private async poll(): Promise<void> {
    this.nextPoll = this.now + hours(1);
    this.fetched = this.git.version;
    await this.fetch();
  }

  async fetch(): Promise<string> {
    return reconcileRepository(this.ports, DEFAULT_ENGINE_SETTINGS, REPOSITORY);
  }

  async pass(name: string): Promise<void> {
    this.passes += 1;
    await reconcileChannel(this.ports, DEFAULT_ENGINE_SETTINGS, name);
  }

  /** Until the condition holds; rejects after `limit` of virtual time. From one due time to the next. */
  async until(what: string, condition: () => boolean, limit = hours(24 * 14)): Promise<void> {
    const end = this.now + limit;
    await this.tick(0);
    while (!condition()) {
      if (this.now > end)
        throw new Error(`not within ${limit / 3_600_000} h of virtual time: ${what}\n${this.describe()}`);
      await this.tick(this.nextStep());
    }
  }

  async passTime(length: number): Promise<void> {
    const end = this.now + length;
    await this.tick(0);
    while (this.now < end) await this.tick(Math.min(end - this.now, this.nextStep()));
  }

  /** To the next moment at which something happens by itself, but no longer than `longestStep`. */
  private nextStep(): number {
    const reasons = this.names.flatMap((name) => this.entry(name)?.reasons ?? []);
    const moments = [
      this.nextPoll,
      ...[...this.busyUntil.values()].map(({ at }) => at),
      ...[...this.jobs.values()].map(({ at }) => at + JOB_TAKES),
      ...reasons.flatMap((one) => one.nextChangeAt ?? []),
    ].filter((at) => at > this.now);
    return Math.min(this.longestStep, ...moments.map((at) => at - this.now));
  }

  entry(name: string) {
    return this.stores.entries.get(name)?.[0];
  }
  commitOf(name: string): string | undefined {
    return this.stores.revisions.get(this.entry(name)?.revisionId ?? '')?.commit;
  }
  status(id: string): ClusterStatus | undefined {
    return this.stores.runtimeById.get(id)?.status;
  }
  clustersOf(name: string): readonly Cluster[] {
    return [...this.stores.clusters.values()].filter((cluster) => cluster.channel === name);
  }
  /** Clusters of a channel that run a file's content in health. */
  running(name: string, path: string, text: string): number {
    return this.clustersOf(name).filter((cluster) => {
      const status = this.status(cluster.id);
      return (
        status?.phase === 'ready' &&
        status.currentVersion !== undefined &&
        this.git.file(status.currentVersion, path) === text
      );
    }).length;
  }
  describe(): string {
    return this.names
      .map((name) => {
        const entry = this.entry(name);
        const paused = this.stores.channelByName.get(name)?.pausedReason ?? '';
        return `${name} ${entry?.phase} ${entry?.wave}/${entry?.waves} ${paused} ${entry?.reasons.map((one) => `${one.gate}:${one.message}`).join('; ')}`;
      })
      .join('\n');
  }

  private moveCluster(cluster: Cluster): void {
    const runtime = this.stores.runtimeById.get(cluster.id) as ClusterRuntime;
    const wanted = runtime.admittedRevisionId;
    if (wanted === undefined || this.settledRevision(runtime) === wanted) return;
    const revision = this.stores.revisions.get(wanted);
    if (!revision) return;
    const busy = this.busyUntil.get(cluster.id);
    if (busy?.revisionId !== wanted) {
      if (runtime.status?.phase === 'failed' && busy === undefined && runtime.memory['failedAt'] === wanted)
        return;
      const same =
        (runtime.memory['settled'] as { treeDigest?: string } | undefined)?.treeDigest ===
        revision.treeDigest;
      const takes = same ? 0 : minutes(15 + (parseInt(sha256Hex(cluster.id + wanted).slice(0, 4), 16) % 25));
      this.busyUntil.set(cluster.id, { revisionId: wanted, at: this.now + takes });
      if (!same) this.setStatus(runtime, { phase: 'updating', since: this.now });
      if (!same) return;
    } else if (busy.at > this.now) return;
    this.busyUntil.delete(cluster.id);
    this.arrive(cluster, runtime, wanted);
  }

  private arrive(cluster: Cluster, runtime: ClusterRuntime, wanted: string): void {
    const revision = this.stores.revisions.get(wanted);
    if (!revision) return;
    const poison = this.git.file(revision.commit, 'cluster/poison.yaml') ?? '';
    if (poison.split('\n').includes(cluster.alias)) {
      this.setStatus(
        { ...runtime, memory: { ...runtime.memory, failedAt: wanted } },
        { phase: 'failed', since: this.now },
      );
      return;
    }
    const desiredDigest = digestOfValue([cluster.id, revision.treeDigest]);
    const settled = {
      revisionId: wanted,
      treeDigest: revision.treeDigest,
      recordDigest: 'r',
      desiredDigest,
      verifiedAt: this.now,
    };
    const last = runtime.status?.currentVersion;
    const before = runtime.memory['settled'] as { readonly treeDigest?: string } | undefined;
    this.setStatus(
      { ...runtime, memory: { settled } },
      {
        phase: 'ready',
        // Another commit of what it runs already is no interruption.
        ...(before?.treeDigest !== revision.treeDigest && { since: this.now }),
        currentVersion: revision.commit,
        desiredDigest,
        serverVersion: VERSION,
        ...(last !== undefined && { lastVersion: last }),
      },
    );
  }

  private settledRevision(runtime: ClusterRuntime): string | undefined {
    return (runtime.memory['settled'] as { revisionId?: string } | undefined)?.revisionId;
  }

  setStatus(runtime: ClusterRuntime, change: Partial<ClusterStatus>): void {
    const base: ClusterStatus = {
      clusterId: runtime.clusterId,
      phase: 'pending',
      message: '',
      problems: [],
      steps: [],
      nodes: [],
      since: this.now,
      consecutiveFailures: 0,
      updatedAt: this.now,
    };
    this.stores.runtimeById.set(runtime.clusterId, {
      ...runtime,
      status: { ...base, ...runtime.status, ...change },
    });
  }

  /** A cluster whose Jobs take ten minutes and print real results. */
  private kubernetesOf(clusterId: string): KubernetesPort {
    const key = (ref: ObjectRef | KubernetesObject): string =>
      `${clusterId} ${'metadata' in ref ? ref.metadata.name : ref.name}`;
    const finished = (name: string): boolean => {
      const job = this.jobs.get(`${clusterId} ${name}`);
      return job !== undefined && this.now >= job.at + JOB_TAKES;
    };
    const port: Partial<KubernetesPort> = {
      serverVersion: async () => VERSION,
      apply: async (object) => {
        if (object.kind === 'Job' && !this.jobs.has(key(object)))
          this.jobs.set(key(object), { run: object, at: this.now });
        return object;
      },
      get: async (ref) => {
        const job = this.jobs.get(key(ref));
        if (!job) return undefined;
        const conditions = finished(ref.name) ? [{ type: 'Complete', status: 'True' }] : [];
        return { ...job.run, status: { conditions } } as unknown as KubernetesObject;
      },
      list: async (kind, options) => {
        if (kind.kind !== 'Pod') return [];
        const name = options?.namespace ?? '';
        const terminated = {
          name: 'conformance',
          state: { terminated: { exitCode: this.isBroken(clusterId) ? 1 : 0 } },
        };
        return [
          {
            apiVersion: 'v1',
            kind: 'Pod',
            metadata: { name: `${name}-pod`, namespace: name },
            spec: { containers: [{ name: 'conformance', env: [] }] },
            status: { containerStatuses: finished(name) ? [terminated] : [] },
          } as unknown as KubernetesObject,
        ];
      },
      podLog: async () => this.resultsOf(clusterId),
      delete: async (ref) => this.jobs.delete(key(ref)),
    };
    return port as KubernetesPort;
  }

  /** Clusters with a backup policy, and when each was last backed up. */
  readonly backedUpAt = new Map<string, Instant | undefined>();

  private backupOf(clusterId: string): BackupStanding {
    const at = this.backedUpAt.get(clusterId);
    const backup = { id: 'b', clusterId, provider: 'etcd', state: 'good', startedAt: at } as BackupRecord;
    const providers = this.backedUpAt.has(clusterId) ? (['etcd'] as const) : [];
    return { clusterId, providers, evidence: at === undefined ? [] : [backup], failures: [] };
  }

  private isBroken(clusterId: string): boolean {
    const commit = this.status(clusterId)?.currentVersion;
    return commit !== undefined && this.git.file(commit, 'cluster/conformance.yaml') === 'broken\n';
  }

  private resultsOf(clusterId: string): string {
    const broken = this.isBroken(clusterId);
    const cases = Array.from({ length: 5 }, (_, index) =>
      broken && index === 2
        ? `<testcase name="[sig-network] DNS should resolve"><failure>no answer</failure></testcase>`
        : `<testcase name="[sig-node] test ${index}"/>`,
    );
    return frameJUnit(
      'junit_01.xml',
      `<testsuites><testsuite name="e2e">${cases.join('')}</testsuite></testsuites>`,
    );
  }
}
