import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { ApiError, forbidden } from '../kubernetes/api/api-error.js';
import { resourceName } from '../kubernetes/api/resource-type.js';
import type { FaultedCall, InjectedFailure } from './api-faults.js';
import { serveDiscovery } from './discovery.js';
import { LOAD_BALANCER_HTML, sendError, sendJson, sendText, type Exchange } from './exchange.js';
import { serveOpenApi } from './openapi.js';
import { isDryRun, managerOf, serveResource, verbOf, type Verb } from './resource-handler.js';
import { metricsText } from './metrics-text.js';
import { serveReview } from './reviews.js';
import { routeOf, type ResourceTarget, type Route } from './route.js';
import type { SimulatedCluster } from './simulated-cluster.js';
import { serveSubresource } from './subresource-handler.js';

export interface Incoming {
  readonly cluster: SimulatedCluster;
  readonly tokens: ReadonlyMap<string, string>;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly path: string;
  readonly query: URLSearchParams;
}

interface Call extends FaultedCall {
  readonly resource: string;
}

/** One request: outage, identity, planned faults, the work, the log. Never rejects. */
export async function handleRequest(incoming: Incoming): Promise<void> {
  const { cluster, request, response } = incoming;
  response.on('error', () => undefined);
  const user = userOf(incoming);
  const exchange: Exchange = { ...incoming, user: user ?? '', warnings: [] };
  const route = routeOf(incoming.path, cluster.store.catalog);
  const call = callOf(exchange, route);
  let logged = false;
  const log = (code: number): void => {
    if (logged) return;
    logged = true;
    record(exchange, call, code);
  };
  try {
    if (await interrupted(exchange, log)) return;
    const open = route.kind === 'health' || route.kind === 'version';
    if (user === undefined && !open) throw new ApiError(401, 'Unauthorized', 'Unauthorized');
    const failure = cluster.faults.take(call);
    if (failure && !failure.dropReply) return void answerFailure(exchange, failure, log);
    if (cluster.faults.isDenied(call)) throw denial(exchange, call);
    if (failure?.dropReply) return void (await dropReply(exchange, route, call, log));
    // Returns once a watch is open: it is logged then, everything else with its answer.
    await serve(exchange, route, call.verb as Verb);
  } catch (error) {
    if (response.headersSent) response.destroy();
    else sendError(exchange, asApiError(error));
  } finally {
    log(response.destroyed && !response.headersSent ? 0 : response.statusCode);
    if (!request.complete && response.writableEnded) request.resume();
  }
}

const asApiError = (error: unknown): ApiError =>
  error instanceof ApiError
    ? error
    : new ApiError(
        500,
        'InternalError',
        `Internal error occurred: ${error instanceof Error ? error.message : String(error)}`,
      );

function userOf(incoming: Incoming): string | undefined {
  const token = /^Bearer\s+(.+)$/i.exec(incoming.request.headers.authorization ?? '')?.[1];
  return token === undefined ? undefined : incoming.tokens.get(token.trim());
}

function callOf(exchange: Exchange, route: Route): Call {
  const user = exchange.user ? { user: exchange.user } : {};
  if (route.kind !== 'resource') return { verb: 'raw', resource: exchange.path, ...user };
  const { target } = route;
  return {
    verb: safeVerb(exchange, target),
    resource: resourceName(target.type),
    ...(target.subresource && { subresource: target.subresource }),
    ...(target.namespace !== undefined && { namespace: target.namespace }),
    ...(target.name !== undefined && { name: target.name }),
    ...user,
  };
}

function safeVerb(exchange: Exchange, target: ResourceTarget): string {
  try {
    return verbOf(exchange.request.method ?? 'GET', target, exchange.query);
  } catch {
    return (exchange.request.method ?? '').toLowerCase();
  }
}

