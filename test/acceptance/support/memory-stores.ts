import { FailureError, fail, type Clock } from '#kernel';
import type {
  ApprovalRecord,
  BrokenGlass,
  Channel,
  ChannelRequest,
  ChannelRevision,
  Cluster,
  ClusterStanding,
  ConformanceLog,
  ConformanceRun,
  FleetEvent,
  GateAnswer,
  Hold,
  Problem,
  Promotion,
  RepositoryRecord,
  Revision,
} from '#fleet';
import type {
  ChannelStorePort,
  ClusterRuntime,
  Lease,
  LeasePort,
  PromotionStorePort,
  RegistryPort,
  StoredPolicy,
  UpdateStorePort,
} from '#ports';

/** Stores that behave as the Postgres ones do, in memory, so that weeks of a fleet's life fit into seconds. */
export class MemoryStores {
  readonly events: FleetEvent[] = [];
  readonly clusters = new Map<string, Cluster>();
  readonly runtimeById = new Map<string, ClusterRuntime>();
  readonly channelByName = new Map<string, Channel>();
  readonly entries = new Map<string, ChannelRevision[]>();
  readonly revisions = new Map<string, Revision>();
  readonly runs = new Map<string, ConformanceRun>();
  readonly logs = new Map<string, ConformanceLog>();
  readonly promotionById = new Map<string, Promotion>();
  readonly holdById = new Map<string, Hold>();
  readonly repositoryByUrl = new Map<string, RepositoryRecord>();
  readonly approvalList: ApprovalRecord[] = [];
  readonly glass: BrokenGlass[] = [];
  readonly requestById = new Map<string, ChannelRequest>();
  readonly answerByKey = new Map<string, GateAnswer>();
  readonly policyByChannel = new Map<string, StoredPolicy>();
  readonly problems = new Map<string, readonly Problem[]>();
  /** Grows with every write of the engine. */
  changes = 0;
  private readonly held = new Map<string, Lease>();
  private token = 0;

  constructor(
    private readonly clock: Clock,
    /** The store's own clock; another one than the workers'. */
    private readonly storeClock: Clock = clock,
  ) {}

  readonly leases: LeasePort = {
    acquire: async (name, ttl) => {
      const known = this.held.get(name);
      if (known && known.expiresAt > this.storeClock.now()) return undefined;
      const lease = { name, token: (this.token += 1), expiresAt: this.storeClock.now() + ttl };
      this.held.set(name, lease);
      return lease;
    },
    renew: async (lease, ttl) => {
      if (this.held.get(lease.name)?.token !== lease.token) return undefined;
      const renewed = { ...lease, expiresAt: this.storeClock.now() + ttl };
      this.held.set(lease.name, renewed);
      return renewed;
    },
    release: async (lease) => {
      if (this.held.get(lease.name)?.token === lease.token) this.held.delete(lease.name);
    },
  };

  readonly registry = {
    listClusters: async ({ channel }: { readonly channel?: string }) =>
      [...this.clusters.values()].filter((one) => channel === undefined || one.channel === channel),
    getCluster: async (id: string) => this.clusters.get(id),
  } as unknown as RegistryPort;

  readonly updates = {
    runtime: async (id: string) => this.runtimeById.get(id),
    runtimes: async (ids: readonly string[]) => ids.flatMap((id) => this.runtimeById.get(id) ?? []),
    channelStandings: async (channel: string) =>
      [...this.clusters.values()]
        .filter((cluster) => cluster.channel === channel)
        .map((cluster) => standingOf(cluster, this.runtimeById.get(cluster.id))),
  } as unknown as UpdateStorePort;

