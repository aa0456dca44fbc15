import type { Clock } from '#kernel';
import type { ChannelStorePort } from '#ports';
import type { Database } from '../database.js';
import type { EventWriter } from '../event-writer.js';
import { ChannelRepository } from './channel.repository.js';
import { EvidenceRepository } from './evidence.repository.js';
import { HoldRepository } from './hold.repository.js';

/** Channels, revisions, conformance evidence, promotions and holds. */
export function createChannelStore(database: Database, events: EventWriter, clock: Clock): ChannelStorePort {
  const channels = new ChannelRepository(database, events, clock);
  const evidence = new EvidenceRepository(database, events);
  const holds = new HoldRepository(database, events, clock);
  return {
    syncChannels: (list) => channels.sync(list),
    listChannels: () => channels.list(),
    repositories: () => channels.repositories(),
    recordFetch: (lease, repository, news) => channels.recordFetch(lease, repository, news),
    recordHead: (lease, head, news) => channels.recordHead(lease, head, news),
    getRevision: (id) => channels.getRevision(id),
    revisionsByTree: (treeDigest) => channels.revisionsByTree(treeDigest),
    channelRevisions: (channel, limit) => channels.entries(channel, limit),
    commitChannel: (lease, commit) => channels.commit(lease, commit),
    runsFor: (filter, limit) => evidence.runs(filter, limit),
    unfinishedRuns: (clusterId) => evidence.unfinishedRuns(clusterId),
    saveRun: (lease, run, news) => evidence.saveRun(lease, run, news),
    getRun: (id) => evidence.getRun(id),
    conformanceLog: (runId) => evidence.log(runId),
    saveConformanceLog: (lease, log) => evidence.saveLog(lease, log),
    forgetConformanceLogs: (before) => evidence.forgetLogs(before),
    recordPromotion: (lease, promotion) => evidence.savePromotion(lease, promotion, []),
    settlePromotion: (lease, promotion, news) => evidence.savePromotion(lease, promotion, news),
    promotions: (limit, filter) => evidence.promotions(limit, filter),
    holds: () => holds.active(),
    addHold: (hold, actor) => holds.add(hold, actor),
    releaseHold: (id, actor, now) => holds.release(id, actor, now),
  };
}