function record(exchange: Exchange, call: Call, code: number): void {
  const { cluster, request, query } = exchange;
  const writes = ['create', 'update', 'patch', 'delete', 'deletecollection'].includes(call.verb);
  const userAgent = request.headers['user-agent'];
  cluster.calls.append({
    at: cluster.store.now(),
    cluster: cluster.id,
    ...call,
    ...(writes && { manager: managerOf(exchange) }),
    ...(userAgent !== undefined && { userAgent }),
    dryRun: dryRunOf(query),
    code,
  });
}

function dryRunOf(query: URLSearchParams): boolean {
  try {
    return isDryRun(query);
  } catch {
    return false;
  }
}

/** Latency and outages. True when there is nothing left to answer. */
async function interrupted(exchange: Exchange, log: (code: number) => void): Promise<boolean> {
  const { cluster, response } = exchange;
  const { faults } = cluster;
  if (faults.latencyMs > 0) await sleep(faults.latencyMs);
  if (faults.outage === 'blackout') await outageOver(exchange);
  if (response.destroyed) {
    log(0);
    return true;
  }
  if (faults.outage === 'closed') {
    response.destroy();
    log(0);
    return true;
  }
  if (faults.outage === 'unavailable') {
    sendText(exchange, 503, LOAD_BALANCER_HTML, 'text/html');
    return true;
  }
  return false;
}

function outageOver(exchange: Exchange): Promise<void> {
  const { cluster, response } = exchange;
  return new Promise((resolve) => {
    const stop = cluster.faults.onOutage((outage) => {
      if (outage !== 'blackout') finish();
    });
    const finish = (): void => {
      stop();
      response.off('close', finish);
      resolve();
    };
    response.once('close', finish);
  });
}

function answerFailure(exchange: Exchange, failure: InjectedFailure, log: (code: number) => void): void {
  const code = failure.status ?? 500;
  if (failure.html !== undefined) sendText(exchange, code, failure.html, 'text/html');
  else {
    const message = failure.message ?? 'an error on the server has prevented the request from succeeding';
    const retry =
      failure.retryAfterSeconds === undefined ? {} : { retryAfterSeconds: failure.retryAfterSeconds };
    sendError(exchange, new ApiError(code, failure.reason ?? '', message, retry));
  }
  log(code);
}

/** The work is done and committed, but the client never hears of it. */
async function dropReply(
  exchange: Exchange,
  route: Route,
  call: Call,
  log: (code: number) => void,
): Promise<void> {
  const { response } = exchange;
  response.writeHead = () => response;
  response.write = () => true;
  response.end = () => {
    response.destroy();
    return response;
  };
  await serve(exchange, route, call.verb as Verb).catch(() => undefined);
  response.destroy();
  log(0);
}

function denial(exchange: Exchange, call: Call): ApiError {
  const [resource = '', ...group] = call.resource.split('.');
  const what = call.subresource ? `${resource}/${call.subresource}` : resource;
  const where = call.namespace ? ` in the namespace "${call.namespace}"` : ' at the cluster scope';
  return forbidden(
    { resource, group: group.join('.') },
    call.name ?? '',
    `User "${exchange.user}" cannot ${call.verb} resource "${what}" in API group "${group.join('.')}"${where}`,
  );
}

async function serve(exchange: Exchange, route: Route, verb: Verb): Promise<void> {
  switch (route.kind) {
    case 'health':
      return sendText(exchange, 200, 'ok');
    case 'version':
      return sendJson(exchange, 200, {
        ...exchange.cluster.version,
        gitTreeState: 'clean',
        platform: 'linux/amd64',
      });
    case 'metrics':
      return sendText(exchange, 200, metricsText(exchange.cluster));
    case 'discovery':
      return serveDiscovery(exchange, route);
    case 'openapi':
      return serveOpenApi(exchange, route.path);
    case 'review':
      return serveReview(exchange, route);
    case 'resource':
      if (route.target.subresource) return serveSubresource(exchange, route.target, verb);
      return serveResource(
        exchange,
        route.target,
        verbOf(exchange.request.method ?? 'GET', route.target, exchange.query),
      );
    case 'unknown':
      return sendText(exchange, 404, '404 page not found\n');
  }
}
