import { FailureError } from '#kernel';
import type { ApiTransport } from './api-transport.js';
import { failureError } from './classify.js';
import { pathGone } from './objects.js';
import { isRecord, parseJson, type ApiAnswer } from './status.js';
import type { RequestContext } from './request-context.js';

const PAGE = 500;
/** A list that expires this often under our eyes is not going to end. */
const MAX_RESTARTS = 3;

/** The collection is not served: what was discovered of its kind may no longer be true. */
export class CollectionGone extends FailureError {}

/**
 * All items of a collection, page by page, each mapped at once so that only one page of full objects is in memory.
 * A continue token that expired (410) starts the list again.
 */
export async function listAll<T>(
  transport: ApiTransport,
  path: string,
  query: Readonly<Record<string, string | undefined>>,
  context: RequestContext,
  map: (item: Readonly<Record<string, unknown>>) => T,
): Promise<readonly T[]> {
  let found: T[] = [];
  let next: string | undefined;
  for (let restarts = 0; ;) {
    const answer = await transport.send({
      method: 'GET',
      path,
      query: { ...query, limit: String(PAGE), continue: next },
      context,
    });
    if (answer.status === 410 && next !== undefined && restarts < MAX_RESTARTS) {
      restarts += 1;
      found = [];
      next = undefined;
      continue;
    }
    const page = pageOf(answer);
    if (!page) {
      const error = failureError(answer.status === 200 ? { ...answer, status: 502 } : answer, context);
      throw pathGone(answer) ? new CollectionGone(error.failure) : error;
    }
    for (const item of page.items) found.push(map(item));
    const token = page.metadata['continue'];
    next = typeof token === 'string' && token !== '' ? token : undefined;
    if (next === undefined) return found;
  }
}

type Fields = Readonly<Record<string, unknown>>;

/**
 * A list as Kubernetes writes it. Nothing else is taken for one: of a list that only looks empty, pods would be gone from a
 * node and objects from a cluster.
 */
export function pageOf(
  answer: ApiAnswer,
): { readonly metadata: Fields; readonly items: readonly Fields[] } | undefined {
  const page = answer.status === 200 ? parseJson(answer.body) : undefined;
  if (!isRecord(page) || !isRecord(page['metadata'])) return undefined;
  if (typeof page['kind'] !== 'string' || !page['kind'].endsWith('List')) return undefined;
  // An empty list may be null.
  const items = page['items'] === null ? [] : page['items'];
  if (!Array.isArray(items) || !items.every(isRecord)) return undefined;
  return { metadata: page['metadata'], items };
}
