import { formatDuration, type Instant } from '#kernel';
import type { Channel, ChannelRevision, GateAnswer, Promotion, Revision } from '#fleet';
import {
  evaluateGates,
  type BackupFact,
  type ChannelPolicy,
  type ClusterFacts,
  type GateEvaluation,
  type OutsideAnswer,
} from '#promotion';
import type { BackupStorePort } from '#ports';
import { judgeFreshness } from '#upgrade';
import type { EnginePorts } from '../engine-ports.js';
import { factsOf } from './channel-view.js';
import { unlessInvalid } from './policy-in-force.js';
import { channelPolicyOf, type PolicySource } from './policy-reader.js';
import { readyClusters } from './ready-clusters.js';

/** What judging needs: stored facts only, so that the API judges as the worker does. */
export type GatePorts = Pick<EnginePorts, 'registry' | 'updates' | 'channels' | 'decisions' | 'clock'> & {
  readonly backups?: Pick<BackupStorePort, 'backupStandings'>;
};

export async function earlierEntries(
  ports: Pick<GatePorts, 'channels'>,
  channel: string,
  revision: Revision,
): Promise<readonly ChannelRevision[]> {
  const same = new Set((await ports.channels.revisionsByTree(revision.treeDigest)).map((one) => one.id));
  return (await ports.channels.channelRevisions(channel, 100)).filter((entry) => same.has(entry.revisionId));
}

/**
 * The entry of the same content that the channel's clusters run now: the newest that was let in, unless it failed or was
 * rolled back. Heads that were held in between changed nothing.
 */
export async function presentEntry(
  ports: Pick<GatePorts, 'channels'>,
  channel: string,
  revision: Revision,
): Promise<ChannelRevision | undefined> {
  const entries = await ports.channels.channelRevisions(channel, 100);
  const newest = entries.find((entry) => entry.admitted && entry.revisionId !== revision.id);
  if (newest === undefined || newest.phase === 'failed' || newest.phase === 'rolled-back') return undefined;
  const runs = await ports.channels.getRevision(newest.revisionId);
  return runs?.treeDigest === revision.treeDigest ? newest : undefined;
}

/**
 * The channel's gates for this content, by what happened in the channel before it; undefined if it never was there.
 * Lists, API, automation and the executor all come through here.
 */
export async function gatesFor(
  ports: GatePorts,
  target: Channel,
  policy: ChannelPolicy,
  revision: Revision,
  seen?: { readonly facts: readonly ClusterFacts[] },
): Promise<GateEvaluation | undefined> {
  if (policy.from === undefined) return undefined;
  const [source] = await earlierEntries(ports, policy.from, revision);
  if (!source) return undefined;
  const now = ports.clock.now();
  const [facts, targetClusters, backups, runs, holds, approvals, answers, done] = await Promise.all([
    seen?.facts ?? factsIn(ports, policy.from, revision, source),
    policy.gates.preflight === undefined ? undefined : factsIn(ports, target.name, revision, {}),
    backupFacts(ports, target, policy, now),
    ports.channels.runsFor({ treeDigest: revision.treeDigest, channel: policy.from }, 500),
    ports.channels.holds(),
    ports.decisions.approvals(target.name, revision.treeDigest),
    ports.decisions.answers(target.name),
    ports.channels.promotions(20, { toChannel: target.name, state: 'done' }),
  ]);
  return evaluateGates({
    target: policy,
    revision,
    source,
    clusters: facts,
    targetClusters,
    backups,
    runs,
    holds,
    approvals,
    outside: outsideAnswers(answers, policy, revision, now),
    targetHead: target.headCommit,
    targetPaused: target.pausedReason,
    contained: cameByMerge(done, revision, target),
    now,
  });
}

/** A merge of ours brought it in, and nobody has pushed on top of that. */
const cameByMerge = (done: readonly Promotion[], revision: Revision, target: Channel): boolean =>
  done.some(
    (one) =>
      one.revisionId === revision.id && one.kind !== 'rollback' && one.resultCommit === target.headCommit,
  );

/** The gates of a channel behind one, for a revision that stands in it. */
export interface NextGate {
  readonly target: Channel;
  readonly policy: ChannelPolicy;
  readonly evaluation: GateEvaluation;
}

export async function nextGates(
  ports: GatePorts,
  policies: PolicySource,
  channels: readonly Channel[],
  from: string,
  revision: Revision,
  seen?: { readonly facts: readonly ClusterFacts[] },
): Promise<readonly NextGate[]> {
  const gates: NextGate[] = [];
  for (const target of channels.filter((candidate) => candidate.from === from)) {
    // Nothing goes into a channel whose policy cannot be read; the channel before goes on with what is its own.
    const found = await unlessInvalid(policies, target);
    if (!found) continue;
    const policy = channelPolicyOf(found, target);
    const evaluation = await gatesFor(ports, target, policy, revision, seen);
    if (evaluation) gates.push({ target, policy, evaluation });
  }
  return gates;
}

async function factsIn(
  ports: GatePorts,
  channel: string,
  revision: Revision,
  entry: Pick<ChannelRevision, 'soak'>,
): Promise<readonly ClusterFacts[]> {
  const standings = await ports.updates.channelStandings(channel);
  return standings.map((standing) => factsOf(standing, revision, entry));
}

/** The newest backups of the clusters that would get the revision, judged by the policy's age. */
async function backupFacts(
  ports: GatePorts,
  target: Channel,
  { gates }: ChannelPolicy,
  now: Instant,
): Promise<readonly BackupFact[] | undefined> {
  if (gates.backup === undefined || ports.backups === undefined) return undefined;
  const { maxAge } = gates.backup;
  const clusters = await readyClusters(ports, target);
  const standings = await ports.backups.backupStandings(clusters.map((cluster) => cluster.id));
  return clusters.map(({ id, alias }) => {
    const { open, configured, reasons } = judgeFreshness({ standing: standings.get(id), now, maxAge });
    return { alias, configured, fresh: open, message: reasons.join('; ') };
  });
}

/** Old answers are worth nothing, nor are those about another content: no data is no pass. */
function outsideAnswers(
  answers: readonly GateAnswer[],
  policy: ChannelPolicy,
  revision: Revision,
  now: Instant,
): readonly OutsideAnswer[] {
  const about = answers.filter((one) => (one.treeDigest ?? revision.treeDigest) === revision.treeDigest);
  return about.map(({ gate, name, state, message, at, expiresAt }) => {
    const maxAge = gate === 'backup' ? policy.gates.backup?.maxAge : undefined;
    const age = now - at;
    if (maxAge !== undefined && age > maxAge) {
      const old = `the newest backup was reported ${formatDuration(age)} ago, at most ${formatDuration(maxAge)} is allowed`;
      return { gate, name, state: 'pending' as const, message: old };
    }
    if (expiresAt !== undefined && expiresAt <= now) {
      return { gate, name, state: 'pending' as const, message: `the answer is ${formatDuration(age)} old` };
    }
    return { gate, name, state, message };
  });
}
