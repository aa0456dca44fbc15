import { alreadyExists, badRequest, forbidden, notFound, ApiError } from './api-error.js';
import { review } from './admission.js';
import { decode } from './decode.js';
import { applyDefaults, initialStatus } from './defaults/index.js';
import { defaultPod } from './defaults/pod-defaults.js';
import { generateJobSelector } from './defaults/workload-defaults.js';
import { applyConfiguration, trackUpdate } from './fields/managed-fields.js';
import {
  clone,
  isJsonObject,
  numberAt,
  stringAt,
  type JsonObject,
  type KubeObject,
  type ObjectInput,
} from './object.js';
import { apiVersionOf, resourceName, type ResourceType } from './resource-type.js';
import { allocateService } from './service-allocation.js';
import { generatedName, isTerminating, newUid, timestamp, type StoreContext } from './store-context.js';
import { validateCreate } from './validation/index.js';
import type { WriteOptions } from './write-options.js';
import { DEFAULT_MANAGER } from './write-options.js';

/** Kinds without `metadata.generation`. */
const WITHOUT_GENERATION: ReadonlySet<string> = new Set([
  'ConfigMap',
  'Secret',
  'ServiceAccount',
  'Service',
  'Namespace',
  'Node',
  'PersistentVolume',
  'PersistentVolumeClaim',
  'Event',
  'Endpoints',
  'LimitRange',
  'ResourceQuota',
  'PodTemplate',
  'Role',
  'RoleBinding',
  'ClusterRole',
  'ClusterRoleBinding',
  'StorageClass',
  'CSIDriver',
  'CSINode',
  'CSIStorageCapacity',
  'VolumeAttachment',
  'Lease',
  'RuntimeClass',
  'ControllerRevision',
  'APIService',
  'HorizontalPodAutoscaler',
  'CertificateSigningRequest',
]);

export const hasGeneration = (type: ResourceType): boolean => !WITHOUT_GENERATION.has(type.kind);

/** Creates an object: decode, name, default, admit, validate, own, commit. */
export function createObject(
  context: StoreContext,
  type: ResourceType,
  input: ObjectInput,
  options: WriteOptions,
): KubeObject {
  const schema = context.catalog.schemaOf(type);
  const mode = { fieldValidation: options.fieldValidation ?? 'Ignore', warn: options.warn } as const;
  const draft = decode(clone(input) as JsonObject, type, schema, mode);
  const metadata = freshMetadata(context, type, draft);
  const object = { ...draft, metadata } as unknown as KubeObject;
  const entries = trackUpdate(undefined, withDefaults(object), schema, {
    manager: options.manager ?? DEFAULT_MANAGER,
    operation: 'Update',
    apiVersion: apiVersionOf(type),
    time: timestamp(context),
  });
  return finishCreate(context, type, object, entries, options);
}

/** Server-side apply of an object that is not there yet. */
export function createByApply(
  context: StoreContext,
  type: ResourceType,
  config: JsonObject,
  options: WriteOptions,
): KubeObject {
  const schema = context.catalog.schemaOf(type);
  const applied = applyConfiguration(undefined, config, schema, applyWriter(context, type, options), false);
  const metadata = freshMetadata(context, type, applied.object);
  const object = { ...applied.object, metadata } as unknown as KubeObject;
  return finishCreate(context, type, object, applied.managedFields, options);
}

export const applyWriter = (context: StoreContext, type: ResourceType, options: WriteOptions) =>
  ({
    manager: options.manager ?? DEFAULT_MANAGER,
    operation: 'Apply',
    apiVersion: apiVersionOf(type),
    time: timestamp(context),
    ...(options.subresource && { subresource: options.subresource }),
  }) as const;

function withDefaults(object: KubeObject): KubeObject {
  const defaulted = clone(object);
  applyDefaults(defaulted);
  if (defaulted['status'] !== undefined && defaulted.kind !== 'Node') delete defaulted['status'];
  return defaulted;
}

