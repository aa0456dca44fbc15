import { badRequest, conflict, notFound, OBJECT_MODIFIED, type ApiError } from './api-error.js';
import { review } from './admission.js';
import { applyWriter, createByApply, hasGeneration } from './create.js';
import { decode, decodeApplied } from './decode.js';
import { applyDefaults } from './defaults/index.js';
import { applyConfiguration, trackUpdate } from './fields/managed-fields.js';
import { applyAsKubectl } from './fields/kubectl-upgrade.js';
import {
  clone,
  isJsonObject,
  sameJson,
  stringAt,
  type JsonObject,
  type KubeObject,
  type ObjectInput,
  type ObjectMeta,
} from './object.js';
import { applyJsonPatch } from './patch/json-patch.js';
import { applyMergePatch } from './patch/merge-patch.js';
import { applyStrategicMerge } from './patch/strategic-merge.js';
import { apiVersionOf, resourceName, type ResourceType } from './resource-type.js';
import { allocateService } from './service-allocation.js';
import { timestamp, type StoreContext } from './store-context.js';
import { validateUpdate } from './validation/index.js';
import { DEFAULT_MANAGER, type Patch, type WriteOptions } from './write-options.js';

/** Replaces an object. Checks `metadata.resourceVersion` and `uid` when they are given. */
export function updateObject(
  context: StoreContext,
  type: ResourceType,
  input: ObjectInput,
  options: WriteOptions,
): KubeObject {
  const name = input.metadata?.name ?? '';
  const namespace = type.namespaced ? input.metadata?.namespace : undefined;
  const live = context.storage.get(resourceName(type), namespace, name);
  if (!live) throw notFound(type, name);
  const mode = { fieldValidation: options.fieldValidation ?? 'Ignore', warn: options.warn } as const;
  const draft = decode(clone(input) as JsonObject, type, context.catalog.schemaOf(type), mode);
  return commitUpdate(context, type, live, draft, options);
}

export function patchObject(
  context: StoreContext,
  type: ResourceType,
  target: { readonly namespace: string | undefined; readonly name: string },
  patch: Patch,
  options: WriteOptions,
): KubeObject {
  const live = context.storage.get(resourceName(type), target.namespace, target.name);
  if (patch.type === 'apply') return applyPatch(context, type, target, live, patch.body, options);
  if (!live) throw notFound(type, target.name);
  const schema = context.catalog.schemaOf(type);
  const patched = patchedBody(live, patch, context, type);
  if (!isJsonObject(patched)) throw badRequest('the patch leaves no object');
  const mode = { fieldValidation: options.fieldValidation ?? 'Ignore', warn: options.warn } as const;
  return commitUpdate(context, type, live, decode(patched, type, schema, mode), options);
}

function patchedBody(live: KubeObject, patch: Patch, context: StoreContext, type: ResourceType): unknown {
  if (patch.type === 'json') return applyJsonPatch(live, patch.body);
  const body = clone(patch.body) as JsonObject;
  const base = clone(live);
  return patch.type === 'strategic'
    ? applyStrategicMerge(base, body, context.catalog.schemaOf(type))
    : applyMergePatch(base, body);
}

function applyPatch(
  context: StoreContext,
  type: ResourceType,
  target: { readonly namespace: string | undefined; readonly name: string },
  live: KubeObject | undefined,
  body: JsonObject,
  options: WriteOptions,
): KubeObject {
  const schema = context.catalog.schemaOf(type);
  const config = decodeApplied(clone(body) as JsonObject, type, schema);
  const metadata = isJsonObject(config['metadata']) ? config['metadata'] : {};
  checkTarget(metadata, target);
  config['metadata'] = {
    ...metadata,
    name: target.name,
    ...(type.namespaced && { namespace: target.namespace }),
  };
  for (const field of ['uid', 'resourceVersion', 'creationTimestamp', 'managedFields']) {
    delete (config['metadata'] as JsonObject)[field];
  }
  const version = stringAt(metadata, 'resourceVersion');
  if (!live) {
    if (stringAt(metadata, 'uid')) throw conflict(type, target.name, OBJECT_MODIFIED);
    if (version) throw notFound(type, target.name);
    if (options.subresource) throw notFound(type, target.name);
    if (type.subresources.includes('status')) delete config['status'];
    return createByApply(context, type, config, options);
  }
  checkPreconditions(type, live, { uid: stringAt(metadata, 'uid'), resourceVersion: version });
  restrictToPart(config, type, options);
  const writer = applyWriter(context, type, options);
  const applied = applyAsKubectl(live, config, schema, writer, (base, force) =>
    applyConfiguration(base, config, schema, writer, force || options.force === true),
  );
  if (applied.unchanged) return live;
  const draft = applied.object as unknown as KubeObject;
  return commitUpdate(context, type, live, draft, options, applied.managedFields);
}

