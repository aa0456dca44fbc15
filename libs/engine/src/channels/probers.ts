import { setImmediate } from 'node:timers/promises';
import { digestOfValue, minutes, seconds, toFailure, type Duration } from '#kernel';
import type { Channel, Cluster, ConfigTree, GateAnswer, LockedInputs } from '#fleet';
import { explain } from '#config';
import { QUOTA_CHECK, RENDER_CHECK, SKEW_CHECK, type ChannelPolicy, type HealthCheck } from '#promotion';
import { checkSkew } from '#upgrade';
import type { EnginePorts } from '../engine-ports.js';
import { checkCapacity } from './candidate-capacity.js';
import { checkCandidate } from './candidate-check.js';
import type { ChannelView } from './channel-view.js';
import { unlessInvalid } from './policy-in-force.js';
import { channelPolicyOf, type PolicySource } from './policy-reader.js';
import { readyClusters } from './ready-clusters.js';

/** Who answers, where the engine does it itself. */
const BY = 'fairway';
const HEALTH_EVERY = seconds(60);
/** Versions move slowly, and looking at them costs an evaluation of the configuration per cluster. */
const SKEW_EVERY = minutes(10);
/** What is rendered once is not rendered again until content, record or lock are others. */
const RENDER_EVERY = minutes(10);
const QUOTA_EVERY = minutes(10);
/** Somebody may be waiting for a quota that was just raised. */
const SHORT_EVERY = minutes(1);
/** An answer is worth something for this many intervals: whoever asks must have stopped asking to make it old. */
const WORTH = 5;
/** Evaluations in a row before others get their turn. */
const BITE = 10;

/**
 * Asks what the gates of the channels behind this one want to know of the outside: checks of health, whether the
 * Kubernetes version that the revision brings may follow what their clusters run, and whether it renders for them. Answers are stored, so that lists, API,
 * automation and executor judge by the same ones.
 */
export async function probeGates(
  ports: EnginePorts,
  policies: PolicySource,
  channels: readonly Channel[],
  view: ChannelView,
): Promise<void> {
  if (view.entry.convergedAt === undefined || !view.entry.admitted) return;
  for (const target of channels.filter((candidate) => candidate.from === view.channel.name)) {
    const found = await unlessInvalid(policies, target);
    if (!found) continue;
    const policy = channelPolicyOf(found, target);
    const answers = await newAnswers(ports, target, policy, view);
    if (answers.length > 0) await ports.decisions.saveAnswers(answers);
  }
}

async function newAnswers(
  ports: EnginePorts,
  target: Channel,
  { gates }: ChannelPolicy,
  view: ChannelView,
): Promise<readonly GateAnswer[]> {
  if (gates.preflight === undefined && (gates.health?.checks ?? []).length === 0) return [];
  const known = (await ports.decisions.answers(target.name)).filter((one) => one.by === BY);
  const { treeDigest } = view.revision;
  const due = (name: string, every: Duration): boolean => {
    const last = known.find((one) => one.name === name && (one.treeDigest ?? treeDigest) === treeDigest);
    // A clock that was set back must not leave an answer from the future in force.
    return last === undefined || view.now - last.at >= every || last.at > view.now;
  };
  const unfinished = known.some((one) => one.name === RENDER_CHECK && one.state === 'pending');
  const checks = (gates.health?.checks ?? []).filter((check) => due(check.name, HEALTH_EVERY));
  const health = await Promise.all(checks.map((check) => healthAnswer(ports, target, check)));
  if (gates.preflight === undefined) return health;
  const answered = async (
    wanted: boolean,
    name: string,
    every: Duration,
    look: typeof lookAtSkew,
  ): Promise<readonly GateAnswer[]> =>
    wanted
      ? [await preflightAnswer(ports, target, view, { name, every, look: () => look(ports, target, view) })]
      : [];
  const skew = await answered(due(SKEW_CHECK, SKEW_EVERY), SKEW_CHECK, SKEW_EVERY, lookAtSkew);
  const renders = unfinished || due(RENDER_CHECK, RENDER_EVERY);
  const rendered = await answered(renders, RENDER_CHECK, RENDER_EVERY, lookAtRender);
  const short = known.some((one) => one.name === QUOTA_CHECK && one.state !== 'pass');
  const asks = due(QUOTA_CHECK, short ? SHORT_EVERY : QUOTA_EVERY);
  const quota = await answered(asks, QUOTA_CHECK, QUOTA_EVERY, lookAtQuota);
  return [...health, ...skew, ...rendered, ...quota];
}

async function healthAnswer(ports: EnginePorts, target: Channel, check: HealthCheck): Promise<GateAnswer> {
  const told = ports.probes
    ? await ports.probes.ask(check)
    : ({ state: 'error', message: 'nobody is there to ask' } as const);
  const at = ports.clock.now();
  const { name } = check;
  return {
    channel: target.name,
    gate: 'health',
    name,
    ...told,
    by: BY,
    at,
    expiresAt: at + HEALTH_EVERY * WORTH,
  };
}

