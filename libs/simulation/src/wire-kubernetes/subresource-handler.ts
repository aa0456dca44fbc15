import { badRequest, methodNotAllowed, notFound, tooManyRequests } from '../kubernetes/api/api-error.js';
import {
  isJsonObject,
  numberAt,
  stringAt,
  valueAt,
  type JsonObject,
  type KubeObject,
} from '../kubernetes/api/object.js';
import { applyJsonPatch } from '../kubernetes/api/patch/json-patch.js';
import { applyMergePatch } from '../kubernetes/api/patch/merge-patch.js';
import { resourceName } from '../kubernetes/api/resource-type.js';
import { labelSelectorOf } from '../kubernetes/api/selectors.js';
import type { EvictionRequest, LogRequest, ObjectStore } from '../kubernetes/api/store.js';
import { sendJson, sendText, type Exchange } from './exchange.js';
import { mediaType, objectBody, parseBody, readBody } from './request.js';
import { isDryRun, readPatch, serveResource, writeOptions, type Verb } from './resource-handler.js';
import type { ResourceTarget } from './route.js';

/** Everything below an object's path. */
export async function serveSubresource(
  exchange: Exchange,
  target: ResourceTarget,
  verb: Verb,
): Promise<void> {
  switch (target.subresource) {
    case 'scale':
      return serveScale(exchange, target, verb);
    case 'eviction':
      return serveEviction(exchange, target, verb);
    case 'log':
      return serveLog(exchange, target);
    case 'binding':
      return serveBinding(exchange, target, verb);
    default:
      if (!['get', 'update', 'patch'].includes(verb)) throw methodNotAllowed(target.type.resource);
      return serveResource(exchange, target, verb);
  }
}

async function body(exchange: Exchange): Promise<unknown> {
  return parseBody(await readBody(exchange.request), mediaType(exchange.request));
}

async function serveScale(exchange: Exchange, target: ResourceTarget, verb: Verb): Promise<void> {
  const { store } = exchange.cluster;
  const resource = resourceName(target.type);
  const name = target.name as string;
  const current = store.scale(resource, target.namespace, name);
  if (verb === 'get') return sendJson(exchange, 200, current);
  let wanted: JsonObject;
  if (verb === 'update') wanted = objectBody(await body(exchange));
  else if (verb === 'patch') {
    const patch = await readPatch(exchange, target.type);
    const patched =
      patch.type === 'json' ? applyJsonPatch(current, patch.body) : applyMergePatch(current, patch.body);
    wanted = objectBody(patched);
  } else throw methodNotAllowed(target.type.resource);
  const place = { namespace: target.namespace, name };
  sendJson(exchange, 200, store.updateScale(resource, place, wanted, writeOptions(exchange, target)));
}

async function serveEviction(exchange: Exchange, target: ResourceTarget, verb: Verb): Promise<void> {
  if (verb !== 'create') throw methodNotAllowed('pods/eviction');
  const eviction = objectBody(await body(exchange));
  const name = target.name as string;
  const given = stringAt(eviction, 'metadata', 'name');
  if (given !== undefined && given !== '' && given !== name) {
    throw badRequest('name in URL does not match name in Eviction object');
  }
  const options = valueAt(eviction, 'deleteOptions');
  const grace = numberAt(options, 'gracePeriodSeconds');
  const uid = stringAt(options, 'preconditions', 'uid');
  const resourceVersion = stringAt(options, 'preconditions', 'resourceVersion');
  const request: EvictionRequest = {
    namespace: target.namespace ?? '',
    name,
    dryRun: isDryRun(exchange.query, options),
    ...(grace !== undefined && { gracePeriodSeconds: grace }),
    ...(uid !== undefined && { uid }),
    ...(resourceVersion !== undefined && { resourceVersion }),
  };
  const { store } = exchange.cluster;
  if (store.handlers.evict) store.handlers.evict(request);
  else evictByStatus(store, request);
  sendJson(exchange, 201, { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 });
}