  readonly channels: ChannelStorePort = {
    syncChannels: async (list) => {
      for (const channel of list)
        this.channelByName.set(channel.name, { ...this.channelByName.get(channel.name), ...channel });
    },
    listChannels: async () => [...this.channelByName.values()].sort((a, b) => a.position - b.position),
    repositories: async () => [...this.repositoryByUrl.values()],
    recordFetch: async (lease, record, events) => {
      this.fence(lease);
      this.repositoryByUrl.set(record.url, record);
      this.append(events);
    },
    recordHead: async (lease, { channel, revision, entry, pausedReason }, events) => {
      this.fence(lease);
      this.revisions.set(revision.id, revision);
      const known = this.channelByName.get(channel) as Channel;
      this.channelByName.set(channel, {
        ...known,
        headCommit: revision.commit,
        headRevisionId: revision.id,
        ...(pausedReason !== undefined && { pausedReason }),
      });
      const over = ['promoted', 'failed', 'superseded', 'rolled-back'];
      const older = (this.entries.get(channel) ?? [])
        .filter((one) => one.revisionId !== revision.id)
        .map((one) => (over.includes(one.phase) ? one : { ...one, phase: 'superseded' as const }));
      this.entries.set(channel, [entry, ...older]);
      this.append(events);
    },
    getRevision: async (id) => this.revisions.get(id),
    revisionsByTree: async (digest) =>
      [...this.revisions.values()].filter((one) => one.treeDigest === digest),
    channelRevisions: async (channel, limit) => (this.entries.get(channel) ?? []).slice(0, limit),
    commitChannel: async (lease, commit) => {
      this.fence(lease);
      const channel = this.channelByName.get(commit.channel) as Channel;
      if (commit.current) {
        if (channel.headRevisionId !== undefined && channel.headRevisionId !== commit.current.revisionId)
          fail({ class: 'conflict', code: 'channel-moved', message: 'moved' });
        const { current } = commit;
        const list = this.entries.get(commit.channel) ?? [];
        this.entries.set(
          commit.channel,
          list.map((one) => (one.revisionId === current.revisionId ? current : one)),
        );
      }
      for (const run of commit.runs) this.runs.set(run.id, run);
      if (commit.pausedReason === null) {
        const { pausedReason: _gone, ...rest } = channel;
        this.channelByName.set(channel.name, rest);
      } else if (commit.pausedReason !== undefined) {
        this.channelByName.set(channel.name, { ...channel, pausedReason: commit.pausedReason });
      }
      for (const { clusterId, revisionId } of commit.admit) {
        const runtime = this.runtimeById.get(clusterId) as ClusterRuntime;
        this.runtimeById.set(clusterId, { ...runtime, admittedRevisionId: revisionId });
      }
      this.append(commit.events);
    },
    runsFor: async (filter, limit) =>
      [...this.runs.values()]
        .filter(
          (run) =>
            (filter.treeDigest === undefined || run.treeDigest === filter.treeDigest) &&
            (filter.channel === undefined || run.channel === filter.channel) &&
            (filter.clusterId === undefined || run.clusterId === filter.clusterId),
        )
        .sort((a, b) => b.createdAt - a.createdAt)
        .slice(0, limit),
    unfinishedRuns: async (id) =>
      [...this.runs.values()].filter((run) => run.clusterId === id && run.state !== 'finished'),
    saveRun: async (lease, run, events) => {
      this.fence(lease);
      this.runs.set(run.id, run);
      this.append(events);
    },
    getRun: async (id) => this.runs.get(id),
    conformanceLog: async (runId) => this.logs.get(runId),
    saveConformanceLog: async (lease, log) => {
      this.fence(lease);
      this.logs.set(log.runId, log);
    },
    forgetConformanceLogs: async (before) => {
      const old = [...this.logs.values()].filter((log) => log.updatedAt < before);
      for (const log of old) this.logs.delete(log.runId);
      return old.length;
    },
    recordPromotion: async (lease, promotion) => {
      this.fence(lease);
      this.promotionById.set(promotion.id, promotion);
    },
    settlePromotion: async (lease, promotion, events) => {
      this.fence(lease);
      this.promotionById.set(promotion.id, promotion);
      this.append(events);
    },
    promotions: async (limit, filter = {}) =>
      [...this.promotionById.values()]
        .reverse()
        .filter(
          (one) =>
            (filter.toChannel === undefined || one.toChannel === filter.toChannel) &&
            (filter.state === undefined || one.state === filter.state),
        )
        .slice(0, limit),
    holds: async () => {
      const now = this.clock.now();
      return [...this.holdById.values()].filter(
        (hold) => hold.expiresAt === undefined || hold.expiresAt > now,
      );
    },
    addHold: async (hold) => void this.holdById.set(hold.id, hold),
    releaseHold: async (id) => void this.holdById.delete(id),
  };

