import type { KubeObject } from '../kubernetes/api/object.js';
import { apiVersionOf, type ResourceType } from '../kubernetes/api/resource-type.js';

/** An object in the version that the client speaks (conversion strategy None: only apiVersion differs). */
export function inVersion(object: KubeObject, type: ResourceType): KubeObject {
  const apiVersion = apiVersionOf(type);
  return object.apiVersion === apiVersion ? object : { ...object, apiVersion };
}

/** An item of a list: typed lists carry kind and version once, at the list. */
export function asItem(object: KubeObject, type: ResourceType): Record<string, unknown> {
  if (type.custom) return inVersion(object, type);
  const { apiVersion: _, kind: __, ...rest } = object;
  return rest;
}
