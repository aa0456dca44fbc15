import { toFailure } from '#kernel';
import type { KubernetesObject, ObjectRef } from '#fleet';
import { refKey, refOf } from '#fleet';
import { MeaningIndex, type StagedObject } from '#manifests';
import type { InventoryEntry, KubernetesPort } from '#ports';
import { mapBounded } from '../bounded.js';
import type { Pass } from '../pass/pass.js';

/** Requests to one API server under way at once; the transport allows as many. */
export const API_CONCURRENCY = 24;

/** Selects what Fairway applied to any cluster. */
const OURS = 'app.kubernetes.io/managed-by=fairway';

/** What Fairway knows of a cluster's objects at one moment. */
export interface Survey {
  /** Objects with our labels, with managedFields, by `refKey` as Git names them. Kinds that we never applied are not looked at. */
  readonly live: ReadonlyMap<string, KubernetesObject>;
  readonly inventory: ReadonlyMap<string, InventoryEntry>;
}

/** One list for each kind that is both wanted and in the inventory: nothing of ours can be of another kind. */
export async function surveyObjects(pass: Pass, objects: readonly StagedObject[]): Promise<Survey> {
  const entries = await pass.ports.updates.inventory(pass.cluster.id);
  const inventory = new Map(entries.map((entry) => [refKey(entry.ref), entry]));
  const applied = new Set(entries.map((entry) => groupKind(entry.ref)));
  const kinds = new Map(
    objects
      .map(({ object }) => refOf(object))
      .filter((ref) => applied.has(groupKind(ref)))
      .map((ref) => [groupKind(ref), { apiVersion: ref.apiVersion, kind: ref.kind }]),
  );
  const lists = await mapBounded([...kinds.values()], API_CONCURRENCY, (kind) =>
    listOurs(pass.kubernetes, kind),
  );
  const wanted = new MeaningIndex(objects.map(({ object }) => refOf(object)));
  const live = lists.flat().flatMap((object) => {
    const refs = wanted.of(object);
    return (refs.length > 0 ? refs : [refOf(object)]).map((ref) => [refKey(ref), object] as const);
  });
  return { inventory, live: new Map(live) };
}

const groupKind = (ref: Pick<ObjectRef, 'apiVersion' | 'kind'>): string =>
  `${ref.apiVersion.includes('/') ? ref.apiVersion.split('/')[0] : ''}/${ref.kind}`;

async function listOurs(
  kubernetes: KubernetesPort,
  kind: { readonly apiVersion: string; readonly kind: string },
): Promise<readonly KubernetesObject[]> {
  try {
    return await kubernetes.list(kind, { labelSelector: OURS, managedFields: true });
  } catch (error) {
    // Its CRD comes with this revision, or went.
    if (isUnknownKind(error)) return [];
    throw error;
  }
}

/** The API server does not know the kind (yet), or the namespace is not there (yet). */
export function isUnknownKind(error: unknown): boolean {
  const { code } = toFailure(error);
  return code === 'kind-unknown' || code === 'not-found';
}
