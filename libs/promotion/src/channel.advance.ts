import type { Duration, Instant } from '#kernel';
import { formatDuration, seconds } from '#kernel';
import type {
  ChannelRevision,
  ConformanceRun,
  GateReason,
  Hold,
  Revision,
  RevisionPhase,
  SoakRecord,
} from '#fleet';
import { DEFAULT_RECHECK, planAdmission, reason, type AdmissionPlan } from './admission.planner.js';
import type { ChannelNote } from './channel-note.js';
import type { ClusterFacts } from './cluster-facts.js';
import { convergenceOf, EVERY_CLUSTER } from './convergence.js';
import { describeEvidence, gatherEvidence, isStartable, type SuiteEvidence } from './evidence.js';
import type { ChannelPolicy, RequiredSuite } from './policy.js';
import { countSoak, soakOf } from './soak.js';

export interface AdvanceInput {
  readonly policy: ChannelPolicy;
  /** The channel that this one feeds; undefined for the last. Its soak and coverage decide when a revision is done here. */
  readonly next?: ChannelPolicy | undefined;
  readonly revision: Revision;
  readonly entry: ChannelRevision;
  /** Clusters of the channel. */
  readonly clusters: readonly ClusterFacts[];
  readonly holds: readonly Hold[];
  /** Runs of this content in this channel's clusters; others are ignored. */
  readonly runs: readonly ConformanceRun[];
  /** From `requiredSuites(policy, channel)`. */
  readonly requiredSuites: readonly RequiredSuite[];
  /** The channel's `pausedReason`. */
  readonly paused?: string | undefined;
  readonly now: Instant;
  /** The same moment by the store's clock; soak needs two that agree. Absent: `now`. */
  readonly storeNow?: Instant;
}

export interface StartRun {
  readonly clusterId: string;
  readonly suite: string;
  readonly attempt: number;
}

export interface Advance {
  /** Clusters that may move to the revision now. */
  readonly admit: readonly string[];
  readonly entry: ChannelRevision;
  readonly startRuns: readonly StartRun[];
  /** The channel pauses itself; a person has to look. */
  readonly pause?: { readonly reason: string };
  readonly notes: readonly ChannelNote[];
  /** When to look again if nothing wakes us. */
  readonly recheckIn: Duration;
}

/** Over for good, or waiting for somebody to let it in: nothing moves by itself. */
const RESTING: readonly RevisionPhase[] = ['held', 'superseded', 'rolled-back'];

/** One look at a revision in a channel: which clusters start, which tests run, and where the revision stands. */
export function advanceChannel(input: AdvanceInput): Advance {
  const { entry } = input;
  if (RESTING.includes(entry.phase) || !entry.admitted) {
    return { admit: [], entry, startRuns: [], notes: [], recheckIn: DEFAULT_RECHECK };
  }
  const admission = planAdmission({ ...input, revisionId: input.revision.id });
  const life = lifeOf(input, admission);
  const next: ChannelRevision = {
    ...withoutTimes(entry),
    wave: admission.wave,
    waves: admission.waves,
    phase: life.phase,
    reasons: life.reasons,
    ...(life.convergedAt !== undefined && { convergedAt: life.convergedAt }),
    ...(life.verifiedAt !== undefined && { verifiedAt: life.verifiedAt }),
    ...(life.soakingSince !== undefined && { soakingSince: life.soakingSince }),
    ...(life.soak !== undefined && { soak: life.soak }),
  };
  return {
    admit: admission.admit,
    entry: next,
    startRuns: life.startRuns,
    notes: notesOf(input, next, admission, life),
    recheckIn: recheckAfter(input.now, next, admission, life),
    ...(admission.pause !== undefined && input.paused === undefined && { pause: admission.pause }),
  };
}

function withoutTimes(entry: ChannelRevision): ChannelRevision {
  const { convergedAt: _c, verifiedAt: _v, soakingSince: _s, soak: _k, ...rest } = entry;
  return rest;
}

