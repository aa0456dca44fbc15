import { ApiError, badRequest, invalid, methodNotAllowed, notFound } from '../kubernetes/api/api-error.js';
import {
  arrayAt,
  isJsonObject,
  numberAt,
  stringAt,
  type JsonObject,
  type KubeObject,
} from '../kubernetes/api/object.js';
import { apiVersionOf, resourceName, type ResourceType } from '../kubernetes/api/resource-type.js';
import type { Patch, RemoveOptions, WriteOptions } from '../kubernetes/api/store.js';
import { sendJson, type Exchange } from './exchange.js';
import { selected, serveList } from './list-page.js';
import { asItem, inVersion } from './representation.js';
import { mediaType, objectBody, parseBody, readBody, unsupportedMedia } from './request.js';
import type { ResourceTarget } from './route.js';
import { tableOf, wantsTable } from './table.js';
import { serveWatch } from './watch.js';

export type Verb = 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete' | 'deletecollection';

export function verbOf(method: string, target: ResourceTarget, query: URLSearchParams): Verb {
  switch (method) {
    case 'GET':
    case 'HEAD':
      if (query.get('watch') === 'true' || query.get('watch') === '1') return 'watch';
      return target.name === undefined ? 'list' : 'get';
    case 'POST':
      return 'create';
    case 'PUT':
      return 'update';
    case 'PATCH':
      return 'patch';
    case 'DELETE':
      return target.name === undefined ? 'deletecollection' : 'delete';
    default:
      throw methodNotAllowed(target.type.resource);
  }
}

/** `dryRun=All` or nothing. Throws 422 for other values. */
export function isDryRun(query: URLSearchParams, body?: unknown): boolean {
  const values = [...query.getAll('dryRun'), ...arrayAt(body, 'dryRun').map(String)];
  const wrong = values.find((value) => value !== 'All');
  if (wrong !== undefined) {
    const message = `Unsupported value: ${JSON.stringify(wrong)}: supported values: "All"`;
    throw invalid('CreateOptions', 'meta.k8s.io', '', [
      { reason: 'FieldValueNotSupported', field: 'dryRun', message },
    ]);
  }
  return values.length > 0;
}

/** The field manager of a write: the parameter, or the program name of the user agent. */
export const managerOf = (exchange: Exchange): string =>
  exchange.query.get('fieldManager') ||
  (String(exchange.request.headers['user-agent'] ?? '').split('/')[0] as string).slice(0, 128) ||
  'unknown';

export function writeOptions(exchange: Exchange, target: ResourceTarget): WriteOptions {
  const { query } = exchange;
  const validation = query.get('fieldValidation') ?? 'Warn';
  if (validation !== 'Strict' && validation !== 'Warn' && validation !== 'Ignore') {
    throw badRequest(`fieldValidation: Unsupported value: "${validation}"`);
  }
  return {
    manager: managerOf(exchange),
    dryRun: isDryRun(query),
    fieldValidation: validation,
    force: query.get('force') === 'true',
    warn: (text) => void exchange.warnings.push(text),
    ...(target.subresource && { subresource: target.subresource }),
  };
}

export async function serveResource(exchange: Exchange, target: ResourceTarget, verb: Verb): Promise<void> {
  switch (verb) {
    case 'watch':
      return serveWatch(exchange, target);
    case 'list':
      return serveList(exchange, target);
    case 'get':
      return sendObject(exchange, target, 200, read(exchange, target));
    case 'create':
      return create(exchange, target);
    case 'update':
      return update(exchange, target);
    case 'patch':
      return patch(exchange, target);
    case 'delete':
      return remove(exchange, target);
    case 'deletecollection':
      return removeCollection(exchange, target);
  }
}

function sendObject(exchange: Exchange, target: ResourceTarget, code: number, object: KubeObject): void {
  const shown = inVersion(object, target.type);
  if (wantsTable(exchange.request)) {
    sendJson(exchange, code, tableOf(exchange, target.type, [shown], object.metadata.resourceVersion));
  } else sendJson(exchange, code, shown);
}

function read(exchange: Exchange, target: ResourceTarget): KubeObject {
  const name = target.name as string;
  const found = exchange.cluster.store.get(resourceName(target.type), target.namespace, name);
  if (!found) throw notFound(target.type, name);
  return found;
}

async function bodyOf(exchange: Exchange): Promise<unknown> {
  return parseBody(await readBody(exchange.request), mediaType(exchange.request));
}

/** The client's object in the stored version; name and namespace must fit the path. */
function incoming(body: unknown, target: ResourceTarget, stored: ResourceType): JsonObject {
  const object = objectBody(body);
  const metadata = isJsonObject(object['metadata']) ? object['metadata'] : {};
  const { namespace } = metadata;
  if (
    target.namespace !== undefined &&
    namespace !== undefined &&
    namespace !== '' &&
    namespace !== target.namespace
  ) {
    throw badRequest(`the namespace of the provided object does not match the namespace sent on the request`);
  }
  if (target.name !== undefined && metadata['name'] !== undefined && metadata['name'] !== target.name) {
    throw badRequest(
      `the name of the object (${String(metadata['name'])}) does not match the name on the URL (${target.name})`,
    );
  }
  return {
    ...toStored(object, target.type, stored),
    metadata: {
      ...metadata,
      ...(target.name !== undefined && { name: target.name }),
      ...(target.type.namespaced && { namespace: target.namespace }),
    },
  };
}

function toStored(object: JsonObject, type: ResourceType, stored: ResourceType): JsonObject {
  return object['apiVersion'] === apiVersionOf(type)
    ? { ...object, apiVersion: apiVersionOf(stored) }
    : object;
}

