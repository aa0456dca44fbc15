import { inventoryOf, unionInventory } from '#manifests';
import type { Pass } from '../pass/pass.js';

/** Before the first write: what was applied and what will be, so that nothing applied is ever forgotten. */
export async function recordUnion(pass: Pass): Promise<void> {
  const key = `${pass.update.id}|${pass.desired.digest}`;
  if (pass.memory.text('inventory/for') === key) return;
  const stored = await pass.ports.updates.inventory(pass.cluster.id);
  const union = unionInventory(stored, inventoryOf(pass.desired.components));
  await pass.ports.updates.recordInventory(await pass.lease.current(), pass.cluster.id, union);
  pass.memory.set('inventory/for', key);
}
