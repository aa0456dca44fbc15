import { digestOfValue, type Digest } from '#kernel';
import { refKey, type KubernetesObject } from '#fleet';
import { applyRank } from './kind-order.js';
import { isOurs, PRUNE_ANNOTATION } from './labels.js';
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
  const desired = new Set(question.desired.map(refKey));
  const candidates = question.inventory.filter((item) => !desired.has(refKey(item.ref)));
  const live = candidates.filter((item) => question.live.has(refKey(item.ref)));
  const forget = candidates.filter((item) => !question.live.has(refKey(item.ref)));
  const blocked: PruneBlock[] = [];
  const free: PruneItem[] = [];
  for (const item of live) {
    const object = question.live.get(refKey(item.ref)) as KubernetesObject;
    const verdict = judge(question, item, object);
    if (verdict === 'ours-no-more') forget.push(item);
    else if (verdict) blocked.push(verdict);
    else free.push({ item, uid: object.metadata.uid ?? item.uid ?? '' });
  }
  const digest = digestOfSet(free, blocked);
  const confirmed = question.confirmations.includes(digest);
  const confirmable = [
    ...free.map(({ item }) => item),
    ...blocked.filter((block) => block.code === 'needs-confirmation').map((block) => block.item),
  ].map(pruneKey);
  const allowed = confirmed
    ? [...free, ...unblockedBy(question, blocked)]
    : withinBudget(question, free, blocked, digest);
  const rest = confirmed ? blocked.filter((block) => block.code !== 'needs-confirmation') : blocked;
  const withDigest = rest.map((block) => ({ ...block, remedy: block.remedy.replace('DIGEST', digest) }));
  return { prune: [...allowed].sort(deletionOrder), blocked: withDigest, forget, digest, confirmable };
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

/** All or nothing: half of an unexpected mass deletion would be as wrong as the whole. */
function withinBudget(
  question: PruneQuestion,
  free: readonly PruneItem[],
  blocked: PruneBlock[],
  digest: Digest,
): readonly PruneItem[] {
  const budget = question.budget ?? Math.max(5, Math.floor(question.inventory.length / 10));
  const told = free.filter(({ item }) => removedByName(question, item) || isApproved(question, item));
  const surprising = free.filter(({ item }) => !removedByName(question, item) && !isApproved(question, item));
  if (surprising.length <= budget) return free;
  for (const { item } of surprising) {
    blocked.push({
      item,
      code: 'over-budget',
      reason: `${surprising.length} objects would go at once, ${budget} may`,
      remedy: `Confirm the prune ${digest}.`,
    });
  }
  return told;
}

/** Identity of one object in a prune: another one under the same name was not meant. */
export const pruneKey = (item: InventoryItem): string => `${refKey(item.ref)} ${item.uid ?? ''}`;

const isApproved = (question: PruneQuestion, item: InventoryItem): boolean =>
  (question.approved ?? []).includes(pruneKey(item));

/** A tombstone is the author's word for it: such deletions are no surprise. */
const removedByName = (question: PruneQuestion, item: InventoryItem): boolean =>
  question.components.some((component) => component.name === item.component && component.removed);

const unblockedBy = (question: PruneQuestion, blocked: readonly PruneBlock[]): readonly PruneItem[] =>
  blocked
    .filter((block) => block.code === 'needs-confirmation')
    .map(({ item }) => ({ item, uid: question.live.get(refKey(item.ref))?.metadata.uid ?? item.uid ?? '' }));

function digestOfSet(free: readonly PruneItem[], blocked: readonly PruneBlock[]): Digest {
  const confirmable = blocked
    .filter((block) => block.code === 'needs-confirmation')
    .map((block) => block.item);
  const keys = [...free.map(({ item }) => item), ...confirmable].map(pruneKey);
  return digestOfValue(keys.sort());
}

/** Reverse of the apply: what others refer to goes last. */
const deletionOrder = (a: PruneItem, b: PruneItem): number =>
  applyRank(b.item.ref) - applyRank(a.item.ref) || (refKey(a.item.ref) < refKey(b.item.ref) ? -1 : 1);
