import type { Instant } from '#kernel';
import { formatDuration } from '#kernel';
import type { ChannelRevision, ConformanceRun, GateReason, Hold, Revision } from '#fleet';
import { reason } from './admission.planner.js';
import { approvalsGate, type Approval } from './approvals.js';
import { outsideGates, type BackupFact, type OutsideAnswer } from './outside.gates.js';
import { channelHolds, promotionHolds, type ClusterFacts } from './cluster-facts.js';
import { convergenceOf } from './convergence.js';
import { describeEvidence, evidenceDigest, gatherEvidence, type SuiteEvidence } from './evidence.js';
import type { ChannelPolicy } from './policy.js';
import { soakOf } from './soak.js';
import { openingAt } from './windows.js';

export interface GateInput {
  /** The channel to be entered; its policy comes from its current head, never from the candidate. */
  readonly target: ChannelPolicy;
  readonly revision: Revision;
  /** The revision in `target.from`; undefined where that channel never had this content. */
  readonly source?: ChannelRevision | undefined;
  /** Clusters of the source channel, seen against this revision. */
  readonly clusters: readonly ClusterFacts[];
  /** Clusters of the target channel; asked for where the policy has a preflight gate. */
  readonly targetClusters?: readonly ClusterFacts[] | undefined;
  /** Backups of the target's clusters; asked for where the policy has a backup gate. */
  readonly backups?: readonly BackupFact[] | undefined;
  readonly runs: readonly ConformanceRun[];
  readonly holds: readonly Hold[];
  readonly approvals: readonly Approval[];
  readonly outside: readonly OutsideAnswer[];
  /** Commit that the target branch has now; undefined while it does not exist. */
  readonly targetHead?: string | undefined;
  readonly targetPaused?: string | undefined;
  /** The target's head has the revision in its history: by a merge of ours, or of somebody else. */
  readonly contained?: boolean | undefined;
  readonly now: Instant;
}

export interface GateEvaluation {
  /** Every gate passes. */
  readonly eligible: boolean;
  /** All gates, passed ones included, in a fixed order. */
  readonly reasons: readonly GateReason[];
  /** The first time at which the answer can change by itself. */
  readonly nextChangeAt?: Instant;
  /** Only a person's approval is missing. */
  readonly awaitingApproval: boolean;
  /** The policy leaves the step to a person: automation waits for a request, however eligible. */
  readonly manual: boolean;
  /** The target branch is at this commit already. */
  readonly already: boolean;
  /** What approvals given now are bound to, together with the tree digest. */
  readonly evidenceDigest: string;
}

/**
 * The only judge of whether a revision may enter a channel: lists, API, automation and the executor all ask here, the
 * executor again right before it moves the ref. All reasons are returned at once.
 */
export function evaluateGates(input: GateInput): GateEvaluation {
  const { gates } = input.target;
  const evidence = conformanceEvidence(input);
  const digest = evidenceDigest(evidence);
  const approvals =
    gates.approvals &&
    approvalsGate(gates.approvals, { ...input, channel: input.target.name, evidenceDigest: digest });
  const reasons = [
    ...standing(input),
    ...(gates.converged === undefined ? [] : [convergedGate(input)]),
    ...(gates.conformance === undefined ? [] : conformanceGate(evidence, gates.conformance.suites)),
    ...(gates.soak === undefined ? [] : [soakGate(input, gates.soak, evidence)]),
    ...outsideGates(input),
    ...(gates.windows === undefined && gates.freeze === undefined ? [] : [windowGate(input)]),
    ...(approvals === undefined ? [] : [approvals]),
  ];
  const open = reasons.filter((one) => one.state !== 'pass');
  const changes = open.flatMap((one) => one.nextChangeAt ?? []);
  return {
    eligible: open.length === 0,
    reasons,
    awaitingApproval: open.length === 1 && open[0] === approvals && approvals?.state === 'pending',
    manual: input.target.promotion === 'manual',
    already: input.targetHead === input.revision.commit || input.contained === true,
    evidenceDigest: digest,
    ...(changes.length > 0 && { nextChangeAt: Math.min(...changes) }),
  };
}

