import { formatDuration, type Instant } from '#kernel';
import type { Channel, ChannelRevision, GateAnswer, Promotion, Revision } from '#fleet';
import { evaluateGates, type ChannelPolicy, type GateEvaluation, type OutsideAnswer } from '#promotion';
import type { EnginePorts } from '../engine-ports.js';
import { SETTLED } from '../pass/settled.js';
import { factsOf } from './channel-view.js';
import { channelPolicyOf, type PolicySource } from './policy-reader.js';

/** What judging needs: stored facts only, so that the API judges as the worker does. */
export type GatePorts = Pick<EnginePorts, 'registry' | 'updates' | 'channels' | 'decisions' | 'clock'>;

export async function earlierEntries(
  ports: Pick<GatePorts, 'channels'>,
  channel: string,
  revision: Revision,
): Promise<readonly ChannelRevision[]> {
  const same = new Set((await ports.channels.revisionsByTree(revision.treeDigest)).map((one) => one.id));
  return (await ports.channels.channelRevisions(channel, 100)).filter((entry) => same.has(entry.revisionId));
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
): Promise<GateEvaluation | undefined> {
  if (policy.from === undefined) return undefined;
  const [source] = await earlierEntries(ports, policy.from, revision);
  if (!source) return undefined;
  const clusters = await ports.registry.listClusters({ channel: policy.from });
  const now = ports.clock.now();
  const [runtimes, runs, holds, approvals, answers, done] = await Promise.all([
    ports.updates.standings(
      clusters.map((cluster) => cluster.id),
      [SETTLED],
    ),
    ports.channels.runsFor({ treeDigest: revision.treeDigest, channel: policy.from }, 500),
    ports.channels.holds(),
    ports.decisions.approvals(target.name, revision.treeDigest),
    ports.decisions.answers(target.name),
    ports.channels.promotions(20, { toChannel: target.name, state: 'done' }),
  ]);
  const byId = new Map(runtimes.map((runtime) => [runtime.clusterId, runtime]));
  return evaluateGates({
    target: policy,
    revision,
    source,
    clusters: clusters.map((cluster) => factsOf(cluster, byId.get(cluster.id), revision, source)),
    runs,
    holds,
    approvals,
    outside: outsideAnswers(answers, policy, now),
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
): Promise<readonly NextGate[]> {
  const gates: NextGate[] = [];
  for (const target of channels.filter((candidate) => candidate.from === from)) {
    const policy = channelPolicyOf(await policies.policyOf(target), target);
    const evaluation = await gatesFor(ports, target, policy, revision);
    if (evaluation) gates.push({ target, policy, evaluation });
  }
  return gates;
}

/** Old answers are worth nothing: no data is no pass. */
function outsideAnswers(
  answers: readonly GateAnswer[],
  policy: ChannelPolicy,
  now: Instant,
): readonly OutsideAnswer[] {
  return answers.map(({ gate, name, state, message, at, expiresAt }) => {
    const maxAge = gate === 'backup' ? policy.gates.backup?.maxAge : undefined;
    const age = now - at;
    if (maxAge !== undefined && age > maxAge) {
      const old = `${name}: the newest backup was reported ${formatDuration(age)} ago, at most ${formatDuration(maxAge)} is allowed`;
      return { gate, state: 'pending' as const, message: old };
    }
    if (expiresAt !== undefined && expiresAt <= now) {
      return {
        gate,
        state: 'pending' as const,
        message: `${name}: the answer is ${formatDuration(age)} old`,
      };
    }
    return { gate, state, message: `${name}: ${message}` };
  });
}