/** An apply through a subresource sees only its part, one through the object everything but status. */
function restrictToPart(config: JsonObject, type: ResourceType, options: WriteOptions): void {
  if (options.subresource === 'status') {
    for (const field of Object.keys(config)) {
      if (!['apiVersion', 'kind', 'metadata', 'status'].includes(field)) delete config[field];
    }
    const { name, namespace } = config['metadata'] as JsonObject;
    config['metadata'] = { name, ...(namespace !== undefined && { namespace }) };
  } else if (type.subresources.includes('status')) delete config['status'];
}

function checkTarget(metadata: JsonObject, target: { namespace: string | undefined; name: string }): void {
  const { name, namespace } = metadata;
  if (name !== undefined && name !== target.name) throw nameMismatch(String(name), target.name);
  if (namespace !== undefined && target.namespace !== undefined && namespace !== target.namespace) {
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
  }
}

const nameMismatch = (given: string, wanted: string): ApiError =>
  badRequest(`the name of the object (${given}) does not match the name on the URL (${wanted})`);

function checkPreconditions(
  type: ResourceType,
  live: KubeObject,
  wanted: { readonly uid?: string | undefined; readonly resourceVersion?: string | undefined },
): void {
  const { uid, resourceVersion, name } = live.metadata;
  if (wanted.uid && wanted.uid !== uid) {
    throw conflict(
      type,
      name,
      `Precondition failed: UID in precondition: ${wanted.uid}, UID in object meta: ${uid}`,
    );
  }
  if (wanted.resourceVersion && wanted.resourceVersion !== resourceVersion) {
    throw conflict(type, name, OBJECT_MODIFIED);
  }
}

/** The common end of all changes: keep what clients may not change, admit, validate, own, and write only a difference. */
function commitUpdate(
  context: StoreContext,
  type: ResourceType,
  live: KubeObject,
  draft: JsonObject,
  options: WriteOptions,
  appliedFields?: ObjectMeta['managedFields'],
): KubeObject {
  const given = (isJsonObject(draft['metadata']) ? draft['metadata'] : {}) as Partial<ObjectMeta>;
  if (given.name !== undefined && given.name !== live.metadata.name) {
    throw nameMismatch(given.name, live.metadata.name);
  }
  if (!appliedFields)
    checkPreconditions(type, live, { uid: given.uid, resourceVersion: given.resourceVersion });
  let next = reconcileParts(type, live, draft, given, options);
  applyDefaults(next);
  const dryRun = options.dryRun === true;
  const { namespace, name } = live.metadata;
  next.metadata.managedFields = appliedFields ?? ownershipOf(context, type, live, next, given, options);
  next =
    review(context.admission, {
      operation: 'UPDATE',
      resource: resourceName(type),
      ...(options.subresource && { subresource: options.subresource }),
      ...(namespace && { namespace }),
      name,
      object: next,
      oldObject: live,
      dryRun,
    }) ?? next;
  validateUpdate(next, live, type, context.catalog.schemaOf(type), options);
  if (type.kind === 'Service') allocateService(context, next);
  if (hasGeneration(type) && specChanged(next, live))
    next.metadata.generation = (live.metadata.generation ?? 0) + 1;
  if (next.metadata.managedFields?.length === 0) delete next.metadata.managedFields;
  if (sameJson(next, live)) return live;
  if (dryRun) return next;
  return isReleased(next) ? context.storage.delete(type, live, next) : context.storage.put(type, next);
}