/** Where no eviction rules are plugged in: what the budgets' status allows, counted down by one. */
function evictByStatus(store: ObjectStore, request: EvictionRequest): void {
  const pod = store.get('pods', request.namespace, request.name);
  if (!pod) throw notFound({ resource: 'pods', group: '' }, request.name);
  const budgets = store
    .list('poddisruptionbudgets.policy', { namespace: request.namespace })
    .filter((budget) => labelSelectorOf(valueAt(budget, 'spec', 'selector'))(pod.metadata.labels ?? {}));
  for (const budget of budgets) {
    const allowed = numberAt(budget, 'status', 'disruptionsAllowed') ?? 0;
    if (allowed <= 0) throw disruptionRefused(budget);
    if (request.dryRun) continue;
    store.modify(
      'poddisruptionbudgets.policy',
      request.namespace,
      budget.metadata.name,
      (draft) => {
        draft['status'] = { ...(draft['status'] as JsonObject), disruptionsAllowed: allowed - 1 };
      },
      { subresource: 'status', manager: 'kube-apiserver' },
    );
  }
  const { namespace, name, ...options } = request;
  store.remove('pods', namespace, name, options);
}

function disruptionRefused(budget: KubeObject): Error {
  const desired = numberAt(budget, 'status', 'desiredHealthy') ?? 0;
  const healthy = numberAt(budget, 'status', 'currentHealthy') ?? 0;
  return tooManyRequests("Cannot evict pod as it would violate the pod's disruption budget.", 10, [
    {
      reason: 'DisruptionBudget',
      message: `The disruption budget ${budget.metadata.name} needs ${desired} healthy pods and has ${healthy} currently`,
    },
  ]);
}

function logRequest(query: URLSearchParams): LogRequest {
  const container = query.get('container');
  const tail = query.get('tailLines');
  return {
    previous: query.get('previous') === 'true',
    follow: query.get('follow') === 'true',
    timestamps: query.get('timestamps') === 'true',
    ...(container !== null && { container }),
    ...(tail !== null && { tailLines: Number(tail) }),
  };
}

async function serveLog(exchange: Exchange, target: ResourceTarget): Promise<void> {
  const { store } = exchange.cluster;
  const pod = store.get('pods', target.namespace, target.name as string);
  if (!pod) throw notFound(target.type, target.name as string);
  const request = logRequest(exchange.query);
  const containers = (
    isJsonObject(pod['spec']) && Array.isArray(pod['spec']['containers']) ? pod['spec']['containers'] : []
  ).map((one) => stringAt(one, 'name'));
  if (request.container === undefined && containers.length > 1) {
    throw badRequest(
      `a container name must be specified for pod ${pod.metadata.name}, choose one of: [${containers.join(' ')}]`,
    );
  }
  if (request.container !== undefined && !containers.includes(request.container)) {
    throw badRequest(`container ${request.container} is not valid for pod ${pod.metadata.name}`);
  }
  if (!stringAt(pod, 'spec', 'nodeName')) {
    // No node, no kubelet to ask: kube-apiserver answers 204 without a body.
    exchange.response.writeHead(204).end();
    return;
  }
  const logs = store.handlers.logs?.(pod, request) ?? '';
  if (typeof logs === 'string') return sendText(exchange, 200, lastLines(logs, request.tailLines));
  exchange.response.writeHead(200, { 'Content-Type': 'text/plain' });
  exchange.response.flushHeaders();
  for await (const part of logs) {
    if (exchange.response.destroyed) return;
    exchange.response.write(part);
  }
  exchange.response.end();
}

function lastLines(text: string, tail: number | undefined): string {
  if (tail === undefined) return text;
  const lines = text.split('\n');
  const end = lines.at(-1) === '' ? 1 : 0;
  return lines.slice(Math.max(0, lines.length - end - tail)).join('\n');
}

async function serveBinding(exchange: Exchange, target: ResourceTarget, verb: Verb): Promise<void> {
  if (verb !== 'create') throw methodNotAllowed('pods/binding');
  const binding = objectBody(await body(exchange));
  const node = stringAt(binding, 'target', 'name');
  if (!node) throw badRequest('target.name: Required value');
  exchange.cluster.store.bind(
    target.namespace ?? '',
    target.name as string,
    node,
    writeOptions(exchange, target),
  );
  sendJson(exchange, 201, { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 });
}
