import { conflict, notFound } from './api-error.js';
import { review } from './admission.js';
import { clone, isJsonObject, numberAt, stringAt, type KubeObject } from './object.js';
import { resourceName, type ResourceType } from './resource-type.js';
import { timestamp, type StoreContext } from './store-context.js';
import { isReleased } from './update.js';
import type { RemoveOptions } from './write-options.js';

export const FOREGROUND = 'foregroundDeletion';
export const ORPHAN = 'orphan';

export interface Removal {
  /** The last state when it is gone, else the state that waits for finalizers or grace. */
  readonly object: KubeObject;
  readonly gone: boolean;
}

/** Starts or finishes a deletion: preconditions, admission, grace for running pods, finalizers. Throws 404, 409, denials. */
export function removeObject(
  context: StoreContext,
  type: ResourceType,
  namespace: string | undefined,
  name: string,
  options: RemoveOptions,
): Removal {
  const live = context.storage.get(resourceName(type), namespace, name);
  if (!live) throw notFound(type, name);
  checkPreconditions(type, live, options);
  review(context.admission, {
    operation: 'DELETE',
    resource: resourceName(type),
    ...(namespace && { namespace }),
    name,
    oldObject: live,
    dryRun: options.dryRun === true,
  });
  const next = clone(live);
  applyPropagation(next, options);
  const grace = graceOf(live, options);
  const waiting = live.metadata.deletionGracePeriodSeconds ?? 0;
  if (live.metadata.deletionTimestamp === undefined) markDeleted(context, next, grace);
  else if (grace < waiting) markDeleted(context, next, grace);
  if (options.dryRun) return { object: next, gone: isReleased(next) };
  if (isReleased(next)) return { object: context.storage.delete(type, live, next), gone: true };
  if (next.metadata.deletionTimestamp === live.metadata.deletionTimestamp && sameFinalizers(next, live)) {
    return { object: live, gone: false };
  }
  return { object: context.storage.put(type, next), gone: false };
}

const sameFinalizers = (a: KubeObject, b: KubeObject): boolean =>
  (a.metadata.finalizers ?? []).join() === (b.metadata.finalizers ?? []).join();

function checkPreconditions(type: ResourceType, live: KubeObject, options: RemoveOptions): void {
  const { name, uid, resourceVersion } = live.metadata;
  if (options.uid !== undefined && options.uid !== uid) {
    // The API machinery names the kind here, not the resource.
    throw conflict(
      { group: type.group, resource: type.kind },
      name,
      `the UID in the precondition (${options.uid}) does not match the UID in record (${uid}). The object might have been deleted and then recreated`,
    );
  }
  if (options.resourceVersion !== undefined && options.resourceVersion !== resourceVersion) {
    throw conflict(
      type,
      name,
      `Precondition failed: ResourceVersion in precondition: ${options.resourceVersion}, ResourceVersion in object meta: ${resourceVersion}`,
    );
  }
}

function applyPropagation(draft: KubeObject, options: RemoveOptions): void {
  if (options.propagationPolicy === undefined) return;
  const finalizers = new Set(draft.metadata.finalizers ?? []);
  finalizers.delete(FOREGROUND);
  finalizers.delete(ORPHAN);
  if (options.propagationPolicy === 'Foreground') finalizers.add(FOREGROUND);
  if (options.propagationPolicy === 'Orphan') finalizers.add(ORPHAN);
  if (finalizers.size > 0) draft.metadata.finalizers = [...finalizers];
  else delete draft.metadata.finalizers;
}

/** Seconds that the kubelet may take. Zero for everything that no kubelet runs. */
function graceOf(live: KubeObject, options: RemoveOptions): number {
  if (live.kind !== 'Pod' || live.apiVersion !== 'v1') return 0;
  const phase = stringAt(live, 'status', 'phase');
  if (!stringAt(live, 'spec', 'nodeName') || phase === 'Succeeded' || phase === 'Failed') return 0;
  return options.gracePeriodSeconds ?? numberAt(live, 'spec', 'terminationGracePeriodSeconds') ?? 30;
}

function markDeleted(context: StoreContext, draft: KubeObject, grace: number): void {
  const at = context.scheduler.now() + grace * 1000;
  draft.metadata.deletionTimestamp =
    grace === 0 ? timestamp(context) : new Date(at).toISOString().replace(/\.\d+Z$/, 'Z');
  draft.metadata.deletionGracePeriodSeconds = grace;
  if (draft.metadata.generation !== undefined) draft.metadata.generation += 1;
  if (draft.kind === 'Namespace') {
    draft['status'] = { ...(isJsonObject(draft['status']) ? draft['status'] : {}), phase: 'Terminating' };
  }
}

/** The kubelet confirms that the pod's containers are gone. */
export function finalizeRemoval(
  context: StoreContext,
  type: ResourceType,
  namespace: string | undefined,
  name: string,
  uid: string | undefined,
): void {
  const live = context.storage.get(resourceName(type), namespace, name);
  if (!live || (uid !== undefined && live.metadata.uid !== uid)) return;
  const next = clone(live);
  if (next.metadata.deletionTimestamp === undefined) markDeleted(context, next, 0);
  next.metadata.deletionGracePeriodSeconds = 0;
  if (isReleased(next)) context.storage.delete(type, live, next);
  else if (live.metadata.deletionGracePeriodSeconds !== 0) context.storage.put(type, next);
}
