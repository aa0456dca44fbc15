import type { Instant } from '#kernel';
import type {
  Channel,
  ChannelRevision,
  ConformanceLog,
  ConformanceRun,
  FleetEvent,
  Hold,
  Promotion,
  RepositoryRecord,
  Revision,
} from '#fleet';
import type { Lease } from './lease.port.js';

/** What the channel reconciler writes at the end of its pass, in one transaction. */
export interface ChannelCommit {
  readonly channel: string;
  readonly current?: ChannelRevision;
  /** Clusters that may now move to the revision; they become due at once. */
  readonly admit: readonly { readonly clusterId: string; readonly revisionId: string }[];
  readonly runs: readonly ConformanceRun[];
  readonly pausedReason?: string | null;
  readonly events: readonly FleetEvent[];
}

/** Channels, revisions, conformance evidence, promotions and holds. Fencing as in `UpdateStorePort`. */
export interface ChannelStorePort {
  /** Creates or updates the configured channels; never deletes one that has clusters. */
  syncChannels(
    channels: readonly Pick<Channel, 'name' | 'repository' | 'branch' | 'from' | 'position'>[],
  ): Promise<void>;
  listChannels(): Promise<readonly Channel[]>;
  repositories(): Promise<readonly RepositoryRecord[]>;
  recordFetch(lease: Lease, repository: RepositoryRecord, events: readonly FleetEvent[]): Promise<void>;

  /** New head of a channel: stores the revision and enters it into the channel, with events, in one transaction. */
  recordHead(
    lease: Lease,
    head: {
      readonly channel: string;
      readonly revision: Revision;
      readonly entry: ChannelRevision;
      readonly pausedReason?: string;
    },
    events: readonly FleetEvent[],
  ): Promise<void>;
  getRevision(id: string): Promise<Revision | undefined>;
  revisionsByTree(treeDigest: string): Promise<readonly Revision[]>;
  /** Newest first. */
  channelRevisions(channel: string, limit: number): Promise<readonly ChannelRevision[]>;
  commitChannel(lease: Lease, commit: ChannelCommit): Promise<void>;

  runsFor(
    filter: { readonly treeDigest?: string; readonly channel?: string; readonly clusterId?: string },
    limit: number,
  ): Promise<readonly ConformanceRun[]>;
  unfinishedRuns(clusterId: string): Promise<readonly ConformanceRun[]>;
  saveRun(lease: Lease, run: ConformanceRun, events: readonly FleetEvent[]): Promise<void>;
  getRun(id: string): Promise<ConformanceRun | undefined>;
  conformanceLog(runId: string): Promise<ConformanceLog | undefined>;
  saveConformanceLog(lease: Lease, log: ConformanceLog): Promise<void>;
  /** Logs that nothing was added to since then. Returns how many went. */
  forgetConformanceLogs(before: Instant): Promise<number>;

  recordPromotion(lease: Lease, promotion: Promotion): Promise<void>;
  settlePromotion(lease: Lease, promotion: Promotion, events: readonly FleetEvent[]): Promise<void>;
  promotions(
    limit: number,
    filter?: { readonly toChannel?: string; readonly state?: Promotion['state'] },
  ): Promise<readonly Promotion[]>;

  holds(): Promise<readonly Hold[]>;
  addHold(hold: Hold, actor: string): Promise<void>;
  releaseHold(id: string, actor: string, now: Instant): Promise<void>;
}
