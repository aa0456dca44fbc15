import { apiVersionOf, type ResourceType, type Subresource } from '../kubernetes/api/resource-type.js';
import { ApiError } from '../kubernetes/api/api-error.js';
import { sendJson, type Exchange } from './exchange.js';
import { REVIEW_GROUPS } from './route.js';

const VERBS = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];

const SUBRESOURCE_VERBS: Readonly<Record<Subresource, readonly string[]>> = {
  status: ['get', 'patch', 'update'],
  scale: ['get', 'patch', 'update'],
  eviction: ['create'],
  log: ['get'],
  binding: ['create'],
};

interface Kind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

function subresourceKind(type: ResourceType, subresource: Subresource): Kind {
  switch (subresource) {
    case 'scale':
      return { group: 'autoscaling', version: 'v1', kind: 'Scale' };
    case 'eviction':
      return { group: 'policy', version: 'v1', kind: 'Eviction' };
    case 'binding':
      return { group: '', version: 'v1', kind: 'Binding' };
    default:
      return { group: type.group, version: type.version, kind: type.kind };
  }
}

/** Review kinds are served but not stored. */
const REVIEW_TYPES: readonly ResourceType[] = Object.entries(REVIEW_GROUPS).flatMap(([group, resources]) =>
  Object.entries(resources).map(([resource, kind]) => ({
    group,
    version: 'v1',
    resource,
    singular: kind.toLowerCase(),
    kind,
    namespaced: resource.startsWith('local'),
    subresources: [],
  })),
);

const isReview = (type: ResourceType): boolean => REVIEW_GROUPS[type.group] !== undefined;
const allTypes = (exchange: Exchange): readonly ResourceType[] => [
  ...exchange.cluster.store.types(),
  ...REVIEW_TYPES,
];
const verbsOf = (type: ResourceType): readonly string[] => (isReview(type) ? ['create'] : VERBS);

function resourceList(exchange: Exchange, group: string, version: string): unknown {
  const types = allTypes(exchange).filter((type) => type.group === group && type.version === version);
  if (types.length === 0)
    throw new ApiError(404, 'NotFound', 'the server could not find the requested resource');
  const resources = types.flatMap((type) => [
    {
      name: type.resource,
      singularName: type.singular,
      namespaced: type.namespaced,
      kind: type.kind,
      verbs: verbsOf(type),
      ...(type.shortNames && { shortNames: type.shortNames }),
      ...(type.categories && { categories: type.categories }),
      storageVersionHash: Buffer.from(`${group}/${type.resource}`).toString('base64').slice(0, 12),
    },
    ...type.subresources.map((subresource) => {
      const kind = subresourceKind(type, subresource);
      const foreign = kind.group !== group || kind.version !== version;
      return {
        name: `${type.resource}/${subresource}`,
        singularName: '',
        namespaced: type.namespaced,
        ...(foreign && { group: kind.group, version: kind.version }),
        kind: kind.kind,
        verbs: SUBRESOURCE_VERBS[subresource],
      };
    }),
  ]);
  return {
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion: apiVersionOf({ group, version }),
    resources,
  };
}

function groupsOf(exchange: Exchange): ReadonlyMap<string, readonly string[]> {
  const groups = new Map<string, string[]>();
  for (const type of allTypes(exchange)) {
    const versions = groups.get(type.group) ?? [];
    if (!versions.includes(type.version)) versions.push(type.version);
    groups.set(type.group, versions);
  }
  for (const versions of groups.values()) versions.sort(byPriority);
  return groups;
}

/** GA before beta before alpha, newer before older. */
function byPriority(a: string, b: string): number {
  const rank = (version: string) => {
    const [, major = '0', stage = '', minor = '0'] = /^v(\d+)(?:(alpha|beta)(\d+))?$/.exec(version) ?? [];
    return [stage === '' ? 2 : stage === 'beta' ? 1 : 0, Number(major), Number(minor)] as const;
  };
  const [x, y] = [rank(a), rank(b)];
  return y[0] - x[0] || y[1] - x[1] || y[2] - x[2];
}

function apiGroup(name: string, versions: readonly string[]): Record<string, unknown> {
  const entries = versions.map((version) => ({ groupVersion: `${name}/${version}`, version }));
  return { name, versions: entries, preferredVersion: entries[0] };
}

const AGGREGATED = /application\/json;g=apidiscovery\.k8s\.io;v=(v2|v2beta1);as=APIGroupDiscoveryList/;

export function serveDiscovery(
  exchange: Exchange,
  route: { readonly root: 'api' | 'apis'; readonly group?: string; readonly version?: string },
): void {
  const { group, version, root } = route;
  if (group !== undefined && version !== undefined) {
    sendJson(exchange, 200, resourceList(exchange, group, version));
    return;
  }
  const groups = groupsOf(exchange);
  if (group !== undefined) {
    const versions = groups.get(group);
    if (!versions) throw new ApiError(404, 'NotFound', 'the server could not find the requested resource');
    sendJson(exchange, 200, { kind: 'APIGroup', apiVersion: 'v1', ...apiGroup(group, versions) });
    return;
  }
  const wanted = AGGREGATED.exec(String(exchange.request.headers.accept ?? '').replaceAll(' ', ''));
  if (wanted) {
    sendJson(exchange, 200, aggregated(exchange, groups, root, wanted[1] as string), wanted[0]);
  } else if (root === 'api') {
    const serverAddressByClientCIDRs = [{ clientCIDR: '0.0.0.0/0', serverAddress: '127.0.0.1' }];
    sendJson(exchange, 200, { kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs });
  } else {
    const named = [...groups].filter(([name]) => name !== '');
    const list = named.map(([name, versions]) => apiGroup(name, versions));
    sendJson(exchange, 200, { kind: 'APIGroupList', apiVersion: 'v1', groups: list });
  }
}

function aggregated(
  exchange: Exchange,
  groups: ReadonlyMap<string, readonly string[]>,
  root: 'api' | 'apis',
  version: string,
): unknown {
  const types = allTypes(exchange);
  const items = [...groups]
    .filter(([name]) => (root === 'api') === (name === ''))
    .map(([name, versions]) => ({
      metadata: { ...(name && { name }), creationTimestamp: null },
      versions: versions.map((one) => ({
        version: one,
        freshness: 'Current',
        resources: types
          .filter((type) => type.group === name && type.version === one)
          .map(aggregatedResource),
      })),
    }));
  return { kind: 'APIGroupDiscoveryList', apiVersion: `apidiscovery.k8s.io/${version}`, metadata: {}, items };
}

const aggregatedResource = (type: ResourceType): unknown => ({
  resource: type.resource,
  responseKind: { group: type.group, version: type.version, kind: type.kind },
  scope: type.namespaced ? 'Namespaced' : 'Cluster',
  singularResource: type.singular,
  verbs: verbsOf(type),
  ...(type.shortNames && { shortNames: type.shortNames }),
  ...(type.categories && { categories: type.categories }),
  ...(type.subresources.length > 0 && {
    subresources: type.subresources.map((subresource) => ({
      subresource,
      responseKind: subresourceKind(type, subresource),
      verbs: SUBRESOURCE_VERBS[subresource],
    })),
  }),
});