function ownershipOf(
  context: StoreContext,
  type: ResourceType,
  live: KubeObject,
  next: KubeObject,
  given: Partial<ObjectMeta>,
  options: WriteOptions,
): NonNullable<ObjectMeta['managedFields']> {
  if (options.subresource === 'binding') return [...(live.metadata.managedFields ?? [])];
  const asGiven = { ...next, metadata: { ...next.metadata, managedFields: given.managedFields } };
  return trackUpdate(live, asGiven, context.catalog.schemaOf(type), {
    manager: options.manager ?? DEFAULT_MANAGER,
    operation: 'Update',
    apiVersion: apiVersionOf(type),
    time: timestamp(context),
    ...(options.subresource && { subresource: options.subresource }),
  });
}

/** Nothing holds a terminating object any more. Pods under grace wait for their kubelet. */
export const isReleased = (object: KubeObject): boolean =>
  object.metadata.deletionTimestamp !== undefined &&
  (object.metadata.finalizers?.length ?? 0) === 0 &&
  (object.metadata.deletionGracePeriodSeconds ?? 0) === 0 &&
  !(object.kind === 'Namespace' && namespaceFinalizers(object).length > 0);

const namespaceFinalizers = (object: KubeObject): readonly unknown[] => {
  const spec = object['spec'];
  return isJsonObject(spec) && Array.isArray(spec['finalizers']) ? spec['finalizers'] : [];
};

function specChanged(next: KubeObject, live: KubeObject): boolean {
  const names = new Set([...Object.keys(next), ...Object.keys(live)]);
  for (const name of ['metadata', 'status', 'apiVersion', 'kind']) names.delete(name);
  return [...names].some((name) => !sameJson(next[name], live[name]));
}

const SERVER_FIELDS = [
  'uid',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'generation',
  'generateName',
  'resourceVersion',
  'namespace',
] as const;
/** Kinds whose status endpoint takes labels and annotations as well. */
const STATUS_WITH_METADATA: ReadonlySet<string> = new Set(['Pod', 'Node', 'Service', 'Namespace']);

function reconcileParts(
  type: ResourceType,
  live: KubeObject,
  draft: JsonObject,
  given: Partial<ObjectMeta>,
  options: WriteOptions,
): KubeObject {
  const metadata: JsonObject = { ...given, name: live.metadata.name };
  for (const field of SERVER_FIELDS) {
    if (live.metadata[field] === undefined) delete metadata[field];
    else metadata[field] = live.metadata[field];
  }
  delete metadata['selfLink'];
  for (const field of ['labels', 'annotations', 'finalizers', 'ownerReferences']) {
    const value = metadata[field];
    const empty = Array.isArray(value)
      ? value.length === 0
      : isJsonObject(value) && Object.keys(value).length === 0;
    if (empty) delete metadata[field];
  }
  const next = { ...draft, apiVersion: live.apiVersion, kind: live.kind, metadata } as unknown as KubeObject;
  if (options.subresource === 'status') return statusOnly(live, next);
  if (!type.subresources.includes('status')) return next;
  if (live['status'] === undefined) delete next['status'];
  else next['status'] = live['status'];
  return clone(next);
}

function statusOnly(live: KubeObject, next: KubeObject): KubeObject {
  const metadata = { ...clone(live.metadata) };
  if (STATUS_WITH_METADATA.has(live.kind)) {
    for (const field of ['labels', 'annotations'] as const) {
      if (next.metadata[field]) metadata[field] = next.metadata[field];
      else delete metadata[field];
    }
  }
  const result: KubeObject = { ...clone(live), metadata };
  if (next['status'] === undefined) delete result['status'];
  else result['status'] = clone(next['status']);
  return result;
}