async function create(exchange: Exchange, target: ResourceTarget): Promise<void> {
  if (target.name !== undefined) throw methodNotAllowed(target.type.resource);
  const { store } = exchange.cluster;
  const resource = resourceName(target.type);
  const object = incoming(await bodyOf(exchange), target, store.type(resource));
  sendObject(exchange, target, 201, store.create(resource, object, writeOptions(exchange, target)));
}

async function update(exchange: Exchange, target: ResourceTarget): Promise<void> {
  if (target.name === undefined) throw methodNotAllowed(target.type.resource);
  const { store } = exchange.cluster;
  const resource = resourceName(target.type);
  const object = incoming(await bodyOf(exchange), target, store.type(resource));
  sendObject(exchange, target, 200, store.update(resource, object, writeOptions(exchange, target)));
}

const PATCH_TYPES: Readonly<Record<string, Patch['type']>> = {
  'application/json-patch+json': 'json',
  'application/merge-patch+json': 'merge',
  'application/strategic-merge-patch+json': 'strategic',
  'application/apply-patch+yaml': 'apply',
};

export async function readPatch(exchange: Exchange, type: ResourceType): Promise<Patch> {
  const media = mediaType(exchange.request);
  const kind = PATCH_TYPES[media];
  if (!kind || (kind === 'strategic' && type.custom)) throw unsupportedMedia(media);
  const body = parseBody(
    await readBody(exchange.request),
    kind === 'apply' ? 'application/yaml' : 'application/json',
  );
  if (kind === 'json') {
    if (!Array.isArray(body)) throw badRequest('json patches must be lists of operations');
    return { type: kind, body };
  }
  if (kind === 'apply') requireManager(exchange.query);
  else if (exchange.query.has('force')) {
    const message = 'Forbidden: may not be specified for non-apply patch';
    throw invalid('PatchOptions', 'meta.k8s.io', '', [
      { reason: 'FieldValueForbidden', field: 'force', message },
    ]);
  }
  return { type: kind, body: objectBody(body) };
}

function requireManager(query: URLSearchParams): void {
  if (query.get('fieldManager')) return;
  const message = 'Required value: is required for apply patch';
  throw invalid('PatchOptions', 'meta.k8s.io', '', [
    { reason: 'FieldValueRequired', field: 'fieldManager', message },
  ]);
}

async function patch(exchange: Exchange, target: ResourceTarget): Promise<void> {
  const name = target.name;
  if (name === undefined) throw methodNotAllowed(target.type.resource);
  const { store } = exchange.cluster;
  const resource = resourceName(target.type);
  const read = await readPatch(exchange, target.type);
  const stored = store.type(resource);
  const change =
    read.type === 'json' ? read : { ...read, body: toStored({ ...read.body }, target.type, stored) };
  const existed = store.get(resource, target.namespace, name) !== undefined;
  const object = store.patch(resource, target.namespace, name, change, writeOptions(exchange, target));
  sendObject(exchange, target, existed ? 200 : 201, object);
}

function removeOptions(exchange: Exchange, body: unknown): RemoveOptions {
  const { query } = exchange;
  const grace =
    numberAt(body, 'gracePeriodSeconds') ??
    (query.has('gracePeriodSeconds') ? Number(query.get('gracePeriodSeconds')) : undefined);
  const orphan = isJsonObject(body) && body['orphanDependents'] === true ? 'Orphan' : undefined;
  const policy = stringAt(body, 'propagationPolicy') ?? query.get('propagationPolicy') ?? orphan;
  if (policy && policy !== 'Background' && policy !== 'Foreground' && policy !== 'Orphan') {
    throw badRequest(`propagationPolicy: Unsupported value: "${policy}"`);
  }
  const uid = stringAt(body, 'preconditions', 'uid');
  const resourceVersion = stringAt(body, 'preconditions', 'resourceVersion');
  return {
    dryRun: isDryRun(query, body),
    ...(grace !== undefined && { gracePeriodSeconds: grace }),
    ...(policy && { propagationPolicy: policy as NonNullable<RemoveOptions['propagationPolicy']> }),
    ...(uid !== undefined && { uid }),
    ...(resourceVersion !== undefined && { resourceVersion }),
  };
}

/** Kinds whose delete answers with the object even when it is gone at once. */
const RETURNS_OBJECT: ReadonlySet<string> = new Set([
  'Pod',
  'Service',
  'ServiceAccount',
  'PersistentVolume',
  'PersistentVolumeClaim',
  'ResourceQuota',
  'PodTemplate',
]);

async function remove(exchange: Exchange, target: ResourceTarget): Promise<void> {
  if (target.subresource !== undefined) throw methodNotAllowed(target.type.resource);
  const options = removeOptions(exchange, await bodyOf(exchange));
  const { type, namespace } = target;
  const name = target.name as string;
  const { object, gone } = exchange.cluster.store.removal(resourceName(type), namespace, name, options);
  if (!gone || RETURNS_OBJECT.has(object.kind)) return sendObject(exchange, target, 200, object);
  const details = {
    name,
    ...(type.group && { group: type.group }),
    kind: type.resource,
    uid: object.metadata.uid,
  };
  sendJson(exchange, 200, { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details });
}

async function removeCollection(exchange: Exchange, target: ResourceTarget): Promise<void> {
  const options = removeOptions(exchange, await bodyOf(exchange));
  const { store } = exchange.cluster;
  const resource = resourceName(target.type);
  const items = selected(exchange, target).flatMap((object) => {
    try {
      const { namespace, name } = object.metadata;
      return [asItem(store.remove(resource, namespace, name, options), target.type)];
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) return [];
      throw error;
    }
  });
  const metadata = { resourceVersion: String(store.revision) };
  sendJson(exchange, 200, {
    kind: `${target.type.kind}List`,
    apiVersion: apiVersionOf(target.type),
    metadata,
    items,
  });
}
