export type Subresource = 'status' | 'scale' | 'eviction' | 'log' | 'binding';

/** One served resource of one API version. Objects are stored in exactly one version. */
export interface ResourceType {
  /** Empty for the core group. */
  readonly group: string;
  readonly version: string;
  /** Plural name in paths, for example `deployments`. */
  readonly resource: string;
  readonly singular: string;
  readonly kind: string;
  readonly namespaced: boolean;
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
  readonly subresources: readonly Subresource[];
  /** Set for resources that a CustomResourceDefinition serves. */
  readonly custom?: true;
}

/** `pods`, `deployments.apps`: the name by which the store finds a type. */
export const resourceName = (type: Pick<ResourceType, 'group' | 'resource'>): string =>
  type.group === '' ? type.resource : `${type.resource}.${type.group}`;

export const apiVersionOf = (type: Pick<ResourceType, 'group' | 'version'>): string =>
  type.group === '' ? type.version : `${type.group}/${type.version}`;