interface Life {
  readonly phase: RevisionPhase;
  readonly convergedAt?: Instant;
  readonly verifiedAt?: Instant;
  readonly soakingSince?: Instant;
  readonly soak?: SoakRecord;
  readonly reasons: readonly GateReason[];
  readonly startRuns: readonly StartRun[];
  readonly evidence: readonly SuiteEvidence[];
}

function lifeOf(input: AdvanceInput, admission: AdmissionPlan): Life {
  const { entry, now } = input;
  const convergence = convergenceOf(input.clusters, input.next?.gates.converged ?? EVERY_CLUSTER);
  const everConverged = entry.convergedAt ?? (convergence.reached ? now : undefined);
  if (everConverged === undefined) {
    const begun = admission.wave > 0 || entry.phase !== 'seen';
    const state = reason('converged', 'pending', convergence.message);
    const phase = entry.phase === 'promoted' ? 'promoted' : begun ? 'deploying' : 'seen';
    return { phase, reasons: [...admission.reasons, state], startRuns: [], evidence: [] };
  }
  const evidence = gatherEvidence(input.revision, input.requiredSuites, input.clusters, input.runs);
  const shown = { convergedAt: everConverged, evidence };
  const reasons = [
    ...admission.reasons,
    ...(convergence.reached ? [] : [reason('converged', 'pending', convergence.message)]),
    ...evidence.filter((one) => one.state !== 'pass').map(evidenceReason),
  ];
  // Verified once and degraded since: the verdicts stand, only soak is lost.
  const verified =
    evidence.every((one) => one.state === 'pass') &&
    (entry.verifiedAt !== undefined || (convergence.reached && enough(input.requiredSuites, evidence)));
  if (!verified) return { ...shown, ...verifying(input, evidence), reasons };
  return { ...shown, ...soaking(input, entry.verifiedAt ?? now, reasons) };
}

/** Every suite was asked of at least one cluster. */
const enough = (required: readonly RequiredSuite[], evidence: readonly SuiteEvidence[]): boolean =>
  required.every(({ suite }) => evidence.some((one) => one.suite === suite));

function evidenceReason(evidence: SuiteEvidence): GateReason {
  const state = evidence.state === 'fail' ? 'fail' : evidence.state === 'exhausted' ? 'error' : 'pending';
  return reason('conformance', state, describeEvidence(evidence));
}

function verifying(
  { entry }: AdvanceInput,
  evidence: readonly SuiteEvidence[],
): Pick<Life, 'phase' | 'startRuns'> {
  const lost = evidence.some((one) => one.state === 'fail' || one.state === 'exhausted');
  const begun = evidence.some((one) => one.state !== 'missing');
  const startRuns = evidence
    .filter(isStartable)
    .map((one) => ({ clusterId: one.cluster.id, suite: one.suite, attempt: one.attempts + 1 }));
  if (entry.phase === 'promoted') return { phase: 'promoted', startRuns };
  if (lost) return { phase: 'failed', startRuns: [] };
  return { phase: begun || startRuns.length > 0 ? 'verifying' : 'converged', startRuns };
}

type Soaking = Pick<Life, 'phase' | 'verifiedAt' | 'soakingSince' | 'soak' | 'reasons' | 'startRuns'>;

/** Soak is the time since verification in which every cluster was well without a break. */
function soaking(input: AdvanceInput, verifiedAt: Instant, reasons: readonly GateReason[]): Soaking {
  const { entry, next, clusters, now } = input;
  if (entry.phase === 'promoted')
    return { ...kept(entry), verifiedAt, phase: 'promoted', reasons, startRuns: [] };
  const soak = countSoak(entry, clusters, now, input.storeNow ?? now);
  const { soaked, running } = soakOf({ soak, verifiedAt }, clusters, now);
  const begun = soaked > 0 && entry.soakingSince !== undefined && !wasReset(entry, soak);
  const since = running ? (begun ? entry.soakingSince : Math.max(0, now - soaked)) : undefined;
  const times = { verifiedAt, soak, startRuns: [], ...(since !== undefined && { soakingSince: since }) };
  if (next === undefined) return { ...times, phase: 'verified', reasons };
  const need = next.gates.soak ?? 0;
  if (!running) {
    return {
      ...times,
      phase: 'soaking',
      reasons: [...reasons, reason('soak', 'pending', 'soak starts again when all clusters are well')],
    };
  }
  if (soaked >= need) {
    const phase = entry.phase === 'awaiting-approval' ? 'awaiting-approval' : 'eligible';
    return { ...times, phase, reasons };
  }
  const left = `${formatDuration(need - soaked)} of ${formatDuration(need)} left`;
  return {
    ...times,
    phase: 'soaking',
    reasons: [...reasons, reason('soak', 'pending', left, now + need - soaked)],
  };
}

