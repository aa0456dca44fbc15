import type { Duration, Instant } from '#kernel';
import { seconds, toFailure } from '#kernel';
import type { Channel, ChannelRevision, ConformanceRun, FleetEvent } from '#fleet';
import { advanceChannel, requiredSuites, withGates, type Advance, type RequiredSuite } from '#promotion';
import { mapBounded } from '../bounded.js';
import type { EnginePorts, EngineSettings } from '../engine-ports.js';
import { LeaseKeeper } from '../pass/lease-keeper.js';
import { arrivalOf } from './arrival.js';
import { viewChannel, type ChannelView } from './channel-view.js';
import { sweepConformance } from './conformance-cleanup.js';
import { advanceRuns, newRun } from './conformance-runs.js';
import { nextGates, type NextGate } from './gates.js';
import { policyToGoBy } from './policy-in-force.js';
import { channelPolicyOf, PolicyReader, storePolicy, type PolicySource } from './policy-reader.js';
import { probeGates } from './probers.js';
import { finishPromotions, promote, runPromoteRequests, type Mover } from './promote.js';
import { runRollbacks } from './rollback.js';

const RINGS_AT_ONCE = 16;

export interface ChannelResult {
  readonly kind: 'busy' | 'idle' | 'advanced' | 'failed';
  readonly recheckIn: Duration;
}

/** One short pass of one channel: held revisions, waves, conformance runs, gates, promotion. */
export async function reconcileChannel(
  ports: EnginePorts,
  settings: EngineSettings,
  name: string,
): Promise<ChannelResult> {
  const lease = await LeaseKeeper.acquire(ports.leases, ports.clock, `channel/${name}`, settings.leaseTtl);
  if (!lease) return { kind: 'busy', recheckIn: seconds(1) };
  try {
    return await advance(ports, settings, lease, name);
  } catch (thrown) {
    const failure = toFailure(thrown);
    // A new head came in between: what was decided was about the old one, and nothing of it is stored.
    if (failure.code === 'channel-moved') return { kind: 'advanced', recheckIn: seconds(1) };
    const log = failure.class === 'bug' ? ports.log.error : ports.log.warn;
    log('channel pass ended early', { channel: name, code: failure.code, reason: failure.message });
    // What only a push can mend rings when it comes.
    const mendedByPush = failure.class === 'invalid';
    return { kind: 'failed', recheckIn: mendedByPush ? settings.gitPollInterval : settings.pollInterval };
  } finally {
    await lease.release().catch(() => undefined);
  }
}

async function advance(
  ports: EnginePorts,
  settings: EngineSettings,
  lease: LeaseKeeper,
  name: string,
): Promise<ChannelResult> {
  const channels = await ports.channels.listChannels();
  const channel = channels.find((candidate) => candidate.name === name);
  if (!channel) return { kind: 'idle', recheckIn: settings.gitPollInterval };
  const policies = new PolicyReader(ports.git);
  await storePolicy(ports, policies, lease.current, channel);
  const mover: Mover = { ports, policies, lease };
  if (await runRollbacks(mover, channel)) return { kind: 'advanced', recheckIn: seconds(1) };
  await finishPromotions(mover, channels, name);
  await runPromoteRequests(mover, channels, name);
  await sweepConformance(ports, name);
  const running = await advanceRuns(ports, settings, lease, channel, policies);
  const view = await viewChannel(ports, policies, channel);
  if (!view) return { kind: 'idle', recheckIn: settings.gitPollInterval };
  const decided = await decide(ports, lease, policies, channels, view);
  await probeGates(ports, policies, channels, { ...view, entry: decided.entry });
  const gates = await nextGates(ports, policies, channels, name, view.revision, view);
  await promoteEligible(mover, view, decided.entry, gates);
  const soon = running || decided.startRuns.length > 0;
  return {
    kind: 'advanced',
    recheckIn: soon ? Math.min(settings.pollInterval, decided.recheckIn) : decided.recheckIn,
  };
}

async function decide(
  ports: EnginePorts,
  lease: LeaseKeeper,
  policies: PolicySource,
  channels: readonly Channel[],
  view: ChannelView,
): Promise<Advance> {
  const { channel } = view;
  const next = channels.find((candidate) => candidate.from === channel.name);
  const asked = next && (await policyToGoBy(ports, policies, next));
  const nextPolicy = next && asked && channelPolicyOf(asked, next);
  const looked = view.entry.phase === 'held' ? await lookAgain(ports, view) : { entry: view.entry };
  const decided = advanceChannel({
    policy: view.channelPolicy,
    next: nextPolicy,
    revision: view.revision,
    entry: looked.entry,
    clusters: view.facts,
    holds: view.holds,
    runs: view.runs,
    requiredSuites: await suitesAskedBehind(ports, policies, channels, channel.name),
    paused: channel.pausedReason,
    now: view.now,
    storeNow: lease.storeTime(),
  });
  await commit(ports, lease, view, decided, looked.note === undefined ? [] : [eventOf(view, looked.note)]);
  return decided;
}