function finishCreate(
  context: StoreContext,
  type: ResourceType,
  object: KubeObject,
  managedFields: KubeObject['metadata']['managedFields'],
  options: WriteOptions,
): KubeObject {
  const { namespace, name } = object.metadata;
  applyDefaults(object);
  settleStatus(context, type, object);
  checkNamespace(context, type, object);
  if (type.kind === 'Job') generateJobSelector(object, object.metadata.uid, name);
  if (type.kind === 'Namespace') {
    object.metadata.labels = { ...object.metadata.labels, 'kubernetes.io/metadata.name': name };
  }
  const dryRun = options.dryRun === true;
  const admitted = review(context.admission, {
    operation: 'CREATE',
    resource: resourceName(type),
    ...(namespace && { namespace }),
    name,
    object,
    dryRun,
  });
  const final = admitted ?? object;
  applyDefaults(final);
  validateCreate(final, type, context.catalog.schemaOf(type));
  if (context.storage.get(resourceName(type), namespace, name)) throw alreadyExists(type, name);
  if (type.kind === 'Service') allocateService(context, final);
  if (managedFields && managedFields.length > 0) final.metadata.managedFields = managedFields;
  if (dryRun) return final;
  return context.storage.put(type, final);
}

/** What the client says about identity and lifecycle is replaced by the server's own. */
function freshMetadata(context: StoreContext, type: ResourceType, draft: JsonObject): JsonObject {
  const given = isJsonObject(draft['metadata']) ? draft['metadata'] : {};
  if (stringAt(given, 'resourceVersion')) {
    throw badRequest('resourceVersion should not be set on objects to be created');
  }
  const base = stringAt(given, 'generateName');
  const name = stringAt(given, 'name') || (base ? generatedName(base, context.random) : '');
  const { managedFields: _, resourceVersion: __, ...kept } = given;
  for (const field of ['deletionTimestamp', 'deletionGracePeriodSeconds', 'selfLink']) delete kept[field];
  const metadata: JsonObject = {
    ...kept,
    name,
    uid: newUid(context.random),
    creationTimestamp: timestamp(context),
    ...(hasGeneration(type) && { generation: 1 }),
  };
  if (!type.namespaced) delete metadata['namespace'];
  return metadata;
}

function settleStatus(context: StoreContext, type: ResourceType, object: KubeObject): void {
  if (type.kind === 'Pod') {
    delete object['status'];
    defaultPod(object, priorityOf(context, stringAt(object, 'spec', 'priorityClassName')));
  } else if (type.custom && type.subresources.includes('status')) delete object['status'];
  else initialStatus(object);
}

const SYSTEM_PRIORITIES: Readonly<Record<string, number>> = {
  'system-node-critical': 2_000_001_000,
  'system-cluster-critical': 2_000_000_000,
};

function priorityOf(context: StoreContext, className: string | undefined): { value: number; policy: string } {
  const policy = 'PreemptLowerPriority';
  const classes = context.storage.list('priorityclasses.scheduling.k8s.io');
  if (className === undefined) {
    const standard = classes.find((one) => one['globalDefault'] === true);
    return {
      value: numberAt(standard, 'value') ?? 0,
      policy: stringAt(standard, 'preemptionPolicy') ?? policy,
    };
  }
  const found = classes.find((one) => one.metadata.name === className);
  const value = numberAt(found, 'value') ?? SYSTEM_PRIORITIES[className];
  if (value === undefined) {
    throw forbidden({ resource: 'pods', group: '' }, '', `no PriorityClass with name ${className} was found`);
  }
  return { value, policy: stringAt(found, 'preemptionPolicy') ?? policy };
}

function checkNamespace(context: StoreContext, type: ResourceType, object: KubeObject): void {
  if (!type.namespaced) return;
  const { namespace, name } = object.metadata;
  if (!namespace) throw new ApiError(400, 'BadRequest', 'an empty namespace may not be set during creation');
  const found = context.storage.get('namespaces', undefined, namespace);
  if (!found) throw notFound({ resource: 'namespaces', group: '' }, namespace);
  if (!isTerminating(found)) return;
  throw forbidden(
    type,
    name,
    `unable to create new content in namespace ${namespace} because it is being terminated`,
    [
      {
        reason: 'NamespaceTerminating',
        message: `namespace ${namespace} is being terminated`,
        field: 'metadata.namespace',
      },
    ],
  );
}
