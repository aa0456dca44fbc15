import { fail, type Clock } from '#kernel';
import type { Channel, ChannelRevision, FleetEvent, RepositoryRecord, Revision } from '#fleet';
import type { ChannelCommit, ChannelStorePort, Lease } from '#ports';
import type { Database, Transaction } from '../database.js';
import { DUE_PRIORITY, markDue } from '../due.js';
import {
  ChannelEntity,
  ChannelRevisionEntity,
  RepositoryEntity,
  RevisionEntity,
  type ChannelRevisionRow,
} from '../entities/channels.schema.js';
import { complete } from '../entities/columns.js';
import { ConformanceRunEntity } from '../entities/updates.schema.js';
import type { EventWriter } from '../event-writer.js';
import { domainRow, storableText, withoutNulls } from '../json.js';
import { syncProblems } from '../problem-writer.js';
import { fence } from './lease.repository.js';

type Head = Parameters<ChannelStorePort['recordHead']>[1];
type ConfiguredChannel = Pick<Channel, 'name' | 'repository' | 'branch' | 'from' | 'position'>;

/** A channel that changes its repository or branch begins without a head. */
const UPSERT_CHANNEL = `
  INSERT INTO channels AS c (name, repository, branch, from_channel, position) VALUES ($1, $2, $3, $4, $5)
  ON CONFLICT (name) DO UPDATE
     SET repository = EXCLUDED.repository, branch = EXCLUDED.branch, from_channel = EXCLUDED.from_channel,
         position = EXCLUDED.position,
         head_commit = CASE WHEN (c.repository, c.branch) = (EXCLUDED.repository, EXCLUDED.branch)
                            THEN c.head_commit END,
         head_revision_id = CASE WHEN (c.repository, c.branch) = (EXCLUDED.repository, EXCLUDED.branch)
                                 THEN c.head_revision_id END`;

const DELETE_UNUSED_CHANNELS = `
  DELETE FROM channels ch WHERE ch.name <> ALL ($1::text[])
     AND NOT EXISTS (SELECT 1 FROM clusters c WHERE c.channel = ch.name)`;

const DELETE_UNUSED_REPOSITORIES = `
  DELETE FROM repositories r WHERE NOT EXISTS (SELECT 1 FROM channels c WHERE c.repository = r.url)`;

/** A pause stays until somebody takes it away with a channel commit; a new head alone does not. */
const MOVE_HEAD = `
  UPDATE channels SET head_commit = $2, head_revision_id = $3, paused_reason = COALESCE($4, paused_reason)
   WHERE name = $1`;

const SUPERSEDE_OTHERS = `
  UPDATE channel_revisions SET phase = 'superseded'
   WHERE channel = $1 AND revision_id <> $2
     AND phase NOT IN ('promoted', 'failed', 'superseded', 'rolled-back')`;

const ADMIT = `
  UPDATE cluster_runtimes r SET admitted_revision_id = a.revision_id
    FROM unnest($1::text[], $2::text[]) AS a (cluster_id, revision_id)
   WHERE r.cluster_id = a.cluster_id AND r.admitted_revision_id IS DISTINCT FROM a.revision_id
  RETURNING r.cluster_id`;

/** Channels, repositories and the revisions on them. */
export class ChannelRepository {
  constructor(
    private readonly database: Database,
    private readonly events: EventWriter,
    private readonly clock: Clock,
  ) {}

  async sync(channels: readonly ConfiguredChannel[]): Promise<void> {
    await this.database.transaction(async (tx) => {
      // Replicas that boot at once do this together; one at a time keeps it free of deadlocks.
      await tx.rows(`SELECT pg_advisory_xact_lock(7020103)`);
      for (const url of new Set(channels.map(({ repository }) => repository))) {
        await tx.execute('INSERT INTO repositories (url) VALUES ($1) ON CONFLICT DO NOTHING', [url]);
      }
      for (const { name, repository, branch, from, position } of channels) {
        await tx.execute(UPSERT_CHANNEL, [name, repository, branch, from ?? null, position]);
      }
      await tx.execute(DELETE_UNUSED_CHANNELS, [channels.map(({ name }) => name)]);
      await tx.execute(DELETE_UNUSED_REPOSITORIES);
    });
  }

  async list(): Promise<readonly Channel[]> {
    const order = { position: 'ASC', name: 'ASC' } as const;
    const rows = await this.database.read((manager) => manager.find(ChannelEntity, { order }));
    return rows.map(withoutNulls) as readonly Channel[];
  }

  async repositories(): Promise<readonly RepositoryRecord[]> {
    const rows = await this.database.read((manager) =>
      manager.find(RepositoryEntity, { order: { url: 'ASC' } }),
    );
    return rows.map(withoutNulls) as readonly RepositoryRecord[];
  }

  async recordFetch(lease: Lease, repository: RepositoryRecord, news: readonly FleetEvent[]): Promise<void> {
    await this.database.transaction(async (tx) => {
      await fence(tx, lease);
      await tx.manager.upsert(RepositoryEntity, complete(RepositoryEntity, repository), ['url']);
      const problems = repository.problem ? [repository.problem] : [];
      await syncProblems(tx, `repository/${repository.url}`, problems, this.clock.now());
      await this.events.append(tx, news);
    });
  }