  readonly decisions: PromotionStorePort = {
    approvals: async (channel, treeDigest) =>
      this.approvalList.filter((one) => one.channel === channel && one.treeDigest === treeDigest),
    addApproval: async (approval, event) => {
      this.approvalList.push(approval);
      this.append([event]);
    },
    brokenGlass: async (channel, treeDigest, now) =>
      this.glass.filter(
        (one) => one.channel === channel && one.treeDigest === treeDigest && one.expiresAt > now,
      ),
    addBrokenGlass: async (glass, event) => {
      this.glass.push(glass);
      this.append([event]);
    },
    getRequest: async (id) => this.requestById.get(id),
    openRequests: async (channel) =>
      [...this.requestById.values()].filter((one) => one.channel === channel && one.state === 'open'),
    requests: async (channel, limit) =>
      [...this.requestById.values()].filter((one) => one.channel === channel).slice(0, limit),
    addRequest: async (request, event) => {
      this.requestById.set(request.id, request);
      this.append([event]);
    },
    settleRequest: async (lease, request, events) => {
      this.fence(lease);
      this.requestById.set(request.id, request);
      this.append(events);
    },
    answers: async (channel) => [...this.answerByKey.values()].filter((one) => one.channel === channel),
    saveAnswers: async (answers) => {
      for (const one of answers) this.answerByKey.set(`${one.channel} ${one.gate} ${one.name}`, one);
    },
    policies: async () => [...this.policyByChannel.values()],
    savePolicy: async (lease, policy, events) => {
      this.fence(lease);
      // As JSON, the way the API will read it.
      this.policyByChannel.set(policy.channel, JSON.parse(JSON.stringify(policy)) as StoredPolicy);
      this.append(events);
    },
    saveProblems: async (lease, subject, problems, events) => {
      this.fence(lease);
      this.problems.set(subject, problems);
      this.append(events);
    },
  };

  private append(events: readonly FleetEvent[]): void {
    this.events.push(...events);
  }

  private fence(lease: Lease): void {
    this.changes += 1;
    if (this.held.get(lease.name)?.token === lease.token) return;
    throw new FailureError({ class: 'conflict', code: 'lease-lost', message: lease.name });
  }
}

function standingOf(cluster: Cluster, runtime: ClusterRuntime | undefined): ClusterStanding {
  const { id, alias, environment, criticalityLevel, lifecycleStatus, createdAt } = cluster;
  const { phase, since, currentVersion, desiredDigest, serverVersion, problems = [] } = runtime?.status ?? {};
  const settled = runtime?.memory['settled'] as { readonly treeDigest: string } | undefined;
  return {
    id,
    alias,
    environment,
    criticalityLevel,
    lifecycleStatus,
    createdAt,
    canary: cluster.configItems['fairway_canary'] === 'true',
    problems: problems.slice(0, 10),
    ...(runtime?.admittedRevisionId !== undefined && { admittedRevisionId: runtime.admittedRevisionId }),
    ...(settled && { settledTree: settled.treeDigest }),
    ...(phase !== undefined && { phase }),
    ...(since !== undefined && { since }),
    ...(currentVersion !== undefined && { currentVersion }),
    ...(desiredDigest !== undefined && { desiredDigest }),
    ...(serverVersion !== undefined && { serverVersion }),
  };
}
