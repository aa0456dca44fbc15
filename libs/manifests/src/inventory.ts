import { refKey, refOf, type Component, type ObjectRef } from '#fleet';
import type { InventoryItem } from './types.js';

/** What the desired state would put into the inventory. */
export const inventoryOf = (components: readonly Component[]): readonly InventoryItem[] =>
  components
    .filter((component) => !component.settings.removed)
    .flatMap((component) =>
      component.objects.map(({ object }) => ({ ref: refOf(object), component: component.name })),
    );

/**
 * Recorded before the first write: whatever a crash leaves behind is in it. A stored uid is kept, the component is the
 * desired one (an object may move between components).
 */
export function unionInventory(
  stored: readonly InventoryItem[],
  desired: readonly InventoryItem[],
): readonly InventoryItem[] {
  const union = new Map(stored.map((item) => [refKey(item.ref), item]));
  for (const item of desired) {
    const known = union.get(refKey(item.ref));
    const uid = item.uid ?? known?.uid;
    const confirmed = item.confirmed ?? known?.confirmed;
    union.set(refKey(item.ref), {
      ref: item.ref,
      component: item.component,
      ...(uid !== undefined && { uid }),
      ...(confirmed !== undefined && { confirmed }),
    });
  }
  return sorted(union);
}

/** After success: what was applied stays with the uid that was seen, what is gone goes, the rest is kept as it is. */
export function shrinkInventory(
  stored: readonly InventoryItem[],
  outcome: { readonly applied: readonly InventoryItem[]; readonly gone: readonly ObjectRef[] },
): readonly InventoryItem[] {
  const kept = new Map(unionInventory(stored, outcome.applied).map((item) => [refKey(item.ref), item]));
  const applied = new Set(outcome.applied.map((item) => refKey(item.ref)));
  for (const ref of outcome.gone) if (!applied.has(refKey(ref))) kept.delete(refKey(ref));
  return sorted(kept);
}

const sorted = (items: ReadonlyMap<string, InventoryItem>): readonly InventoryItem[] =>
  [...items.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, item]) => item);
