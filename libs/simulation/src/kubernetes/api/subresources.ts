import { ApiError, conflict, notFound, OBJECT_MODIFIED } from './api-error.js';
import {
  clone,
  isJsonObject,
  numberAt,
  stringAt,
  valueAt,
  type JsonObject,
  type KubeObject,
} from './object.js';
import { resourceName, type ResourceType } from './resource-type.js';
import { labelSelectorText } from './selectors.js';
import type { StoreContext } from './store-context.js';
import { updateObject } from './update.js';
import type { WriteOptions } from './write-options.js';

/** What `POST …/pods/<name>/eviction` carries. */
export interface EvictionRequest {
  readonly namespace: string;
  readonly name: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly gracePeriodSeconds?: number;
  readonly dryRun?: boolean;
}

export interface LogRequest {
  readonly container?: string;
  readonly previous: boolean;
  readonly tailLines?: number;
  readonly follow: boolean;
  readonly timestamps: boolean;
}

/** Parts of the API that somebody else implements. */
export interface SubresourceHandlers {
  /** Returns for an accepted eviction, throws ApiError otherwise. */
  evict?: (request: EvictionRequest) => void;
  /** The text so far, or a stream of it that ends when the container does. */
  logs?: (pod: KubeObject, request: LogRequest) => string | AsyncIterable<string>;
}

const NOT_SCALABLE = 'the server could not find the requested resource';

interface ScalePaths {
  readonly spec: readonly string[];
  readonly status: readonly string[];
  readonly selector: string;
}

function scalePaths(context: StoreContext, type: ResourceType, object: KubeObject): ScalePaths {
  if (!type.subresources.includes('scale')) throw new ApiError(404, 'NotFound', NOT_SCALABLE);
  const custom = context.catalog.custom(resourceName(type))?.scale.get(type.version);
  if (!custom) {
    return {
      spec: ['spec', 'replicas'],
      status: ['status', 'replicas'],
      selector: labelSelectorText(valueAt(object, 'spec', 'selector')),
    };
  }
  const path = (text: string) => text.split('.').filter(Boolean);
  const selector = custom.selector ? stringAt(object, ...path(custom.selector)) : undefined;
  return { spec: path(custom.spec), status: path(custom.status), selector: selector ?? '' };
}

/** The `autoscaling/v1` Scale of an object. */
export function scaleOf(
  context: StoreContext,
  type: ResourceType,
  namespace: string | undefined,
  name: string,
): JsonObject {
  const object = context.storage.get(resourceName(type), namespace, name);
  if (!object) throw notFound(type, name);
  const paths = scalePaths(context, type, object);
  const { uid, resourceVersion, creationTimestamp } = object.metadata;
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: { name, ...(namespace && { namespace }), uid, resourceVersion, creationTimestamp },
    spec: { replicas: numberAt(object, ...paths.spec) ?? 0 },
    status: {
      replicas: numberAt(object, ...paths.status) ?? 0,
      ...(paths.selector && { selector: paths.selector }),
    },
  };
}

export function updateScale(
  context: StoreContext,
  type: ResourceType,
  target: { readonly namespace: string | undefined; readonly name: string },
  scale: JsonObject,
  options: WriteOptions,
): JsonObject {
  const live = context.storage.get(resourceName(type), target.namespace, target.name);
  if (!live) throw notFound(type, target.name);
  const version = stringAt(scale, 'metadata', 'resourceVersion');
  if (version && version !== live.metadata.resourceVersion)
    throw conflict(type, target.name, OBJECT_MODIFIED);
  const draft = clone(live);
  let parent: JsonObject = draft;
  const paths = scalePaths(context, type, live);
  for (const part of paths.spec.slice(0, -1)) {
    if (!isJsonObject(parent[part])) parent[part] = {};
    parent = parent[part] as JsonObject;
  }
  parent[paths.spec.at(-1) as string] = numberAt(scale, 'spec', 'replicas') ?? 0;
  // The main object is written; the subresource shows in managedFields only.
  updateObject(context, type, draft, { ...options, subresource: 'scale' });
  return scaleOf(context, type, target.namespace, target.name);
}

/** `POST …/pods/<name>/binding`: puts a pod on a node. Throws 409 when it already is on one. */
export function bindPod(
  context: StoreContext,
  namespace: string,
  name: string,
  node: string,
  options: WriteOptions,
): void {
  const pods = context.catalog.require('pods');
  const live = context.storage.get('pods', namespace, name);
  if (!live) throw notFound(pods, name);
  const current = stringAt(live, 'spec', 'nodeName');
  if (current) throw conflict(pods, name, `pod ${name} is already assigned to node "${current}"`);
  if (live.metadata.deletionTimestamp)
    throw conflict(pods, name, `pod ${name} is being deleted, cannot be assigned to a host`);
  const draft = clone(live);
  draft['spec'] = { ...(draft['spec'] as JsonObject), nodeName: node };
  updateObject(context, pods, draft, { ...options, subresource: 'binding' });
}
