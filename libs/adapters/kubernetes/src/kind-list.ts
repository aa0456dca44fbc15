import type { KubernetesObject } from '#fleet';
import type { ListOptions } from '#ports';
import type { ApiTransport } from './api-transport.js';
import type { Discovery } from './discovery.js';
import { collectionPath, listed, selectors } from './objects.js';
import { CollectionGone, listAll } from './paged-list.js';

/** All objects of a kind; `kind-unknown` where the API server says that it does not serve it. */
export async function listKind(
  transport: ApiTransport,
  discovery: Discovery,
  of: { readonly apiVersion: string; readonly kind: string },
  options: ListOptions,
): Promise<readonly KubernetesObject[]> {
  const action = `list ${of.apiVersion} ${of.kind}`;
  const context = { action, verb: 'read', secret: of.kind === 'Secret' } as const;
  const map = (item: Readonly<Record<string, unknown>>) => listed(item, of, options.managedFields);
  for (let again = false; ; again = true) {
    const kind = await discovery.require(of.apiVersion, of.kind);
    const path = collectionPath(kind, options.namespace);
    try {
      return await listAll(transport, path, selectors(options), context, map);
    } catch (thrown) {
      if (!(thrown instanceof CollectionGone) || again) throw thrown;
      // A CRD was deleted, perhaps: the API server says whether the kind is gone, not what we remember.
      discovery.forget(of.apiVersion);
    }
  }
}
