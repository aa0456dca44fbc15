import type { Instant } from '#kernel';
import { toIso } from '#kernel';
import type { NodeView, Taint } from '#fleet';
import type { NodeMarks } from './action.js';
import type { NodePrior } from './memory.js';
import type { RollPolicy } from './policy.js';

/** Everything that a roll writes on a node. */
const ROLL_ANNOTATION = 'fairway.dev/roll';
export const UPGRADE_LOCK = 'fairway.dev/upgrade-lock';
const SCALE_DOWN_DISABLED = 'cluster-autoscaler.kubernetes.io/scale-down-disabled';
export const EXCLUDE_FROM_LB = 'node.kubernetes.io/exclude-from-external-load-balancers';
export const QUEUED_TAINT: Taint = { key: 'fairway.dev/queued', effect: 'PreferNoSchedule' };
export const REPLACING_TAINT: Taint = { key: 'fairway.dev/replacing', effect: 'NoSchedule' };
const OUR_TAINTS = [QUEUED_TAINT, REPLACING_TAINT];

type MarkStage = 'queued' | 'cordoned';

/** The annotation on the node: what we did, for which update, and what was there before. */
export interface RollMark {
  readonly update: string;
  readonly since: string;
  readonly stage: MarkStage;
  readonly prior: NodePrior;
}

export function readMark(node: NodeView): RollMark | undefined {
  const text = node.annotations[ROLL_ANNOTATION];
  if (text === undefined) return undefined;
  try {
    const value = JSON.parse(text) as Partial<RollMark>;
    const prior = value.prior ?? { unschedulable: false, labels: {}, annotations: {}, taints: [] };
    return { update: value.update ?? '', since: value.since ?? '', stage: value.stage ?? 'queued', prior };
  } catch {
    // Somebody edited it. Restoring without prior values removes our marks and cannot give back what they covered.
    const prior = { unschedulable: false, labels: {}, annotations: {}, taints: [] };
    return { update: '', since: '', stage: node.unschedulable ? 'cordoned' : 'queued', prior };
  }
}

export interface MarkContext {
  readonly updateId: string;
  readonly now: Instant;
  readonly policy: RollPolicy;
}

/** Values before our first mark. Keys that a later stage may write are taken now, while they are not ours. */
function priorOf(node: NodeView, policy: RollPolicy): NodePrior {
  const labels = [...Object.keys(policy.drainLabels), EXCLUDE_FROM_LB];
  return {
    unschedulable: node.unschedulable,
    labels: Object.fromEntries(labels.map((key) => [key, node.labels[key] ?? null])),
    annotations: { [SCALE_DOWN_DISABLED]: node.annotations[SCALE_DOWN_DISABLED] ?? null },
    taints: node.taints.filter((taint) => OUR_TAINTS.some((ours) => sameTaint(ours, taint))),
  };
}

const annotation = (stage: MarkStage, prior: NodePrior, context: MarkContext): Record<string, string> => ({
  [ROLL_ANNOTATION]: JSON.stringify({
    update: context.updateId,
    since: toIso(context.now),
    stage,
    prior,
  } satisfies RollMark),
});

export const queuePatch = (node: NodeView, context: MarkContext): NodeMarks => ({
  annotations: {
    ...annotation('queued', readMark(node)?.prior ?? priorOf(node, context.policy), context),
    [SCALE_DOWN_DISABLED]: 'true',
  },
  addTaints: [QUEUED_TAINT],
});

/** Nominated and cordoned in one write. A cordon that somebody set after we queued the node becomes its prior value. */
export function cordonPatch(node: NodeView, context: MarkContext): NodeMarks {
  const mark = readMark(node);
  const before = mark?.prior ?? priorOf(node, context.policy);
  const theirs = mark?.stage === 'cordoned' ? before.unschedulable : node.unschedulable;
  return {
    unschedulable: true,
    labels: context.policy.drainLabels,
    annotations: {
      ...annotation('cordoned', { ...before, unschedulable: theirs }, context),
      [SCALE_DOWN_DISABLED]: 'true',
    },
    addTaints: [REPLACING_TAINT],
  };
}

export const excludePatch = (): NodeMarks => ({ labels: { [EXCLUDE_FROM_LB]: 'true' } });

/**
 * The exact inverse of our marks: a value that is still ours goes back to what it was; a value that somebody changed
 * meanwhile stays. `keep: 'queued'` undoes the drain only.
 */
export function restorePatch(node: NodeView, context: MarkContext, keep: 'queued' | 'nothing'): NodeMarks {
  const mark = readMark(node);
  const prior = mark?.prior ?? priorOf(node, context.policy);
  const ours: Record<string, string> = { ...context.policy.drainLabels, [EXCLUDE_FROM_LB]: 'true' };
  const labels = Object.entries(ours)
    .filter(
      ([key, value]) => node.labels[key] === value && key in prior.labels && prior.labels[key] !== value,
    )
    .map(([key]) => [key, prior.labels[key] ?? null] as const);
  const uncordon = mark?.stage === 'cordoned' && node.unschedulable && !prior.unschedulable;
  const had = (taint: Taint): boolean => prior.taints.some((theirs) => sameTaint(theirs, taint));
  const remove = (keep === 'queued' ? [REPLACING_TAINT] : OUR_TAINTS).filter(
    (taint) => !had(taint) && node.taints.some((present) => sameTaint(present, taint)),
  );
  return {
    ...(uncordon && { unschedulable: false }),
    ...(labels.length > 0 && { labels: Object.fromEntries(labels) }),
    ...(remove.length > 0 && { removeTaints: remove.map(({ key, effect }) => ({ key, effect })) }),
    annotations:
      keep === 'queued'
        ? annotation('queued', { ...prior, unschedulable: prior.unschedulable }, context)
        : { [ROLL_ANNOTATION]: null, ...restoredAnnotations(node, prior) },
  };
}

function restoredAnnotations(node: NodeView, prior: NodePrior): Record<string, string | null> {
  const before = prior.annotations[SCALE_DOWN_DISABLED] ?? null;
  const isOurs = node.annotations[SCALE_DOWN_DISABLED] === 'true' && before !== 'true';
  return isOurs && SCALE_DOWN_DISABLED in prior.annotations ? { [SCALE_DOWN_DISABLED]: before } : {};
}

const sameTaint = (a: Taint, b: Taint): boolean => a.key === b.key && a.effect === b.effect;
