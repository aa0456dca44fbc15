import { FailureError } from '#kernel';
import { refKey, type KubernetesObject, type ObjectRef } from '#fleet';
import type { ListOptions } from '#ports';
import { failureError } from './classify.js';
import type { ResourceKind } from './discovery.js';
import type { RequestContext } from './request-context.js';
import { isRecord, parseJson, parseStatus, type ApiAnswer } from './status.js';

export const segment = (part: string): string => encodeURIComponent(part);

export function collectionPath(kind: ResourceKind, namespace: string | undefined): string {
  const root = kind.apiVersion.includes('/') ? `/apis/${kind.apiVersion}` : `/api/${kind.apiVersion}`;
  const scope = kind.namespaced && namespace !== undefined ? `/namespaces/${segment(namespace)}` : '';
  return `${root}${scope}/${kind.resource}`;
}

export function objectPath(kind: ResourceKind, ref: ObjectRef): string {
  if (ref.name === '') {
    throw new FailureError({
      class: 'invalid',
      code: 'object-invalid',
      message: `${refKey(ref)} has no name`,
    });
  }
  return `${collectionPath(kind, ref.namespace ?? 'default')}/${segment(ref.name)}`;
}

export const selectors = (options: ListOptions): Readonly<Record<string, string | undefined>> => ({
  labelSelector: options.labelSelector,
  fieldSelector: options.fieldSelector,
});

/** The object of a 2xx answer; anything else is thrown. */
export function object(answer: ApiAnswer, context: RequestContext): KubernetesObject {
  const parsed = answer.status >= 200 && answer.status < 300 ? parseJson(answer.body) : undefined;
  if (isRecord(parsed) && isRecord(parsed['metadata'])) return parsed as KubernetesObject;
  throw failureError(answer.status < 300 ? { ...answer, status: 502 } : answer, context);
}

/** Lists leave the kind out of their items. managedFields are often half of the bytes, so they stay only where asked for. */
export function listed(
  item: Readonly<Record<string, unknown>>,
  of: { apiVersion: string; kind: string },
  keepManagedFields = false,
): KubernetesObject {
  if (keepManagedFields) return { ...(item as KubernetesObject), apiVersion: of.apiVersion, kind: of.kind };
  const { managedFields: _dropped, ...metadata } = item['metadata'] as KubernetesObject['metadata'];
  return { ...item, apiVersion: of.apiVersion, kind: of.kind, metadata };
}

/** Server-side apply refuses managedFields; a uid or resourceVersion from an export would be a precondition. */
export function withoutServerFields(desired: KubernetesObject): KubernetesObject {
  const {
    managedFields: _m,
    uid: _u,
    resourceVersion: _r,
    creationTimestamp: _c,
    ...metadata
  } = desired.metadata;
  return { ...desired, metadata: metadata as KubernetesObject['metadata'] };
}

/** The path itself is not served (any more), as when a CRD was deleted: no Status, or one that names no object. */
export function pathGone(answer: ApiAnswer): boolean {
  if (answer.status !== 404) return false;
  const status = parseStatus(answer.body);
  return status ? !status.name : answer.body.startsWith('404 page not found');
}

/** A 404 of the API server means that the object is not there; one of somebody else's means nothing. */
export const absent = (answer: ApiAnswer): ApiAnswer | undefined =>
  parseStatus(answer.body) !== undefined || answer.body.startsWith('404 page not found') ? undefined : answer;