interface Found {
  readonly state: GateAnswer['state'];
  readonly message: string;
}

/** An answer of a check of the target's clusters; one that could not be made says why. */
async function preflightAnswer(
  ports: EnginePorts,
  target: Channel,
  view: ChannelView,
  { name, every, look }: { name: string; every: Duration; look: () => Promise<Found> },
): Promise<GateAnswer> {
  const at = ports.clock.now();
  const { treeDigest } = view.revision;
  const { state, message } = await look().catch((thrown: unknown): Found => ({
    state: 'error',
    message: toFailure(thrown).message,
  }));
  return {
    channel: target.name,
    gate: 'preflight',
    name,
    treeDigest,
    by: BY,
    at,
    state,
    message: message.slice(0, 500),
    expiresAt: at + every * WORTH,
  };
}

const inClusters = (count: number): string => (count === 1 ? '1 cluster' : `${count} clusters`);

async function lookAtSkew(ports: EnginePorts, target: Channel, view: ChannelView): Promise<Found> {
  const violations = await violationsOf(ports, target, view);
  if (violations.length === 0) return { state: 'pass', message: 'the versions may follow one another' };
  const more = violations.length > 3 ? ` and ${violations.length - 3} more` : '';
  return { state: 'fail', message: `${violations.slice(0, 3).join('; ')}${more}` };
}

/** Whether the revision renders, and is valid, for the clusters that would get it. */
async function lookAtRender(ports: EnginePorts, target: Channel, view: ChannelView): Promise<Found> {
  if (!ports.renderer) return { state: 'error', message: 'nobody is there to render it' };
  const tree = await ports.git.readTree(view.revision.repository, view.revision.commit);
  const { problems, rendered, clusters } = await checkCandidate(ports, ports.renderer, target, tree);
  if (problems.length > 0) return { state: 'fail', message: problems.join('; ') };
  if (rendered < clusters)
    return { state: 'pending', message: `rendered for ${rendered} of ${clusters} clusters` };
  return { state: 'pass', message: `it renders for ${inClusters(clusters)}` };
}

/** Whether the accounts of the clusters that would get it have room for the machines that it needs at the least. */
async function lookAtQuota(ports: EnginePorts, target: Channel, view: ChannelView): Promise<Found> {
  const tree = await ports.git.readTree(view.revision.repository, view.revision.commit);
  const { problems, unknown, clusters } = await checkCapacity(ports, ports.renderer, target, tree);
  if (problems.length > 0) return { state: 'fail', message: problems.join('; ') };
  // Nobody is kept out for what nobody knows; nor is it said to be enough.
  return unknown.length > 0
    ? { state: 'pass', message: `not known for all of ${inClusters(clusters)}: ${unknown.join('; ')}` }
    : { state: 'pass', message: `none of ${inClusters(clusters)} lacks the room to begin` };
}

/** What speaks against the revision's Kubernetes version, cluster by cluster of the target. */
async function violationsOf(
  ports: EnginePorts,
  target: Channel,
  view: ChannelView,
): Promise<readonly string[]> {
  const tree = await ports.git.readTree(view.revision.repository, view.revision.commit);
  const [clusters, standings] = await Promise.all([
    readyClusters(ports, target),
    ports.updates.channelStandings(target.name),
  ]);
  const serverOf = new Map(standings.map((one) => [one.id, one.serverVersion]));
  const violations: string[] = [];
  for (const [index, cluster] of clusters.entries()) {
    if (index % BITE === BITE - 1) await setImmediate();
    const server = serverOf.get(cluster.id);
    const wanted = server === undefined ? undefined : versionFor(tree, cluster);
    if (server === undefined || wanted === undefined) continue;
    const wrong = checkSkew({ apiServers: [server], kubelets: [], target: wanted }).filter(
      (violation) => !violation.waits,
    );
    violations.push(...wrong.map(({ message }) => `${cluster.alias}: ${message}`));
  }
  return violations;
}

/** `kubernetes_version` as the tree says it for the cluster; undefined where nothing does. */
function versionFor(tree: ConfigTree, cluster: Cluster): string | undefined {
  const input = { tree, cluster, account: undefined, accountClusters: [], inputs: NO_INPUTS, overrides: [] };
  const [item] = explain(input, 'kubernetes_version');
  return item === undefined || item.value === '' ? undefined : item.value;
}

/** Versions do not depend on what is looked up outside. */
const NO_INPUTS: LockedInputs = {
  digest: digestOfValue('nothing'),
  availabilityZones: [],
  subnets: {},
  loadBalancerSubnets: {},
  images: {},
  instanceTypes: {},
  decrypted: {},
};
