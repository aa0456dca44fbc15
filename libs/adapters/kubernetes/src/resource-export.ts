import type { KubernetesObject } from '#fleet';
import type { ListableKind } from '#ports';
import type { ApiTransport } from './api-transport.js';
import { failureError } from './classify.js';
import { pageOf } from './paged-list.js';
import type { RequestContext } from './request-context.js';
import { isRecord, parseJson } from './status.js';

const PAGE = 250;

/**
 * Every kind that can be listed, each once, at the version that the server prefers; kinds that only another version has
 * come at that one. A group that does not answer is an error: what is left out must be left out on purpose.
 */
export async function listableKinds(
  transport: ApiTransport,
  skipGroup: (group: string) => boolean,
): Promise<readonly ListableKind[]> {
  const found = new Map<string, ListableKind>();
  for (const { group, versions } of await groups(transport)) {
    if (skipGroup(group)) continue;
    for (const apiVersion of versions) {
      for (const kind of await kindsOf(transport, apiVersion)) {
        const name = `${group}/${kind.resource}`;
        if (!found.has(name)) found.set(name, kind);
      }
    }
  }
  return [...found.values()];
}

interface Group {
  readonly group: string;
  /** As `apiVersion`s, the preferred one first. */
  readonly versions: readonly string[];
}

async function groups(transport: ApiTransport): Promise<readonly Group[]> {
  const list = await json(transport, '/apis');
  const named = Array.isArray(list['groups']) ? list['groups'].filter(isRecord) : [];
  return [
    { group: '', versions: ['v1'] },
    ...named.map((entry) => {
      const preferred = isRecord(entry['preferredVersion'])
        ? entry['preferredVersion']['groupVersion']
        : undefined;
      const versions = Array.isArray(entry['versions']) ? entry['versions'].filter(isRecord) : [];
      const all = [preferred, ...versions.map((version) => version['groupVersion'])];
      return {
        group: String(entry['name']),
        versions: [...new Set(all.filter((version) => typeof version === 'string'))],
      };
    }),
  ];
}

async function kindsOf(transport: ApiTransport, apiVersion: string): Promise<readonly ListableKind[]> {
  const list = await json(transport, apiVersion === 'v1' ? '/api/v1' : `/apis/${apiVersion}`);
  const resources = Array.isArray(list['resources']) ? list['resources'].filter(isRecord) : [];
  return resources.flatMap((entry) => {
    const { name, kind, verbs } = entry;
    if (typeof name !== 'string' || typeof kind !== 'string' || name.includes('/')) return [];
    if (!Array.isArray(verbs) || !verbs.includes('list')) return [];
    return [{ apiVersion, kind, resource: name }];
  });
}

/**
 * All objects of a kind in pages. A continue token that expires is replaced by the one that the server hands out with the
 * refusal: the list goes on after the last object seen, at a newer state. Nothing comes twice.
 */
export async function* listPages(
  transport: ApiTransport,
  { apiVersion, kind, resource }: ListableKind,
): AsyncGenerator<readonly KubernetesObject[]> {
  const path = `${apiVersion.includes('/') ? '/apis' : '/api'}/${apiVersion}/${resource}`;
  const context: RequestContext = { action: `export ${resource} (${apiVersion})`, verb: 'read' };
  for (let next: string | undefined; ;) {
    const query = { limit: String(PAGE), continue: next };
    const answer = await transport.send({ method: 'GET', path, query, context });
    if (answer.status === 410 && next !== undefined) {
      const body = parseJson(answer.body);
      const fresh = tokenOf(isRecord(body) ? body['metadata'] : undefined);
      if (fresh !== '' && fresh !== next) {
        next = fresh;
        continue;
      }
    }
    const page = pageOf(answer);
    if (!page) throw failureError(answer.status === 200 ? { ...answer, status: 502 } : answer, context);
    // Lists leave out what every item has in common.
    yield page.items.map((item) => ({ ...item, apiVersion, kind }) as unknown as KubernetesObject);
    next = tokenOf(page.metadata);
    if (next === '') return;
  }
}

const tokenOf = (metadata: unknown): string =>
  isRecord(metadata) && typeof metadata['continue'] === 'string' ? metadata['continue'] : '';

async function json(transport: ApiTransport, path: string): Promise<Readonly<Record<string, unknown>>> {
  const context: RequestContext = { action: `discover ${path}`, verb: 'read' };
  const answer = await transport.send({ method: 'GET', path, context });
  const body = parseJson(answer.body);
  if (answer.status === 200 && isRecord(body)) return body;
  throw failureError(answer.status === 200 ? { ...answer, status: 502 } : answer, context);
}
