import type { Failure, Instant } from '#kernel';
import { FailureError, toFailure } from '#kernel';
import type { Channel, ChannelRevision, FleetEvent, RepositoryRecord, Revision } from '#fleet';
import { problemOf } from '#fleet';
import type { Lease } from '#ports';
import type { EnginePorts, EngineSettings } from '../engine-ports.js';
import { LeaseKeeper } from '../pass/lease-keeper.js';
import { arrivalOf } from './arrival.js';

/** Id of a revision: one per repository and commit. */
export const revisionIdOf = (repository: string, commit: string): string => `${repository}@${commit}`;

/**
 * Fetches one repository once for all its channels and enters new heads. Any Git error keeps the last good revision and
 * writes nothing but the problem.
 */
export async function reconcileRepository(
  ports: EnginePorts,
  settings: EngineSettings,
  url: string,
): Promise<'busy' | 'unchanged' | 'changed' | 'failed'> {
  const lease = await LeaseKeeper.acquire(ports.leases, ports.clock, `repository/${url}`, settings.leaseTtl);
  if (!lease) return 'busy';
  try {
    return await fetchAndEnter(ports, lease, url);
  } finally {
    await lease.release().catch(() => undefined);
  }
}

async function fetchAndEnter(
  ports: EnginePorts,
  lease: LeaseKeeper,
  url: string,
): Promise<'unchanged' | 'changed' | 'failed'> {
  const now = ports.clock.now();
  const record = (await ports.channels.repositories()).find((known) => known.url === url) ?? { url };
  const channels = (await ports.channels.listChannels()).filter((channel) => channel.repository === url);
  try {
    const heads = await ports.git.fetch(url);
    let changed = false;
    const refused: unknown[] = [];
    for (const channel of channels) {
      try {
        changed = (await enterHead(ports, lease, channel, heads)) || changed;
      } catch (thrown) {
        if (toFailure(thrown).class !== 'invalid') throw thrown;
        refused.push(thrown);
      }
    }
    // Bad content on one branch is told; it does not keep the other channels from their heads.
    if (refused.length > 0) throw together(refused);
    await noteSuccess(ports, await lease.current(), record, now);
    return changed ? 'changed' : 'unchanged';
  } catch (thrown) {
    const failure = toFailure(thrown);
    if (failure.code === 'lease-lost') throw thrown;
    await noteFailure(ports, await lease.current(), record, failure, now);
    return 'failed';
  }
}

/** Everything that is wrong with the branches, as one failure of their repository. */
function together(refused: readonly unknown[]): unknown {
  if (refused.length === 1) return refused[0];
  const failures = refused.map(toFailure);
  const message = failures.map((failure) => failure.message).join('; ');
  return new FailureError({ ...(failures[0] as Failure), message });
}

const branchGone = (channel: Channel, commit: string): never => {
  throw new FailureError({
    class: 'invalid',
    code: 'branch-missing',
    message: `branch ${channel.branch} is not in the repository any more; channel ${channel.name} stays at ${commit.slice(0, 12)}, and nothing enters it`,
    hint: `Push the branch again: git push origin ${commit}:refs/heads/${channel.branch}. A channel that is no longer wanted is taken out of FAIRWAY_CHANNELS.`,
  });
};

async function enterHead(
  ports: EnginePorts,
  lease: LeaseKeeper,
  channel: Channel,
  heads: ReadonlyMap<string, string>,
): Promise<boolean> {
  const commit = heads.get(channel.branch);
  // A channel that was never seen gets its branch by the first promotion.
  if (commit === undefined && channel.headCommit !== undefined) branchGone(channel, channel.headCommit);
  if (commit === undefined || commit === channel.headCommit) return false;
  // A tree that cannot be read must not become the head: its policy is what the next head is judged by.
  await ports.git.readTree(channel.repository, commit);
  const rewritten =
    channel.headCommit !== undefined &&
    !(await ports.git.isAncestor(channel.repository, channel.headCommit, commit));
  const revision = await readRevision(ports, channel.repository, commit);
  const { entry, note } = await arrivalOf(ports, channel, revision);
  const paused = rewritten ? 'history-rewritten' : undefined;
  await ports.channels.recordHead(
    await lease.current(),
    { channel: channel.name, revision, entry, ...(paused !== undefined && { pausedReason: paused }) },
    [
      seen(channel, revision, entry, ports.clock.now()),
      ...(note === undefined
        ? []
        : [{ ...note, at: ports.clock.now(), subject: `channel/${channel.name}`, channel: channel.name }]),
      ...(paused ? [rewrittenEvent(channel, commit, ports.clock.now())] : []),
    ],
  );
  await ports.doorbell.ring(`channel/${channel.name}`).catch(() => undefined);
  return true;
}

