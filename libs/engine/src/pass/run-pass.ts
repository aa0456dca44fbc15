import type { Failure, Instant, Outcome } from '#kernel';
import { failed, toFailure } from '#kernel';
import type { Cluster, Hold, NodeProgress, RollProgress, StepKind, Update } from '#fleet';
import { DECOMMISSION_STEP_KINDS, STEP_KINDS } from '#fleet';
import type { ClusterRuntime, ConfigStanding, PassCommit } from '#ports';
import { retryDelay, spreadInterval, spreadOf } from '../backoff.js';
import type { PassParts, ReconcileResult } from '../reconcile-cluster.js';
import { keepEffectiveConfig } from '../config/keep-effective-config.js';
import { writeBack } from '../config/write-back.js';
import { refreshInputs } from '../render/refresh-inputs.js';
import type { Rendered } from '../render/render-service.js';
import { passed } from './passed.js';
import { summarise, type StepRun, type Summary } from '../summarise.js';
import { IntentLog } from './intent-log.js';
import type { LeaseKeeper } from './lease-keeper.js';
import { openUpdate } from './open-update.js';
import { PassMemory } from './pass-memory.js';
import type { BasePass, Pass, PassReport } from './pass.js';
import { OUTPUTS_OBSERVED } from '../render/lock-inputs.js';
import { finishInFlight } from '../steps/in-flight.js';
import type { StepRunner } from '../steps/step-runner.js';
import { earlier, firstExpiry } from './override-expiry.js';
import { recordDigest } from './record-digest.js';
import { SETTLED, type Settled } from './settled.js';

/** Facts that every part of one pass shares. */
export interface PassFrame {
  readonly parts: PassParts;
  readonly lease: LeaseKeeper;
  readonly cluster: Cluster;
  readonly runtime: ClusterRuntime;
  readonly holds: readonly Hold[];
  /** Follows the lock that the pass itself makes. */
  standing: ConfigStanding;
  readonly memory: PassMemory;
  readonly nodes: NodeProgress[];
  readonly rolls: RollProgress[];
  readonly report: PassReport;
}

/** observe → render → steps → summarise → one commit. */
export async function runPass(
  parts: PassParts,
  lease: LeaseKeeper,
  cluster: Cluster,
  runtime: ClusterRuntime,
  holds: readonly Hold[],
  standing: ConfigStanding,
): Promise<ReconcileResult> {
  const memory = new PassMemory(runtime.memory);
  const frame: PassFrame = {
    parts,
    lease,
    cluster,
    runtime,
    holds,
    standing,
    memory,
    nodes: [],
    rolls: [],
    report: { events: [], problems: [] },
  };
  keepExpiry(frame);
  const decommission = cluster.lifecycleStatus === 'decommission-requested';
  if (!decommission && runtime.admittedRevisionId === undefined) {
    return { kind: 'idle', why: `channel ${cluster.channel} has not admitted it to a revision yet` };
  }
  if (!decommission && standing.refreshAsked) await refreshInputs(frame);
  const update = await openUpdate(frame, decommission);
  const kinds: readonly StepKind[] = decommission ? DECOMMISSION_STEP_KINDS : STEP_KINDS;
  const { runs, rendered } = await runSteps(frame, update, kinds);
  return conclude(frame, update, kinds, runs, rendered);
}

/** An override ends in time, also where nothing else would look at the cluster. */
function keepExpiry(frame: PassFrame): void {
  const expiry = firstExpiry(frame.standing);
  if (expiry !== undefined) frame.report.lookAgainAt = expiry;
}

interface PassRuns {
  readonly runs: readonly StepRun[];
  readonly rendered?: Rendered;
}

