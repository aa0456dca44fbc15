import type { KubernetesObject } from '#fleet';
import { refKey, refOf } from '#fleet';
import { decidePrune, planStages, type PruneDecision } from '#manifests';
import type { InventoryEntry, ManifestRequest } from '#ports';
import { mapBounded } from '../bounded.js';
import type { Pass } from '../pass/pass.js';
import { API_CONCURRENCY } from './survey.js';

/** Memory key: `pruneKey`s that a confirmation let go, while they are to go. A crash must not ask again. */
export const APPROVED = 'prune/approved';

export interface AskedPrune {
  readonly inventory: readonly InventoryEntry[];
  /** Entries that Git does not name any more. */
  readonly candidates: readonly InventoryEntry[];
  /** Live objects of the candidates, by `refKey`. */
  readonly live: ReadonlyMap<string, KubernetesObject>;
  readonly requests: readonly ManifestRequest[];
  readonly decision: PruneDecision;
}

/** What may be deleted and what stays, as things are now: the plan shows it, the prune step does it. Reads only. */
export async function askPrune(pass: Pass): Promise<AskedPrune> {
  const desired = desiredRefs(pass);
  const [inventory, requests] = await Promise.all([
    pass.ports.updates.inventory(pass.cluster.id),
    confirmations(pass),
  ]);
  const keys = new Set(desired.map(refKey));
  const candidates = inventory.filter(({ ref }) => !keys.has(refKey(ref)));
  const live = await readLive(pass, candidates);
  const decision = decidePrune({
    clusterId: pass.cluster.id,
    inventory,
    desired,
    components: pass.desired.components.map(({ name, settings }) => ({ name, ...settings })),
    live,
    confirmations: requests.flatMap(({ digest }) => (digest === undefined ? [] : [digest])),
    approved: approvedOf(pass),
  });
  return { inventory, candidates, live, requests, decision };
}

/** The labelled refs as they are applied; a tombstoned component wants nothing. */
function desiredRefs(pass: Pass) {
  const stages = planStages(pass.desired.components, pass.cluster.id);
  // The manifests step has refused such a revision before.
  if (!stages.ok) throw new Error(stages.error.message);
  return stages.value.flatMap((stage) => stage.batches.flat()).map(({ object }) => refOf(object));
}

const confirmations = async (pass: Pass): Promise<readonly ManifestRequest[]> =>
  (await pass.ports.updates.openManifestRequests(pass.cluster.id)).filter(
    ({ kind }) => kind === 'confirm-prune',
  );

const approvedOf = (pass: Pass): readonly string[] => {
  const stored = pass.memory.get(APPROVED);
  return Array.isArray(stored) ? stored.map(String) : [];
};

async function readLive(
  pass: Pass,
  candidates: readonly InventoryEntry[],
): Promise<ReadonlyMap<string, KubernetesObject>> {
  const found = await mapBounded(candidates, API_CONCURRENCY, async ({ ref }) => {
    const object = await pass.kubernetes.get(ref);
    return object ? [[refKey(ref), object] as const] : [];
  });
  return new Map(found.flat());
}
