import type { ResourceType, Subresource } from '../kubernetes/api/resource-type.js';
import type { TypeCatalog } from '../kubernetes/api/type-catalog.js';

/** A path below a cluster's prefix, taken apart. */
export type Route =
  | { readonly kind: 'resource'; readonly target: ResourceTarget }
  | {
      readonly kind: 'review';
      readonly group: string;
      readonly resource: string;
      readonly namespace?: string;
    }
  | {
      readonly kind: 'discovery';
      readonly group?: string;
      readonly version?: string;
      readonly root: 'api' | 'apis';
    }
  | { readonly kind: 'openapi'; readonly path: readonly string[] }
  | { readonly kind: 'health' }
  | { readonly kind: 'version' }
  | { readonly kind: 'metrics' }
  | { readonly kind: 'unknown' };

export interface ResourceTarget {
  /** The version that the client speaks. */
  readonly type: ResourceType;
  readonly namespace?: string;
  readonly name?: string;
  readonly subresource?: Subresource;
}

export const REVIEW_GROUPS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'authorization.k8s.io': {
    selfsubjectaccessreviews: 'SelfSubjectAccessReview',
    selfsubjectrulesreviews: 'SelfSubjectRulesReview',
    subjectaccessreviews: 'SubjectAccessReview',
    localsubjectaccessreviews: 'LocalSubjectAccessReview',
  },
  'authentication.k8s.io': { selfsubjectreviews: 'SelfSubjectReview', tokenreviews: 'TokenReview' },
};

const HEALTH = new Set(['healthz', 'livez', 'readyz']);

export function routeOf(path: string, catalog: TypeCatalog): Route {
  const parts = path.split('/').filter(Boolean).map(decode);
  const [root, ...rest] = parts;
  if (root === undefined) return { kind: 'unknown' };
  if (HEALTH.has(root)) return { kind: 'health' };
  if (root === 'version') return { kind: 'version' };
  if (root === 'metrics') return { kind: 'metrics' };
  if (root === 'openapi') return { kind: 'openapi', path: rest };
  if (root === 'api') {
    if (rest.length === 0) return { kind: 'discovery', root };
    if (rest.length === 1) return { kind: 'discovery', root, group: '', version: rest[0] as string };
    return resourceRoute('', rest[0] as string, rest.slice(1), catalog);
  }
  if (root !== 'apis') return { kind: 'unknown' };
  const [group, version, ...tail] = rest;
  if (group === undefined) return { kind: 'discovery', root };
  if (version === undefined) return { kind: 'discovery', root, group };
  if (tail.length === 0) return { kind: 'discovery', root, group, version };
  return resourceRoute(group, version, tail, catalog);
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

function resourceRoute(
  group: string,
  version: string,
  parts: readonly string[],
  catalog: TypeCatalog,
): Route {
  let rest = parts;
  let namespace: string | undefined;
  const ofNamespaceItself = rest.length === 3 && rest[2] === 'status';
  if (rest[0] === 'namespaces' && rest.length >= 3 && !ofNamespaceItself) {
    namespace = rest[1] as string;
    rest = rest.slice(2);
  }
  const [resource, name, subresource, ...extra] = rest;
  if (resource === undefined || extra.length > 0) return { kind: 'unknown' };
  if (REVIEW_GROUPS[group]?.[resource])
    return { kind: 'review', group, resource, ...(namespace && { namespace }) };
  const type = catalog.find(group, version, resource);
  if (!type || (namespace !== undefined && !type.namespaced)) return { kind: 'unknown' };
  if (subresource !== undefined && !(type.subresources as readonly string[]).includes(subresource)) {
    return { kind: 'unknown' };
  }
  return {
    kind: 'resource',
    target: {
      type,
      ...(namespace !== undefined && { namespace }),
      ...(name !== undefined && { name }),
      ...(subresource !== undefined && { subresource: subresource as Subresource }),
    },
  };
}