  async recordHead(lease: Lease, head: Head, news: readonly FleetEvent[]): Promise<void> {
    await this.database.transaction(async (tx) => {
      await fence(tx, lease);
      const { channel, revision, entry, pausedReason } = head;
      const known = await tx.manager.existsBy(RevisionEntity, { id: revision.id });
      if (!known) await this.insertRevision(tx, revision);
      const reason = pausedReason === undefined ? null : storableText(pausedReason);
      await tx.execute(MOVE_HEAD, [channel, revision.commit, revision.id, reason]);
      await tx.execute(SUPERSEDE_OTHERS, [channel, revision.id]);
      await this.enter(tx, entry);
      await this.events.append(tx, news);
    });
  }

  async getRevision(id: string): Promise<Revision | undefined> {
    return (await this.database.read((manager) => manager.findOneBy(RevisionEntity, { id }))) ?? undefined;
  }

  async revisionsByTree(treeDigest: string): Promise<readonly Revision[]> {
    return this.database.read((manager) =>
      manager.find(RevisionEntity, { where: { treeDigest }, order: { id: 'ASC' } }),
    );
  }

  async entries(channel: string, take: number): Promise<readonly ChannelRevision[]> {
    const rows = await this.database.read((manager) =>
      manager.find(ChannelRevisionEntity, { where: { channel }, order: { entry: 'DESC' }, take }),
    );
    return rows.map(toEntry);
  }

  async commit(lease: Lease, commit: ChannelCommit): Promise<void> {
    await this.database.transaction(async (tx) => {
      await fence(tx, lease);
      const { channel, current, admit, runs, pausedReason, events } = commit;
      if (current) {
        await requireHead(tx, channel, current.revisionId);
        const row = complete(ChannelRevisionEntity, current as ChannelRevisionRow);
        await tx.manager.upsert(ChannelRevisionEntity, row, ['channel', 'revisionId']);
      }
      for (const run of runs) {
        await tx.manager.upsert(ConformanceRunEntity, complete(ConformanceRunEntity, run), ['id']);
      }
      if (pausedReason !== undefined) {
        const reason = pausedReason === null ? null : storableText(pausedReason);
        await tx.execute('UPDATE channels SET paused_reason = $2 WHERE name = $1', [channel, reason]);
      }
      await this.admit(tx, admit);
      await this.events.append(tx, events);
    });
  }

  /** Another replica may insert the same revision for another channel at the same time; they are equal. */
  private async insertRevision(tx: Transaction, revision: Revision): Promise<void> {
    await tx.execute(
      `INSERT INTO revisions (id, repository, commit, tree_digest, author, subject, committed_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (id) DO NOTHING`,
      [
        revision.id,
        revision.repository,
        revision.commit,
        revision.treeDigest,
        storableText(revision.author),
        storableText(revision.subject),
        revision.committedAt,
      ],
    );
  }

  /** A branch that comes back to a revision enters it anew, as the newest. */
  private async enter(tx: Transaction, entry: ChannelRevision): Promise<void> {
    const { channel, revisionId } = entry;
    await tx.manager.delete(ChannelRevisionEntity, { channel, revisionId });
    await tx.manager.insert(
      ChannelRevisionEntity,
      complete(ChannelRevisionEntity, entry as ChannelRevisionRow),
    );
  }

  /** Clusters that are admitted to this revision already are not woken again. */
  private async admit(tx: Transaction, admit: ChannelCommit['admit']): Promise<void> {
    if (admit.length === 0) return;
    const sorted = [...admit].sort((a, b) => (a.clusterId < b.clusterId ? -1 : 1));
    const ids = sorted.map(({ clusterId }) => clusterId);
    await tx.rows(
      'SELECT 1 FROM cluster_runtimes WHERE cluster_id = ANY ($1::text[]) ORDER BY cluster_id FOR UPDATE',
      [ids],
    );
    const revisions = sorted.map(({ revisionId }) => revisionId);
    const moved = await tx.rows<{ cluster_id: string }>(ADMIT, [ids, revisions]);
    const woken = moved.map((row) => row.cluster_id);
    await markDue(tx, woken, this.clock.now(), DUE_PRIORITY.other);
  }
}

/**
 * Heads move under the lease of the repository, not of the channel: a pass that decided on the head before must not
 * bring that one back or admit clusters to it.
 */
async function requireHead(tx: Transaction, channel: string, revisionId: string): Promise<void> {
  const [row] = await tx.rows<{ head: string | null }>(
    'SELECT head_revision_id AS head FROM channels WHERE name = $1 FOR NO KEY UPDATE',
    [channel],
  );
  const head = row?.head ?? revisionId;
  if (head === revisionId) return;
  fail({
    class: 'conflict',
    code: 'channel-moved',
    message: `the head of channel ${channel} is ${head} now, the decision was made for ${revisionId}`,
    hint: 'Observe the channel again.',
  });
}

const toEntry = (row: ChannelRevisionRow): ChannelRevision => domainRow(row, 'entry');