/** Suites that the channels behind this one ask for, each by its own policy. */
async function suitesAskedBehind(
  ports: EnginePorts,
  policies: PolicySource,
  channels: readonly Channel[],
  name: string,
): Promise<readonly RequiredSuite[]> {
  const asked: RequiredSuite[] = [];
  for (const target of channels.filter((candidate) => candidate.from === name)) {
    const policy = await policyToGoBy(ports, policies, target);
    if (!policy) continue;
    const only = { ...policy, channels: policy.channels.filter((one) => one.name === target.name) };
    asked.push(...requiredSuites(only, name));
  }
  return asked;
}

/** A held revision goes on by itself when its evidence has come meanwhile, or when somebody breaks the glass. */
async function lookAgain(
  ports: EnginePorts,
  view: ChannelView,
): Promise<{ readonly entry: ChannelRevision; readonly note?: Advance['notes'][number] }> {
  const { entry, note } = await arrivalOf(ports, view.channel, view.revision);
  if (!entry.admitted) return { entry: { ...view.entry, reasons: entry.reasons } };
  return { entry: { ...entry, enteredAt: view.entry.enteredAt }, ...(note !== undefined && { note }) };
}

async function commit(
  ports: EnginePorts,
  lease: LeaseKeeper,
  view: ChannelView,
  decided: Advance,
  events: readonly FleetEvent[],
): Promise<void> {
  const runs: ConformanceRun[] = decided.startRuns.flatMap((start) => newRun(ports, view, start) ?? []);
  const pause = decided.pause?.reason;
  const unchanged = sameEntry(view.entry, decided.entry) && runs.length === 0 && decided.admit.length === 0;
  if (unchanged && pause === undefined && decided.notes.length === 0 && events.length === 0) return;
  await ports.channels.commitChannel(await lease.current(), {
    channel: view.channel.name,
    current: decided.entry,
    admit: decided.admit.map((clusterId) => ({ clusterId, revisionId: view.revision.id })),
    runs,
    ...(pause !== undefined && { pausedReason: pause }),
    events: [...events, ...decided.notes.map((note) => eventOf(view, note))],
  });
  await mapBounded(decided.admit, RINGS_AT_ONCE, (clusterId) =>
    ports.doorbell.ring(`cluster/${clusterId}`).catch(() => undefined),
  );
}

const sameEntry = (a: ChannelRevision, b: ChannelRevision): boolean =>
  JSON.stringify(a) === JSON.stringify(b);

function eventOf(view: ChannelView, note: Advance['notes'][number]): FleetEvent {
  return {
    ...note,
    at: view.now,
    subject: `channel/${view.channel.name}`,
    channel: view.channel.name,
  };
}

async function promoteEligible(
  mover: Mover,
  view: ChannelView,
  entry: ChannelRevision,
  gates: readonly NextGate[],
): Promise<void> {
  const { ports, lease } = mover;
  let current = entry;
  for (const { target, evaluation } of gates) {
    const shown = withGates(current, evaluation);
    const promoted =
      (evaluation.already && current.convergedAt !== undefined && (await isLetIn(ports, target))) ||
      (evaluation.eligible &&
        !evaluation.manual &&
        !(await cameIn(ports, view.revision.id, target.name)) &&
        (await promote(mover, view.channel.name, view.revision, target))?.kind === 'done');
    const promotedAt: Instant = current.promotedAt ?? ports.clock.now();
    current = promoted ? { ...shown, phase: 'promoted', promotedAt, reasons: [] } : shown;
  }
  if (sameEntry(entry, current)) return;
  const events = awaited(entry, current) ? [awaitingEvent(view, current, gates)] : [];
  await ports.channels.commitChannel(await lease.current(), {
    channel: view.channel.name,
    current,
    admit: [],
    runs: [],
    events,
  });
}

/** Automation brings a revision in once: after a rollback it is for people to say that it may come again. */
const cameIn = async (ports: EnginePorts, revisionId: string, toChannel: string): Promise<boolean> =>
  (await ports.channels.promotions(50, { toChannel, state: 'done' })).some(
    (one) => one.revisionId === revisionId && one.kind !== 'rollback',
  );

/** A branch that people moved by hand may hold what its gates still keep out: nothing was promoted, and soak goes on. */
async function isLetIn(ports: EnginePorts, target: Channel): Promise<boolean> {
  const [head] = await ports.channels.channelRevisions(target.name, 1);
  return head?.admitted === true;
}

const awaited = (before: ChannelRevision, after: ChannelRevision): boolean =>
  before.phase !== 'awaiting-approval' && after.phase === 'awaiting-approval';

function awaitingEvent(view: ChannelView, entry: ChannelRevision, gates: readonly NextGate[]): FleetEvent {
  const targets = gates.map(({ target }) => target.name).join(', ');
  const missing = entry.reasons.map((one) => one.message).join('; ');
  const short = view.revision.commit.slice(0, 12);
  return {
    type: 'approval.awaited',
    at: view.now,
    severity: 'info',
    subject: `channel/${view.channel.name}`,
    channel: view.channel.name,
    message: `${short} waits for a person before it goes to ${targets}${missing === '' ? '' : `: ${missing}`}`,
    data: { commit: view.revision.commit, revisionId: view.revision.id, to: targets },
  };
}
