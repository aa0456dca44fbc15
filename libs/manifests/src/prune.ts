import { digestOfValue } from '#kernel';
import { refKey, type KubernetesObject } from '#fleet';
import { isAppliedByUs } from './field-owners.js';
import { applyRank } from './kind-order.js';
import { isOurs, PRUNE_ANNOTATION } from './labels.js';
import { MeaningIndex } from './same-object.js';
import type { InventoryItem, PruneBlock, PruneDecision, PruneItem, PruneQuestion } from './types.js';

const NEEDS_CONFIRMATION = [
  'Namespace',
  'CustomResourceDefinition',
  'PersistentVolume',
  'PersistentVolumeClaim',
  'StatefulSet',
];

/**
 * What may be deleted: in the inventory, not desired, still ours, still the same object, not told to stay. Kinds that
 * hold data, and more than the budget at once, need a confirmation that names this very set; a component that vanished
 * without `removed: true` is not pruned at all. The rest goes on.
 */
export function decidePrune(question: PruneQuestion): PruneDecision {
  const { candidates, live, forget } = sort(question);
  const blocked: PruneBlock[] = [];
  const free: PruneItem[] = [];
  for (const item of live) {
    const object = question.live.get(refKey(item.ref)) as KubernetesObject;
    const verdict = judge(question, item, object);
    if (verdict === 'ours-no-more') forget.push(item);
    else if (verdict) blocked.push(verdict);
    else free.push({ item, uid: object.metadata.uid ?? item.uid ?? '' });
  }
  const surprising = overBudget(question, free);
  const waiting = blocked.filter((block) => block.code === 'needs-confirmation');
  const digest = digestOfValue([...waiting, ...surprising].map(({ item }) => pruneKey(item)).sort());
  const known = new Set(candidates.map(pruneKey));
  const approved = (question.approved ?? []).filter((key) => known.has(key));
  if (question.confirmations.includes(digest)) {
    const prune = [...free, ...waiting.map((block) => unblocked(question, block))].sort(deletionOrder);
    const rest = blocked.filter((block) => block.code !== 'needs-confirmation');
    const now = prune.map(({ item }) => pruneKey(item));
    return { prune, blocked: rest, forget, digest, approved: [...new Set([...approved, ...now])] };
  }
  const held = new Set<PruneItem>(surprising);
  const prune = free.filter((one) => !held.has(one)).sort(deletionOrder);
  const all = [...blocked, ...surprising.map(({ item }) => tooMany(question, item, surprising.length))];
  const told = all.map((block) => ({ ...block, remedy: block.remedy.replace('DIGEST', digest) }));
  return { prune, blocked: told, forget, digest, approved };
}

interface Sorted {
  readonly candidates: readonly InventoryItem[];
  /** Candidates that exist. */
  readonly live: readonly InventoryItem[];
  /** Candidates that are gone, and entries of what Git still names, in other words. */
  readonly forget: InventoryItem[];
}

/** An object is never deleted under one name while Git wants it under another: a namespace spelt out, a kind that moved. */
function sort(question: PruneQuestion): Sorted {
  const desired = new Set(question.desired.map(refKey));
  const meant = new MeaningIndex(question.desired);
  const kept = question.inventory.filter((item) => desired.has(refKey(item.ref)));
  const uids = new Set(kept.flatMap(({ uid }) => uid ?? []));
  const isWanted = (object: KubernetesObject): boolean =>
    meant.of(object).length > 0 || uids.has(object.metadata.uid ?? '');
  const candidates = question.inventory.filter((item) => !desired.has(refKey(item.ref)));
  const stays = (item: InventoryItem): boolean => {
    const object = question.live.get(refKey(item.ref));
    return object !== undefined && !isWanted(object);
  };
  return { candidates, live: candidates.filter(stays), forget: candidates.filter((item) => !stays(item)) };
}

function judge(
  question: PruneQuestion,
  item: InventoryItem,
  object: KubernetesObject,
): PruneBlock | 'ours-no-more' | undefined {
  const ours = isOurs(object, question.clusterId);
  const other =
    item.uid !== undefined && object.metadata.uid !== undefined && object.metadata.uid !== item.uid;
  if (other && !ours) return 'ours-no-more';
  if (other) return block(item, 'other-uid', 'somebody deleted it and created it again');
  if (!ours) return block(item, 'not-ours', 'it does not carry the labels of this cluster');
  if (item.uid === undefined && !isAppliedByUs(object)) {
    return block(item, 'not-ours', 'it carries our labels, but was never applied by Fairway');
  }
  if (object.metadata.annotations?.[PRUNE_ANNOTATION] === 'disabled') {
    return block(item, 'prune-disabled', `annotation ${PRUNE_ANNOTATION}: disabled`);
  }
  const component = question.components.find((candidate) => candidate.name === item.component);
  if (!component)
    return block(item, 'component-vanished', `the whole component ${item.component} is gone from Git`);
  if (!component.prune && !component.removed) {
    return block(item, 'component-keeps', `component ${item.component} says prune: false`);
  }
  if (!NEEDS_CONFIRMATION.includes(item.ref.kind) || isApproved(question, item)) return undefined;
  return block(item, 'needs-confirmation', `deleting a ${item.ref.kind} deletes data`);
}

function block(
  item: InventoryItem,
  code: Exclude<PruneBlock['code'], 'over-budget'>,
  reason: string,
): PruneBlock {
  const remedies = {
    'not-ours': 'Delete it by hand, or give it back its labels.',
    'other-uid': 'Delete it by hand if it is not needed.',
    'prune-disabled': 'Remove the annotation.',
    'component-vanished': `Put back manifests/${item.component}/component.yaml with removed: true.`,
    'component-keeps': 'Set prune: true, or delete it by hand.',
    'needs-confirmation': 'Confirm the prune DIGEST.',
  };
  return { item, code, reason, remedy: remedies[code] };
}

/** More than the budget that nobody announced. All or nothing: half of an unexpected mass deletion would be as wrong. */
function overBudget(question: PruneQuestion, free: readonly PruneItem[]): readonly PruneItem[] {
  const surprising = free.filter(({ item }) => !removedByName(question, item) && !isApproved(question, item));
  return surprising.length > budgetOf(question) ? surprising : [];
}

const budgetOf = ({ budget, inventory }: PruneQuestion): number =>
  budget ?? Math.max(5, Math.floor(inventory.length / 10));

const tooMany = (question: PruneQuestion, item: InventoryItem, count: number): PruneBlock => ({
  item,
  code: 'over-budget',
  reason: `${count} objects would go at once, ${budgetOf(question)} may`,
  remedy: 'Confirm the prune DIGEST.',
});

/** Identity of one object in a prune: another one under the same name was not meant. */
const pruneKey = (item: InventoryItem): string => `${refKey(item.ref)} ${item.uid ?? ''}`;

const isApproved = (question: PruneQuestion, item: InventoryItem): boolean =>
  (question.approved ?? []).includes(pruneKey(item));

/** A tombstone is the author's word for it: such deletions are no surprise. */
const removedByName = (question: PruneQuestion, item: InventoryItem): boolean =>
  question.components.some((component) => component.name === item.component && component.removed);

const unblocked = (question: PruneQuestion, { item }: PruneBlock): PruneItem => ({
  item,
  uid: question.live.get(refKey(item.ref))?.metadata.uid ?? item.uid ?? '',
});

/** Reverse of the apply: what others refer to goes last. */
const deletionOrder = (a: PruneItem, b: PruneItem): number =>
  applyRank(b.item.ref) - applyRank(a.item.ref) || (refKey(a.item.ref) < refKey(b.item.ref) ? -1 : 1);