async function runSteps(frame: PassFrame, update: Update, kinds: readonly StepKind[]): Promise<PassRuns> {
  const first = kinds[0] as StepKind;
  try {
    const base = await basePass(frame, update);
    if (update.kind === 'decommission') {
      return { runs: await runInOrder(frame, base, frame.parts.decommissionSteps, kinds) };
    }
    const rendered = await frame.parts.rendering.render(frame, update, base.aws);
    if (rendered.kind === 'invalid') {
      return { runs: [{ kind: first, outcome: failed(rendered.failure) }], rendered };
    }
    await keepEffectiveConfig(frame, rendered);
    await writeBack(frame, rendered);
    const pass: Pass = { ...base, desired: rendered.desired, inputs: rendered.inputs };
    const runs = await runInOrder(frame, pass, frame.parts.updateSteps, kinds);
    await finishInFlight(pass, runs);
    return { runs, rendered };
  } catch (thrown) {
    rethrowLostLease(thrown);
    return { runs: [{ kind: first, outcome: failed(reported(frame, first, thrown)) }] };
  }
}

/** Runs steps until one is not done. */
async function runInOrder<P extends BasePass>(
  frame: PassFrame,
  pass: P,
  runners: ReadonlyMap<StepKind, StepRunner<P>>,
  kinds: readonly StepKind[],
): Promise<readonly StepRun[]> {
  const runs: StepRun[] = [];
  for (const kind of kinds) {
    const outcome = await runStep(frame, pass, runners.get(kind) as StepRunner<P>);
    runs.push({ kind, outcome });
    if (outcome.kind !== 'done') break;
  }
  return runs;
}

/** A step never throws past this line: what it throws is its outcome. */
async function runStep<P extends BasePass>(
  frame: PassFrame,
  pass: P,
  runner: StepRunner<P>,
): Promise<Outcome> {
  try {
    const outcome = await runner.run(pass);
    if (outcome.kind === 'done') await pass.intents.settleLeftOpen(runner.kind);
    return outcome;
  } catch (thrown) {
    rethrowLostLease(thrown);
    return failed(reported(frame, runner.kind, thrown));
  }
}

/** The failure in what was thrown; a bug is logged with its stack, because the failure alone does not tell where. */
function reported(frame: PassFrame, step: StepKind, thrown: unknown): Failure {
  const failure = toFailure(thrown);
  if (failure.class === 'bug') {
    frame.parts.ports.log.error('step threw an unclassified error', {
      clusterId: frame.cluster.id,
      step,
      reason: failure.message,
      stack: thrown instanceof Error ? thrown.stack : undefined,
    });
  }
  return failure;
}

function rethrowLostLease(thrown: unknown): void {
  if (toFailure(thrown).code === 'lease-lost') throw thrown;
}

async function basePass(frame: PassFrame, update: Update): Promise<BasePass> {
  const { ports, settings } = frame.parts;
  const { cluster, lease, memory } = frame;
  const account = await ports.registry.getAccount(cluster.infrastructureAccount);
  if (!account) throw new Error(`account ${cluster.infrastructureAccount} vanished from the registry`);
  const identity = { updateId: update.id, clusterId: cluster.id };
  return {
    ports,
    settings,
    cluster,
    account,
    lease,
    update,
    memory,
    intents: new IntentLog(ports.updates, ports.clock, ports.ids, lease.current, memory, identity),
    aws: await ports.aws.connect(account.externalId, cluster.region),
    kubernetes: await ports.kubernetes.connect(cluster),
    holds: frame.holds,
    nodes: frame.nodes,
    rolls: frame.rolls,
    report: frame.report,
  };
}

async function conclude(
  frame: PassFrame,
  update: Update,
  kinds: readonly StepKind[],
  runs: readonly StepRun[],
  rendered: Rendered | undefined,
): Promise<ReconcileResult> {
  const { ports } = frame.parts;
  const now = ports.clock.now();
  const desired = rendered?.kind === 'valid' ? rendered.desired : undefined;
  const summary = summarise({
    clusterId: frame.cluster.id,
    channel: frame.cluster.channel,
    previous: frame.runtime.status,
    update,
    steps: kinds,
    runs,
    nodes: frame.nodes,
    rolls: frame.rolls,
    warnings: desired?.warnings ?? [],
    reported: frame.report.problems,
    ...(desired && { desiredDigest: desired.digest }),
    ...(update.commit !== undefined && { commit: update.commit }),
    ...(frame.report.etaMs !== undefined && { etaMs: frame.report.etaMs }),
    ...(frame.report.etaIf !== undefined && { etaIf: frame.report.etaIf }),
    ...(frame.report.serverVersion !== undefined && { serverVersion: frame.report.serverVersion }),
    now,
  });
  const nextDueAt = earlier(nextDue(frame, runs, summary, now), frame.report.lookAgainAt);
  rememberSettled(frame, summary, rendered, now);
  await ports.updates.commitPass(
    await frame.lease.current(),
    commitOf(frame, update, summary, rendered, nextDueAt),
  );
  if (summary.status.phase !== frame.runtime.status?.phase) {
    await ports.doorbell.ring(`channel/${frame.cluster.channel}`).catch(() => undefined);
  }
  return passed(frame.runtime.status, summary.status, { events: frame.report.events.length, nextDueAt });
}

