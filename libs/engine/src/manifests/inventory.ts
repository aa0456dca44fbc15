import type { KubernetesObject } from '#fleet';
import { refKey, refOf } from '#fleet';
import { inventoryOf, shrinkInventory, unionInventory, type StagedObject } from '#manifests';
import type { Pass } from '../pass/pass.js';
import { declareApplySet } from './apply-set.js';
import { confirmedPair, type Compared } from './compare-objects.js';
import type { Survey } from './survey.js';

/**
 * Before the first write: what was applied and what will be, so that nothing applied is ever forgotten. The uid of what is
 * not there under it any more is dropped, because what we create next will have another one that a crash could hide.
 */
export async function recordUnion(
  pass: Pass,
  survey: Survey,
  recreated: ReadonlySet<string> = new Set(),
): Promise<void> {
  const desired = inventoryOf(pass.desired.components);
  const keys = new Set(desired.map(({ ref }) => refKey(ref)));
  const stored = [...survey.inventory.values()].map((entry) => {
    const key = refKey(entry.ref);
    const stays = survey.live.get(key)?.metadata.uid === entry.uid && !recreated.has(key);
    if (!keys.has(key) || stays) return entry;
    const { uid: _gone, ...rest } = entry;
    return rest;
  });
  const union = unionInventory(stored, desired);
  await record(pass, survey, union);
  await declareApplySet(
    pass,
    union.map(({ ref }) => ref),
  );
}

/** What was just seen to be as Git says, by `refKey`: written and answered, or compared equal. */
export type Verified = ReadonlyMap<
  string,
  { readonly object: KubernetesObject; /** See `confirmedPair`. */ readonly confirmed: string }
>;

/** After success: uids and contents as they were seen. What is not desired any more waits for the prune. */
export async function recordApplied(
  pass: Pass,
  objects: readonly StagedObject[],
  verified: Verified,
): Promise<void> {
  const applied = objects.flatMap((staged) => {
    const ref = refOf(staged.object);
    const seen = verified.get(refKey(ref));
    if (!seen) return [];
    const { confirmed, object } = seen;
    const { uid } = object.metadata;
    return [{ ref, component: staged.component, confirmed, ...(uid !== undefined && { uid }) }];
  });
  if (applied.length === 0) return;
  const stored = await pass.ports.updates.inventory(pass.cluster.id);
  const survey = { live: new Map(), inventory: byKey(stored) };
  await record(pass, survey, shrinkInventory(stored, { applied, gone: [] }));
}

/** Of what was compared: equal ones as they are, written ones as the API server answered. */
export function verifiedOf(
  pass: Pass,
  compared: ReadonlyMap<string, Compared>,
  written: ReadonlyMap<string, KubernetesObject>,
): Verified {
  const verified = new Map<string, { object: KubernetesObject; confirmed: string }>();
  for (const [key, one] of compared) {
    const answered = written.get(key);
    if (answered) {
      verified.set(key, { object: answered, confirmed: confirmedPair(pass, one, answered) });
    } else if (one.action === 'none' && one.live) {
      verified.set(key, { object: one.live, confirmed: one.pair ?? confirmedPair(pass, one, one.live) });
    }
  }
  return verified;
}

const byKey = <T extends { readonly ref: Parameters<typeof refKey>[0] }>(
  entries: readonly T[],
): ReadonlyMap<string, T> => new Map(entries.map((entry) => [refKey(entry.ref), entry]));

type Entries = ReturnType<typeof unionInventory>;

async function record(pass: Pass, survey: Survey, entries: Entries): Promise<void> {
  const known = JSON.stringify([...survey.inventory.values()].map(fingerprint).sort());
  if (JSON.stringify(entries.map(fingerprint).sort()) === known) return;
  await pass.ports.updates.recordInventory(await pass.lease.current(), pass.cluster.id, entries);
}

const fingerprint = (entry: Entries[number]): string =>
  JSON.stringify([refKey(entry.ref), entry.ref.apiVersion, entry.uid, entry.component, entry.confirmed]);
