import type { ChannelRevision, GateReason, Revision } from '#fleet';
import type { Instant } from '#kernel';
import { reason } from './admission.planner.js';
import type { ChannelNote } from './channel-note.js';
import type { GateEvaluation } from './gates.evaluator.js';
import type { ChannelPolicy } from './policy.js';

export interface ArrivalInput {
  readonly policy: ChannelPolicy;
  readonly revision: Revision;
  /** A recorded promotion of ours moved the branch to this commit, or made the merge. */
  readonly promotedByUs: boolean;
  /** A rollback of ours made the commit: its content is one that the channel had before. */
  readonly rolledBackByUs?: boolean;
  /** The gates of this channel for this content; undefined where the channel before never had the content. */
  readonly evaluation?: GateEvaluation | undefined;
  /** Entries that this very content had in this channel before. */
  readonly earlierHere: readonly Pick<ChannelRevision, 'admitted' | 'phase' | 'convergedAt'>[];
  /** Somebody with the right let this revision in, loudly. */
  readonly brokenGlass?:
    { readonly by: string; readonly reason: string; readonly expiresAt: Instant } | undefined;
  readonly now: Instant;
}

export type Arrival =
  | {
      readonly kind: 'admitted';
      readonly why: string;
      readonly note?: ChannelNote;
      /** Starts outside of windows and freezes as well. */
      readonly expedited?: true;
    }
  | { readonly kind: 'held'; readonly reasons: readonly GateReason[] };

/** Whether a new head of a channel may roll out, or waits for the evidence that its gates ask for. */
export function classifyArrival(input: ArrivalInput): Arrival {
  const { policy, evaluation } = input;
  if (policy.from === undefined) return { kind: 'admitted', why: 'people push to the first channel' };
  if (input.rolledBackByUs === true) {
    return { kind: 'admitted', why: 'a rollback brought it back', expedited: true };
  }
  if (input.promotedByUs) return { kind: 'admitted', why: `promoted from ${policy.from}` };
  if (input.earlierHere.some(ranWell)) {
    return { kind: 'admitted', why: 'this content ran in this channel before' };
  }
  if (evaluation?.eligible === true)
    return { kind: 'admitted', why: `its content has the evidence of ${policy.from}` };
  const glass = input.brokenGlass;
  if (glass !== undefined && glass.expiresAt > input.now) {
    const message = `${policy.name}: ${glass.by} broke the glass for ${input.revision.commit.slice(0, 10)}: ${glass.reason}`;
    const data = { commit: input.revision.commit, by: glass.by, reason: glass.reason };
    return {
      kind: 'admitted',
      why: message,
      expedited: true,
      note: { type: 'glass.used', severity: 'critical', message, data },
    };
  }
  return {
    kind: 'held',
    reasons: evaluation?.reasons.filter((one) => one.state !== 'pass') ?? unseen(policy),
  };
}

const ranWell = (entry: Pick<ChannelRevision, 'admitted' | 'phase' | 'convergedAt'>): boolean =>
  entry.admitted &&
  entry.convergedAt !== undefined &&
  entry.phase !== 'failed' &&
  entry.phase !== 'rolled-back';

function unseen(policy: ChannelPolicy): readonly GateReason[] {
  const from = policy.from ?? '';
  const asked = Object.entries(policy.gates)
    .filter(([gate, setting]) => setting !== undefined && gate !== 'windows' && gate !== 'freeze')
    .map(([gate]) => gate);
  return [
    reason('source', 'fail', `this content never was in ${from}: merge it there, or promote what is there`),
    ...asked.map((gate) => reason(gate, 'pending', `nothing was shown about this content in ${from}`)),
  ];
}

/**
 * The entry with which a revision begins its life in a channel. `before` is the entry of the very same content that the
 * channel's clusters still run: what was reached, shown and soaked belongs to the content, so it goes on.
 */
export function enterChannel(
  revision: Revision,
  channel: string,
  arrival: Arrival,
  now: Instant,
  before?: ChannelRevision,
): ChannelRevision {
  return {
    channel,
    revisionId: revision.id,
    phase: arrival.kind === 'admitted' ? 'seen' : 'held',
    wave: 0,
    waves: 0,
    enteredAt: now,
    ...(arrival.kind === 'admitted' && before !== undefined && reached(before)),
    admitted: arrival.kind === 'admitted',
    reasons: arrival.kind === 'admitted' ? [] : arrival.reasons,
    ...(arrival.kind === 'admitted' && arrival.expedited === true && { expedited: true }),
  };
}

function reached(before: ChannelRevision): Partial<ChannelRevision> {
  const { wave, waves, convergedAt, verifiedAt, soakingSince, soak } = before;
  return {
    wave,
    waves,
    ...(convergedAt !== undefined && { convergedAt }),
    ...(verifiedAt !== undefined && { verifiedAt }),
    ...(soakingSince !== undefined && { soakingSince }),
    ...(soak !== undefined && { soak }),
  };
}
