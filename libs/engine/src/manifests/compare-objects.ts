import { toFailure } from '#kernel';
import type { KubernetesObject } from '#fleet';
import { refKey, refOf } from '#fleet';
import { compareApply, FIELD_MANAGER, type ApplyComparison, type StagedObject } from '#manifests';
import type { KubernetesPort } from '#ports';
import { mapBounded } from '../bounded.js';

/** Requests to one API server under way at once. */
export const API_CONCURRENCY = 12;

/** Selects what Fairway applied to any cluster. */
const OURS = 'app.kubernetes.io/managed-by=fairway';

export interface ComparedObject {
  readonly staged: StagedObject;
  readonly comparison: ApplyComparison;
}

export type LiveObjects = ReadonlyMap<string, KubernetesObject>;

/**
 * What of ours is there, one list per kind. An object that exists without our labels is absent here; it is then taken
 * for a creation, which is right: applying it will write.
 */
export async function readLive(
  kubernetes: KubernetesPort,
  objects: readonly StagedObject[],
): Promise<LiveObjects> {
  const kinds = new Map<string, { apiVersion: string; kind: string }>();
  for (const { object } of objects) {
    kinds.set(`${object.apiVersion}/${object.kind}`, { apiVersion: object.apiVersion, kind: object.kind });
  }
  const live = new Map<string, KubernetesObject>();
  const lists = await mapBounded([...kinds.values()], API_CONCURRENCY, (kind) => listKind(kubernetes, kind));
  for (const object of lists.flat()) live.set(refKey(refOf(object)), object);
  return live;
}

async function listKind(
  kubernetes: KubernetesPort,
  kind: { apiVersion: string; kind: string },
): Promise<readonly KubernetesObject[]> {
  try {
    const listed = await kubernetes.list(kind, { labelSelector: OURS });
    return listed.map((object) => ({ ...object, ...kind }));
  } catch (error) {
    // The kind may come with a CRD of the same revision.
    if (isUnknownKind(error)) return [];
    throw error;
  }
}

/** Dry-runs each object and compares with what is live. */
export function compareObjects(
  kubernetes: KubernetesPort,
  objects: readonly StagedObject[],
  live: LiveObjects,
  ignoreOf: (component: string) => readonly string[],
): Promise<ComparedObject[]> {
  return mapBounded(objects, API_CONCURRENCY, async (staged) => {
    const dryRun = await kubernetes.apply(staged.object, {
      dryRun: true,
      force: true,
      fieldManager: FIELD_MANAGER,
    });
    const before = live.get(refKey(refOf(staged.object)));
    return { staged, comparison: compareApply(before, dryRun, ignoreOf(staged.component)) };
  });
}

/** The API server does not know the kind (yet), or the namespace is not there (yet). */
export function isUnknownKind(error: unknown): boolean {
  const { code } = toFailure(error);
  return code === 'kind-unknown' || code === 'not-found';
}