function rememberSettled(
  frame: PassFrame,
  summary: Summary,
  rendered: Rendered | undefined,
  now: Instant,
): void {
  if (summary.status.phase !== 'ready' || rendered?.kind !== 'valid') return;
  // The next verification reads the stack's outputs anew.
  frame.memory.delete(OUTPUTS_OBSERVED);
  frame.memory.set(SETTLED, settledOf(frame, rendered, now));
}

function commitOf(
  frame: PassFrame,
  update: Update,
  summary: Summary,
  rendered: Rendered | undefined,
  nextDueAt: Instant | undefined,
): PassCommit {
  const { phase } = summary.status;
  const state =
    phase === 'ready' || phase === 'decommissioned' ? 'succeeded' : phase === 'halted' ? 'halted' : 'running';
  const lifecycle = lifecycleAfter(frame.cluster, phase);
  return {
    status: summary.status,
    doorbellSeen: frame.runtime.doorbell,
    ...(nextDueAt !== undefined && { nextDueAt }),
    memory: frame.memory.toJson(),
    ...(rendered && rendered.kind === 'valid' && { inputs: { ...rendered.inputs, decrypted: {} } }),
    update: {
      id: update.id,
      state,
      ...(frame.report.plan && { plan: frame.report.plan }),
      ...(summary.status.desiredDigest !== undefined && { desiredDigest: summary.status.desiredDigest }),
    },
    ...(lifecycle && { lifecycle }),
    events: [...frame.report.events, ...summary.events],
  };
}

/** `requested → creating → ready`, by what was seen; decommissioning ends in `decommissioned`. */
function lifecycleAfter(cluster: Cluster, phase: string): Cluster['lifecycleStatus'] | undefined {
  if (phase === 'decommissioned') return 'decommissioned';
  if (cluster.lifecycleStatus === 'decommission-requested') return undefined;
  if (phase === 'ready' && cluster.lifecycleStatus !== 'ready') return 'ready';
  if (cluster.lifecycleStatus === 'requested' && phase === 'updating') return 'creating';
  return undefined;
}

function settledOf(frame: PassFrame, rendered: Extract<Rendered, { kind: 'valid' }>, now: Instant): Settled {
  return {
    revisionId: rendered.revisionId,
    treeDigest: rendered.desired.treeDigest,
    contentDigest: rendered.contentDigest,
    recordDigest: recordDigest(frame.cluster, frame.standing),
    desiredDigest: rendered.desired.digest,
    verifiedAt: now,
  };
}

/** When to look again by ourselves. Failures that only people can mend are looked at again with the resync. */
function nextDue(
  frame: PassFrame,
  runs: readonly StepRun[],
  summary: Summary,
  now: Instant,
): Instant | undefined {
  const { settings } = frame.parts;
  const last = runs.at(-1)?.outcome;
  const resync = spreadInterval(now, settings.resyncInterval, frame.cluster.id);
  // A halted cluster waits for a person: a new revision, a changed record or `POST …/reconcile` rings.
  if (summary.status.phase === 'decommissioned' || summary.status.phase === 'halted') return undefined;
  if (last === undefined || last.kind === 'done') return resync;
  if (last.kind === 'waiting' || last.kind === 'blocked') return now + last.recheckIn;
  const failure: Failure = last.failure;
  const delay = retryDelay(failure, summary.status.consecutiveFailures, spreadOf(frame.cluster.id));
  return delay === undefined ? resync : now + delay;
}