async function readRevision(ports: EnginePorts, repository: string, commit: string): Promise<Revision> {
  const [facts, treeDigest] = await Promise.all([
    ports.git.commit(repository, commit),
    ports.git.treeDigest(repository, commit),
  ]);
  return { id: revisionIdOf(repository, commit), repository, treeDigest, ...facts };
}

function seen(channel: Channel, revision: Revision, entry: ChannelRevision, at: Instant): FleetEvent {
  const held = entry.phase === 'held';
  return {
    type: held ? 'revision.held' : 'revision.seen',
    at,
    severity: held ? 'warning' : 'info',
    subject: `channel/${channel.name}`,
    channel: channel.name,
    message: held
      ? `${channel.name}: ${revision.commit.slice(0, 12)} is held: ${entry.reasons.map((reason) => reason.message).join('; ')}`
      : `${channel.name}: ${revision.commit.slice(0, 12)} ${revision.subject}`,
    data: {
      commit: revision.commit,
      revisionId: revision.id,
      author: revision.author,
      subject: revision.subject,
    },
  };
}

function rewrittenEvent(channel: Channel, commit: string, at: Instant): FleetEvent {
  return {
    type: 'channel.paused',
    at,
    severity: 'error',
    subject: `channel/${channel.name}`,
    channel: channel.name,
    message: `${channel.name}: branch ${channel.branch} was rewritten (${channel.headCommit?.slice(0, 12)} is no ancestor of ${commit.slice(0, 12)}); nothing is rolled out until somebody acknowledges it`,
    data: { from: channel.headCommit, to: commit, reason: 'history-rewritten' },
  };
}

async function noteSuccess(
  ports: EnginePorts,
  lease: Lease,
  record: RepositoryRecord,
  now: Instant,
): Promise<void> {
  const healed = record.problem;
  await ports.channels.recordFetch(
    lease,
    { url: record.url, lastFetchAt: now, lastSuccessAt: now },
    healed
      ? [
          repositoryEvent(
            record.url,
            'problem.resolved',
            'info',
            `resolved: ${healed.title}`,
            healed.detail ?? '',
            now,
          ),
        ]
      : [],
  );
}

/** One problem, however often it is met: the event's key is the trouble, not the time. */
async function noteFailure(
  ports: EnginePorts,
  lease: Lease,
  record: RepositoryRecord,
  failure: Failure,
  now: Instant,
): Promise<void> {
  const problem = {
    ...problemOf(failure, `repository/${record.url}`),
    firstSeen: record.problem?.firstSeen ?? now,
    lastSeen: now,
  };
  const known = record.problem?.type === problem.type && record.problem.detail === problem.detail;
  await ports.channels.recordFetch(
    lease,
    { ...record, lastFetchAt: now, problem },
    known
      ? []
      : [
          repositoryEvent(
            record.url,
            'problem.raised',
            'error',
            `${problem.title}: ${problem.detail}`,
            problem.detail ?? '',
            now,
          ),
        ],
  );
}

function repositoryEvent(
  url: string,
  type: string,
  severity: FleetEvent['severity'],
  message: string,
  key: string,
  at: Instant,
): FleetEvent {
  return {
    type,
    at,
    severity,
    subject: `repository/${url}`,
    message,
    data: { repository: url },
    dedupeKey: key,
  };
}
