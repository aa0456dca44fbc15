import type { Duration, Instant } from '#kernel';
import { seconds, toFailure } from '#kernel';
import type { Channel, ChannelRevision, ConformanceRun, FleetEvent } from '#fleet';
import { advanceChannel, requiredSuites, withGates, type Advance, type RequiredSuite } from '#promotion';
import type { EnginePorts, EngineSettings } from '../engine-ports.js';
import { LeaseKeeper } from '../pass/lease-keeper.js';
import { arrivalOf } from './arrival.js';
import { viewChannel, type ChannelView } from './channel-view.js';
import { advanceRuns, newRun } from './conformance-runs.js';
import { PolicyReader } from './policy-reader.js';
import { nextGates, promote, settle, type NextGate } from './promote.js';

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
    const log = failure.class === 'bug' ? ports.log.error : ports.log.warn;
    log('channel pass ended early', { channel: name, code: failure.code, reason: failure.message });
    return { kind: 'failed', recheckIn: settings.pollInterval };
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
  await finishPromotions(ports, lease, channels, name);
  const running = await advanceRuns(ports, settings, lease, channel, policies);
  const view = await viewChannel(ports, policies, channel);
  if (!view) return { kind: 'idle', recheckIn: settings.gitPollInterval };
  const required = await suitesAskedBehind(policies, channels, name);
  const next = channels.find((candidate) => candidate.from === name);
  const nextPolicy = next && policies.channelPolicy(await policies.policyOf(next), next);
  const entry = view.entry.phase === 'held' ? await lookAgain(ports, view) : view.entry;
  const decided = advanceChannel({
    policy: view.channelPolicy,
    next: nextPolicy,
    revision: view.revision,
    entry,
    clusters: view.facts,
    holds: view.holds,
    runs: view.runs,
    requiredSuites: required,
    paused: channel.pausedReason,
    now: view.now,
  });
  await commit(ports, lease, view, decided, []);
  const gates = await nextGates(ports, policies, channels, name, view.revision);
  await promoteEligible(ports, policies, lease, view, decided.entry, gates);
  const soon = running || decided.startRuns.length > 0;
  return {
    kind: 'advanced',
    recheckIn: soon ? Math.min(settings.pollInterval, decided.recheckIn) : decided.recheckIn,
  };
}

/** Suites that the channels behind this one ask for, each by its own policy. */
async function suitesAskedBehind(
  policies: PolicyReader,
  channels: readonly Channel[],
  name: string,
): Promise<readonly RequiredSuite[]> {
  const asked: RequiredSuite[] = [];
  for (const target of channels.filter((candidate) => candidate.from === name)) {
    const policy = await policies.policyOf(target);
    const only = { ...policy, channels: policy.channels.filter((one) => one.name === target.name) };
    asked.push(...requiredSuites(only, name));
  }
  return asked;
}

/** A held revision goes on by itself when its evidence has come meanwhile. */
async function lookAgain(ports: EnginePorts, view: ChannelView): Promise<ChannelRevision> {
  const arrival = await arrivalOf(ports, view.channel, view.revision);
  return arrival.admitted ? arrival : { ...view.entry, reasons: arrival.reasons };
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
  for (const clusterId of decided.admit)
    await ports.doorbell.ring(`cluster/${clusterId}`).catch(() => undefined);
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
  ports: EnginePorts,
  policies: PolicyReader,
  lease: LeaseKeeper,
  view: ChannelView,
  entry: ChannelRevision,
  gates: readonly NextGate[],
): Promise<void> {
  let current = entry;
  for (const { target, evaluation } of gates) {
    const shown = withGates(current, evaluation);
    const promoted =
      (evaluation.already && current.convergedAt !== undefined) ||
      (await promote(ports, policies, lease, current, view.revision, target));
    const promotedAt: Instant = current.promotedAt ?? ports.clock.now();
    current = promoted ? { ...shown, phase: 'promoted', promotedAt, reasons: [] } : shown;
  }
  if (sameEntry(entry, current)) return;
  await ports.channels.commitChannel(await lease.current(), {
    channel: view.channel.name,
    current,
    admit: [],
    runs: [],
    events: [],
  });
}

/** Promotions that a killed worker recorded and did not settle. */
async function finishPromotions(
  ports: EnginePorts,
  lease: LeaseKeeper,
  channels: readonly Channel[],
  from: string,
): Promise<void> {
  for (const target of channels.filter((candidate) => candidate.from === from)) {
    for (const promotion of await ports.channels.promotions(10, {
      toChannel: target.name,
      state: 'intended',
    })) {
      const revision = await ports.channels.getRevision(promotion.revisionId);
      if (revision) await settle(ports, lease, promotion, revision, target);
    }
  }
}