/** Less than before: somebody was unwell. Without a record the start of health itself tells. */
const wasReset = (entry: ChannelRevision, soak: SoakRecord): boolean =>
  entry.soak === undefined
    ? entry.soakingSince !== soak.workerAt - soak.accumulated
    : soak.accumulated < entry.soak.accumulated;

/** What a promoted revision had: nothing asks for more of it. */
const kept = ({ soak, soakingSince }: ChannelRevision): Pick<Life, 'soak' | 'soakingSince'> => ({
  ...(soak !== undefined && { soak }),
  ...(soakingSince !== undefined && { soakingSince }),
});

type AddNote = (
  type: string,
  severity: ChannelNote['severity'],
  message: string,
  more?: Record<string, unknown>,
) => void;

function notesOf(
  input: AdvanceInput,
  next: ChannelRevision,
  admission: AdmissionPlan,
  life: Life,
): readonly ChannelNote[] {
  const { revision, policy, paused } = input;
  const notes: ChannelNote[] = [];
  const add: AddNote = (type, severity, message, more = {}) => {
    const data = { commit: revision.commit, revisionId: revision.id, ...more };
    notes.push({ type, severity, message: `${policy.name}${message}`, data });
  };
  noteProgress(input, next, add);
  if (next.phase === 'failed' && input.entry.phase !== 'failed') {
    const failed = life.evidence.filter((one) => one.state === 'fail' || one.state === 'exhausted');
    const why = failed.map(describeEvidence).join('; ');
    add('revision.failed', 'error', `: ${revision.commit.slice(0, 10)} failed: ${why}`);
  }
  if (admission.pause !== undefined && paused === undefined) {
    const { reason: why } = admission.pause;
    add('channel.paused', 'critical', ` paused itself: ${why}`, { reason: why });
  }
  return notes;
}

function noteProgress({ entry, revision }: AdvanceInput, next: ChannelRevision, add: AddNote): void {
  const short = revision.commit.slice(0, 10);
  const { wave, waves } = next;
  if (wave > entry.wave)
    add('wave.started', 'info', `: wave ${wave} of ${waves} of ${short} starts`, { wave, waves });
  if (entry.convergedAt === undefined && next.convergedAt !== undefined)
    add('revision.converged', 'info', `: all clusters run ${short}`);
  if (entry.verifiedAt === undefined && next.verifiedAt !== undefined)
    add('revision.verified', 'info', `: ${short} is verified`);
  if (wasSoakReset(entry, next)) add('soak.reset', 'warning', `: the soak of ${short} starts again`);
  if (next.phase === 'eligible' && entry.phase !== 'eligible' && entry.phase !== 'awaiting-approval')
    add('revision.eligible', 'info', `: ${short} has soaked`);
}

const wasSoakReset = (entry: ChannelRevision, next: ChannelRevision): boolean =>
  entry.soakingSince !== undefined && entry.soakingSince !== next.soakingSince;

const SOONEST = seconds(1);

function recheckAfter(now: Instant, next: ChannelRevision, admission: AdmissionPlan, life: Life): Duration {
  const changes = life.reasons.flatMap((one) => one.nextChangeAt ?? []).map((at) => at - now);
  const busy = next.phase === 'deploying' || next.phase === 'verifying' ? [seconds(5)] : [];
  const soonest = Math.min(DEFAULT_RECHECK, admission.recheckIn ?? DEFAULT_RECHECK, ...busy, ...changes);
  return Math.max(SOONEST, soonest);
}
