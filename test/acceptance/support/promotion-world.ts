import { hours, type Instant } from '#kernel';
import type { BackupRecord, BackupStanding, Cluster, ClusterStatus } from '#fleet';
import { DEFAULT_ENGINE_SETTINGS, reconcileChannel, reconcileRepository, type EnginePorts } from '#engine';
import type { ClusterRuntime } from '#ports';
import { MemoryGit } from './memory-git.js';
import { MemoryStores } from './memory-stores.js';
import { WorldClusters } from './world-clusters.js';
import { WorldJobs } from './world-jobs.js';

export const REPOSITORY = 'https://git.example.org/config.git';
/** A Monday morning in Berlin, in summer. */
export const START = Date.parse('2026-06-01T06:00:00Z');
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
  private readonly life: WorldClusters;
  private readonly jobs: WorldJobs;
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
    this.life = new WorldClusters(this.stores, this.git, () => this.now);
    this.jobs = new WorldJobs(this.stores, this.git, () => this.now);
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
      kubernetes: { connect: async (cluster) => this.jobs.of(cluster.id) },
      aws: {} as EnginePorts['aws'],
      // Clusters of this world are locked to nothing: there is nothing to render for them.
      configs: {
        standing: async () => ({ refreshAsked: false, overrides: [] }),
      } as unknown as EnginePorts['configs'],
      renderer: {} as NonNullable<EnginePorts['renderer']>,
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
      for (const cluster of this.stores.clusters.values()) this.life.move(cluster);
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
      ...this.life.arrivals,
      ...this.jobs.ends,
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

  /** Clusters with a backup policy, and when each was last backed up. */
  readonly backedUpAt = new Map<string, Instant | undefined>();

  setStatus(runtime: ClusterRuntime, change: Partial<ClusterStatus>): void {
    this.life.setStatus(runtime, change);
  }

  private backupOf(clusterId: string): BackupStanding {
    const at = this.backedUpAt.get(clusterId);
    const backup = { id: 'b', clusterId, provider: 'etcd', state: 'good', startedAt: at } as BackupRecord;
    const providers = this.backedUpAt.has(clusterId) ? (['etcd'] as const) : [];
    return { clusterId, providers, evidence: at === undefined ? [] : [backup], failures: [] };
  }
}
