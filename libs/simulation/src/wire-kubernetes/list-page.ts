import { ApiError, badRequest, expired } from '../kubernetes/api/api-error.js';
import type { KubeObject } from '../kubernetes/api/object.js';
import { apiVersionOf, resourceName } from '../kubernetes/api/resource-type.js';
import { sendJson, type Exchange } from './exchange.js';
import { asItem } from './representation.js';
import type { ResourceTarget } from './route.js';
import { tableOf, wantsTable } from './table.js';

interface Token {
  readonly rv: number;
  readonly start: string;
}

const MAX_SNAPSHOTS = 64;
/** Lists that clients are paging through, so that every page shows one revision. Oldest are dropped: then 410. */
const snapshots = new WeakMap<object, Map<string, readonly KubeObject[]>>();

const keyOf = (object: KubeObject): string => `${object.metadata.namespace ?? ''}/${object.metadata.name}`;

function checkVersion(exchange: Exchange): void {
  const { query, cluster } = exchange;
  const version = query.get('resourceVersion') ?? '';
  if (version === '' || version === '0') return;
  if (!/^\d+$/.test(version))
    throw badRequest(`Invalid value: "${version}": strconv.ParseUint: parsing "${version}": invalid syntax`);
  const current = cluster.store.revision;
  if (Number(version) > current) {
    throw new ApiError(504, 'Timeout', `Too large resource version: ${version}, current: ${current}`, {
      retryAfterSeconds: 1,
      details: { causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }] },
    });
  }
  if (query.get('resourceVersionMatch') === 'Exact' && Number(version) < current) {
    throw expired(`The resourceVersion for the provided list is too old.`);
  }
}

function decodeToken(text: string): Token {
  try {
    const token = JSON.parse(Buffer.from(text, 'base64url').toString()) as Token;
    if (typeof token.rv === 'number' && typeof token.start === 'string') return token;
  } catch {
    // falls through to the refusal
  }
  throw badRequest('continue key is not valid');
}

const encodeToken = (token: Token): string => Buffer.from(JSON.stringify(token)).toString('base64url');

/** The objects that a list or a deletion of a collection is about. Throws 400 for a bad selector. */
export function selected(exchange: Exchange, target: ResourceTarget): readonly KubeObject[] {
  const { query, cluster } = exchange;
  return cluster.store.list(resourceName(target.type), {
    ...(target.namespace !== undefined && { namespace: target.namespace }),
    labelSelector: query.get('labelSelector') ?? '',
    fieldSelector: query.get('fieldSelector') ?? '',
  });
}

interface Page {
  readonly objects: readonly KubeObject[];
  readonly revision: number;
  readonly rest: number;
}

function pageOf(exchange: Exchange, target: ResourceTarget): Page {
  const { query, cluster } = exchange;
  const limit = Number(query.get('limit') ?? 0) || Number.POSITIVE_INFINITY;
  const token = query.get('continue') ? decodeToken(query.get('continue') as string) : undefined;
  let all = selected(exchange, target);
  const revision = token?.rv ?? cluster.store.revision;
  const books = snapshots.get(cluster) ?? new Map<string, readonly KubeObject[]>();
  snapshots.set(cluster, books);
  const book = [
    revision,
    target.namespace,
    resourceName(target.type),
    query.get('labelSelector'),
    query.get('fieldSelector'),
  ].join('|');
  if (token) {
    const known = books.get(book) ?? (revision === cluster.store.revision ? all : undefined);
    if (!known) {
      throw expired(
        'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.',
      );
    }
    all = known;
  }
  const from = token ? all.findIndex((object) => keyOf(object) === token.start) : 0;
  const objects = from < 0 ? [] : all.slice(from, from + limit);
  const rest = from < 0 ? 0 : all.length - from - objects.length;
  if (rest > 0 && !books.has(book)) {
    books.set(book, all);
    if (books.size > MAX_SNAPSHOTS) books.delete(books.keys().next().value as string);
  }
  return { objects, revision, rest };
}

export function serveList(exchange: Exchange, target: ResourceTarget): void {
  if (!exchange.query.get('continue')) checkVersion(exchange);
  const { objects, revision, rest } = pageOf(exchange, target);
  const { type } = target;
  const last = objects.at(-1);
  const next = rest > 0 && last ? nextToken(exchange, target, last, revision) : undefined;
  const filtered = Boolean(exchange.query.get('labelSelector') ?? exchange.query.get('fieldSelector'));
  const more = next ? { continue: next, ...(!filtered && { remainingItemCount: rest }) } : {};
  if (wantsTable(exchange.request)) {
    sendJson(exchange, 200, tableOf(exchange, type, objects, String(revision), true, more));
    return;
  }
  const metadata = { resourceVersion: String(revision), ...more };
  const items = objects.map((object) => asItem(object, type));
  sendJson(exchange, 200, { kind: `${type.kind}List`, apiVersion: apiVersionOf(type), metadata, items });
}

function nextToken(exchange: Exchange, target: ResourceTarget, last: KubeObject, revision: number): string {
  const { query, cluster } = exchange;
  const book = [
    revision,
    target.namespace,
    resourceName(target.type),
    query.get('labelSelector'),
    query.get('fieldSelector'),
  ].join('|');
  const all = snapshots.get(cluster)?.get(book) ?? [];
  const at = all.findIndex((object) => keyOf(object) === keyOf(last));
  const start = all[at + 1];
  return encodeToken({ rv: revision, start: start ? keyOf(start) : '' });
}