/** What no policy can switch off: the revision stands in its channel, and nobody stopped the target. */
function standing(input: GateInput): readonly GateReason[] {
  const { target, source, now } = input;
  const reasons = [sourceGate(input)];
  if (input.targetPaused !== undefined) {
    reasons.push(reason('paused', 'fail', `${target.name} is paused: ${input.targetPaused}`));
  }
  const stopped = new Set([
    ...promotionHolds(input.holds, target.name, now),
    ...(source === undefined ? [] : channelHolds(input.holds, source.channel, now)),
  ]);
  for (const hold of stopped) {
    reasons.push(reason('held', 'fail', `held by ${hold.owner}: ${hold.reason}`, hold.expiresAt));
  }
  return reasons;
}

function sourceGate({ target, source }: GateInput): GateReason {
  const from = target.from ?? '';
  if (source === undefined)
    return reason('source', 'fail', `this content was never seen in ${from || 'a channel before it'}`);
  if (!source.admitted || source.phase === 'held') return reason('source', 'fail', `it is held in ${from}`);
  switch (source.phase) {
    case 'failed':
      return reason('source', 'fail', `it failed in ${from}`);
    case 'superseded':
    case 'rolled-back':
      return reason('source', 'fail', `it is ${source.phase} in ${from}`);
    default:
      return reason('source', 'pass', `it is in ${from}`);
  }
}

function convergedGate({ target, clusters }: GateInput): GateReason {
  const gate = target.gates.converged;
  if (gate === undefined) return reason('converged', 'pass', 'not asked for');
  const { reached, message } = convergenceOf(clusters, gate);
  return reason('converged', reached ? 'pass' : 'pending', message);
}

function conformanceEvidence({ target, revision, clusters, runs }: GateInput): readonly SuiteEvidence[] {
  const gate = target.gates.conformance;
  const required = gate?.suites.map((suite) => ({ suite, clusters: gate.clusters })) ?? [];
  return gatherEvidence(revision, required, clusters, runs);
}

function conformanceGate(
  evidence: readonly SuiteEvidence[],
  suites: readonly string[],
): readonly GateReason[] {
  const unasked = suites
    .filter((suite) => !evidence.some((one) => one.suite === suite))
    .map((suite) => reason('conformance', 'pending', `${suite}: no cluster ran it on this content`));
  return [
    ...evidence.map((one) => {
      const state =
        one.state === 'pass'
          ? 'pass'
          : one.state === 'fail'
            ? 'fail'
            : one.state === 'exhausted'
              ? 'error'
              : 'pending';
      return reason('conformance', state, describeEvidence(one));
    }),
    ...unasked,
  ];
}

function soakGate(input: GateInput, need: number, evidence: readonly SuiteEvidence[]): GateReason {
  const { source, clusters, now } = input;
  const verified = source?.verifiedAt;
  if (verified === undefined || evidence.some((one) => one.state !== 'pass')) {
    return reason('soak', 'pending', `${formatDuration(need)} of soak begin when it is verified`);
  }
  const { soaked, running } = soakOf(source ?? {}, clusters, now);
  if (!running) return reason('soak', 'pending', 'soak starts again when all clusters are well');
  if (soaked >= need)
    return reason('soak', 'pass', `soaked ${formatDuration(soaked)} of ${formatDuration(need)}`);
  const left = `${formatDuration(need - soaked)} of ${formatDuration(need)} left`;
  return reason('soak', 'pending', left, now + need - soaked);
}

function windowGate({ target, now }: GateInput): GateReason {
  const opening = openingAt(target.gates.windows, target.gates.freeze, now);
  if (opening.open) return reason('windows', 'pass', 'open');
  return reason('windows', 'pending', opening.reason ?? 'closed', opening.nextOpen);
}

/** The entry of the source channel as people should see it after its gates were judged. */
export function withGates(entry: ChannelRevision, evaluation: GateEvaluation): ChannelRevision {
  if (entry.phase !== 'eligible' && entry.phase !== 'awaiting-approval') return entry;
  const phase =
    evaluation.awaitingApproval || (evaluation.eligible && evaluation.manual)
      ? 'awaiting-approval'
      : 'eligible';
  return { ...entry, phase, reasons: evaluation.reasons.filter((one) => one.state !== 'pass') };
}
