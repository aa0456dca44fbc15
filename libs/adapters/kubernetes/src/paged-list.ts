import type { ApiTransport } from './api-transport.js';
import { failureError } from './classify.js';
import { isRecord, parseJson } from './status.js';
import type { RequestContext } from './request-context.js';

const PAGE = 500;
/** A list that expires this often under our eyes is not going to end. */
const MAX_RESTARTS = 3;

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
    const page = answer.status === 200 ? parseJson(answer.body) : undefined;
    if (!isRecord(page) || !isRecord(page['metadata'])) {
      throw failureError(answer.status === 200 ? { ...answer, status: 502 } : answer, context);
    }
    // An empty list may be null.
    for (const item of Array.isArray(page['items']) ? page['items'].filter(isRecord) : [])
      found.push(map(item));
    const token = page['metadata']['continue'];
    next = typeof token === 'string' && token !== '' ? token : undefined;
    if (next === undefined) return found;
  }
}
